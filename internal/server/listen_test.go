package server

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

func TestTCPAddress(t *testing.T) {
	for _, c := range []struct {
		ip   string
		port int
		want string // the address, or after "error: " a part of the error
	}{
		{"", 9000, ":9000"},
		{"0.0.0.0", 9000, "0.0.0.0:9000"},
		{"127.0.0.1", 0, "127.0.0.1:0"},
		{"localhost", 80, "localhost:80"},
		{"[::1]", 9000, "[::1]:9000"},
		{"::1", 9000, "[::1]:9000"},
		{"::", 9000, "[::]:9000"},
		{"fe80::1%eth0", 9000, "[fe80::1%eth0]:9000"},
		{"127.0.0.1:8080", 9000, `error: address "127.0.0.1:8080": it is no IPv6 address (a port is given by -port)`},
		{":8080", 9000, "error: -port"},
		{"127.0.0.1", 65536, "error: port 65536: ports go from 0 to 65535"},
		{"127.0.0.1", -1, "error: port -1"},
	} {
		got, err := tcpAddress(c.ip, c.port)
		part, isError := strings.CutPrefix(c.want, "error: ")
		switch {
		case isError && (err == nil || !strings.Contains(err.Error(), part)):
			t.Errorf("-ip %q -port %d: error %v, want one with %q", c.ip, c.port, err, part)
		case !isError && (err != nil || got != c.want):
			t.Errorf("-ip %q -port %d: %q, %v; want %q", c.ip, c.port, got, err, c.want)
		}
	}
}

func TestListenOnTCP(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "localhost", "::1", "[::1]", ""} {
		t.Run(ip, func(t *testing.T) {
			l := mustListen(t, ListenOptions{IP: ip})
			serveGreeting(l)
			wantGreeting(t, "tcp", l.All[0].Addr().String())
			if l.Inherited || len(l.Notes) != 0 {
				t.Errorf("an ordinary listener has notes: %+v", l)
			}
		})
	}
}

func TestListenSaysWhatIsInTheWay(t *testing.T) {
	taken := mustListen(t, ListenOptions{IP: "127.0.0.1"}).All[0].Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		name    string
		options ListenOptions
		want    []string
	}{
		{"the port is taken", ListenOptions{IP: "127.0.0.1", Port: taken},
			[]string{fmt.Sprintf("cannot listen on 127.0.0.1:%d", taken), fmt.Sprintf("already uses port %d", taken), "-port", "address already in use"}},
		{"the address is another machine's", ListenOptions{IP: "192.0.2.1", Port: 9000},
			[]string{"192.0.2.1:9000", "does not have the address 192.0.2.1", "-ip", "cannot assign requested address"}},
		{"a named pipe", ListenOptions{Socket: `\\.\pipe\pawl`},
			[]string{`\\.\pipe\pawl`, "named pipes are not supported", "-socket"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := Listen(c.options)
			if err == nil {
				_ = l.Close()
				t.Fatal("it listens")
			}
			wantParts(t, err.Error(), c.want...)
		})
	}
}

func TestListenersMayBeClosedTwice(t *testing.T) {
	l := mustListen(t, ListenOptions{IP: "127.0.0.1"})
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}

func mustListen(t *testing.T, options ListenOptions) *Listeners {
	t.Helper()
	l, err := Listen(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // the test may have closed it
	return l
}

// greeting is what a connection gets from serveGreeting, to know it by.
const greeting = "here is the listener"

// serveGreeting answers every connection until the listeners are closed.
func serveGreeting(l *Listeners) {
	for _, listener := range l.All {
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				fmt.Fprint(conn, greeting)
				_ = conn.Close()
			}
		}()
	}
}

func wantGreeting(t *testing.T, network, address string) {
	t.Helper()
	conn, err := net.Dial(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got := make([]byte, len(greeting))
	if n, _ := conn.Read(got); string(got[:n]) != greeting {
		t.Errorf("%s %s answers %q", network, address, got[:n])
	}
}

func wantParts(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}
