//go:build unix

package server

import (
	"bufio"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestListenOnUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pawl.sock")
	l := mustListen(t, ListenOptions{IP: "192.0.2.1", Port: 9000, Socket: path})
	serveGreeting(l)
	wantGreeting(t, "unix", path)
	umask := syscall.Umask(0)
	syscall.Umask(umask)
	if got, want := mode(t, path), fs.ModeSocket|0o777&^fs.FileMode(umask); got != want {
		t.Errorf("the socket's mode is %v, want %v by the umask", got, want)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket's file is still there")
	}
}

func TestListenRemovesItsSocketFromAnotherDirectory(t *testing.T) {
	t.Chdir(t.TempDir())
	path, err := filepath.Abs("pawl.sock")
	if err != nil {
		t.Fatal(err)
	}
	l := mustListen(t, ListenOptions{Socket: "pawl.sock"})
	t.Chdir(t.TempDir())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket's file is still there")
	}
}

func TestListenLeavesAnothersSocketAtTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pawl.sock")
	first := mustListen(t, ListenOptions{Socket: path})
	// The old file stays, under another name, or the new one might get its number.
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	second := mustListen(t, ListenOptions{Socket: path})
	serveGreeting(second)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	wantGreeting(t, "unix", path)
}

func TestListenTakesOverStaleSocket(t *testing.T) {
	path := staleSocket(t)
	l := mustListen(t, ListenOptions{Socket: path})
	serveGreeting(l)
	wantGreeting(t, "unix", path)
	wantParts(t, strings.Join(l.Notes, "\n"), path, "left over")
}

// Of several that start at once over a stale socket one gets it, and keeps it.
func TestListenTakesOverStaleSocketOnce(t *testing.T) {
	path := staleSocket(t)
	var winners []*Listeners
	var mu sync.Mutex
	var starts sync.WaitGroup
	for range 20 {
		starts.Go(func() {
			if l, err := Listen(ListenOptions{Socket: path}); err == nil {
				mu.Lock()
				defer mu.Unlock()
				winners = append(winners, l)
			}
		})
	}
	starts.Wait()
	if len(winners) != 1 {
		t.Errorf("%d listen on the socket", len(winners))
	}
	for _, l := range winners {
		defer l.Close()
		serveGreeting(l)
	}
	wantGreeting(t, "unix", path)
}

func TestListenLeavesWhatIsInASocketsPlace(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(t *testing.T, path string)
		want string
	}{
		"a file":          {func(t *testing.T, path string) { must(t, os.WriteFile(path, []byte("old"), 0o600)) }, "something else (a file)"},
		"a directory":     {func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }, "something else (a directory)"},
		"a link":          {func(t *testing.T, path string) { must(t, os.Symlink("x", path)) }, "something else (a symbolic link)"},
		"a pipe":          {func(t *testing.T, path string) { must(t, syscall.Mkfifo(path, 0o600)) }, "something else"},
		"a socket in use": {func(t *testing.T, path string) { mustListen(t, ListenOptions{Socket: path}) }, "in use by another program"},
		"a socket of datagrams": {func(t *testing.T, path string) {
			conn, err := net.ListenPacket("unixgram", path)
			must(t, err)
			t.Cleanup(func() { _ = conn.Close() })
		}, "whether it is in use cannot be told"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "s")
			c.put(t, path)
			before := mode(t, path)
			l, err := Listen(ListenOptions{Socket: path})
			if err == nil {
				_ = l.Close()
				t.Fatal("it listens")
			}
			wantParts(t, err.Error(), "socket "+path, c.want)
			if after := mode(t, path); after != before {
				t.Errorf("%v became %v", before, after)
			}
		})
	}
}

func TestListenSaysWhatIsInASocketsWay(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 120))
	for path, want := range map[string]string{
		filepath.Join(t.TempDir(), "none", "s"): "its directory does not exist",
		long:                                    "may not be longer than 103 bytes",
	} {
		if l, err := Listen(ListenOptions{Socket: path}); err == nil {
			_ = l.Close()
			t.Errorf("it listens on %s", path)
		} else {
			wantParts(t, err.Error(), path, want)
		}
	}
}

func TestForbiddenPortIsExplained(t *testing.T) {
	refused := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EACCES)}
	wantParts(t, explainTCP(":80", "", 80, refused).Error(), "listen on :80", "below 1024", "CAP_NET_BIND_SERVICE", "-port", "permission denied")
	wantParts(t, explainTCP(":8080", "", 8080, refused).Error(), "does not allow it", "permission denied")
}

// systemd passes listening sockets from descriptor 3 on. The test runs itself
// again, with such descriptors.
func TestListenTakesSocketsOfSystemd(t *testing.T) {
	if os.Getenv("PAWL_TEST_ACTIVATED") != "" {
		playActivated(t)
		return
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	path := filepath.Join(t.TempDir(), "passed.sock")
	unix, err := net.Listen("unix", path)
	must(t, err)
	defer tcp.Close()
	defer unix.Close()

	output, end := activated(t, "hooks:local", fileOf(t, tcp), fileOf(t, unix))
	for output.Scan() && output.Text() != "ready" {
		t.Log(output.Text())
	}
	wantGreeting(t, "tcp", tcp.Addr().String())
	wantGreeting(t, "unix", path)
	end()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket that systemd made went with the program: %v", err)
	}
}

// playActivated is the program that systemd starts. It ends with its input.
func playActivated(t *testing.T) {
	l, err := Listen(ListenOptions{IP: "192.0.2.1", Port: 9000}) // which would fail
	must(t, err)
	if !l.Inherited || len(l.All) != 2 {
		t.Errorf("got %+v", l)
	}
	wantParts(t, strings.Join(l.Notes, "\n"), "passed by systemd", l.All[0].Addr().String(), "passed.sock", "-port")
	if environment := strings.Join(os.Environ(), "\n"); strings.Contains(environment, "LISTEN_") {
		t.Errorf("scripts would see %s", environment)
	}
	// A script has a standard input, output and error, and nothing else.
	inherited, err := exec.Command("sh", "-c", `for fd in 3 4 5 6 7 8 9; do if ( : <&$fd ) 2>/dev/null; then echo $fd; fi; done`).CombinedOutput()
	if err != nil || len(inherited) != 0 {
		t.Errorf("a script inherits descriptors: %s %v", inherited, err)
	}
	serveGreeting(l)
	os.Stdout.WriteString("ready\n")
	os.Stdin.Read(make([]byte, 1))
	must(t, l.Close())
}

func TestListenRefusesOtherDescriptorsOfSystemd(t *testing.T) {
	if os.Getenv("PAWL_TEST_ACTIVATED") != "" {
		_, err := Listen(ListenOptions{IP: "127.0.0.1"})
		if err == nil {
			t.Fatal("it listens")
		}
		wantParts(t, err.Error(), "descriptor 4 (second) that systemd passed", "ListenStream=")
		return
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer tcp.Close()
	ordinary, err := os.Open(os.DevNull)
	must(t, err)
	datagrams, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer datagrams.Close()
	connection, err := net.Dial("tcp", tcp.Addr().String())
	must(t, err)
	defer connection.Close()
	for name, second := range map[string]*os.File{
		"a file": ordinary, "a datagram socket": fileOf(t, datagrams), "a connection": fileOf(t, connection),
	} {
		t.Run(name, func(t *testing.T) {
			_, end := activated(t, "first:second", fileOf(t, tcp), second)
			end()
		})
	}
}

// Variables that are meant for another process are none of ours, nor a script's.
func TestListenRemovesAnothersActivation(t *testing.T) {
	for name, value := range map[string]string{"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "a", "LISTEN_PIDFDID": "1"} {
		t.Setenv(name, value)
	}
	if l := mustListen(t, ListenOptions{IP: "127.0.0.1"}); l.Inherited {
		t.Error("it took another process's sockets")
	}
	if environment := strings.Join(os.Environ(), "\n"); strings.Contains(environment, "LISTEN_") {
		t.Errorf("scripts would see %s", environment)
	}
}

// activated runs the test again as systemd would. end waits until it has ended,
// well.
func activated(t *testing.T, names string, files ...*os.File) (output *bufio.Scanner, end func()) {
	t.Helper()
	// systemd puts the process's own number into LISTEN_PID after the fork.
	test, _, _ := strings.Cut(t.Name(), "/")
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`, os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "PAWL_TEST_ACTIVATED=1", "GORACE=atexit_sleep_ms=0", "LISTEN_FDS=2", "LISTEN_PIDFDID=123", "LISTEN_FDNAMES="+names)
	cmd.ExtraFiles = files
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = os.Stderr
	must(t, cmd.Start())
	output = bufio.NewScanner(stdout)
	return output, func() {
		t.Helper()
		_ = stdin.Close() // which ends it
		var said strings.Builder
		for output.Scan() {
			said.WriteString(output.Text() + "\n")
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("started as by systemd: %v\n%s", err, said.String())
		}
	}
}

func fileOf(t *testing.T, socket any) *os.File {
	t.Helper()
	file, err := socket.(interface{ File() (*os.File, error) }).File()
	must(t, err)
	t.Cleanup(func() { _ = file.Close() })
	return file
}

// staleSocket makes a socket as a crash leaves it.
func staleSocket(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stale.sock")
	listener, err := net.Listen("unix", path)
	must(t, err)
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	must(t, listener.Close())
	if mode(t, path)&fs.ModeSocket == 0 {
		t.Fatal("no stale socket was made")
	}
	return path
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return info.Mode()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
