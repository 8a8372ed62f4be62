package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// ListenOptions says where deliveries come in.
type ListenOptions struct {
	// IP is the address of this machine to listen on: a host name, an IPv4
	// address, or an IPv6 address with or without brackets. All addresses when
	// empty.
	IP string
	// Port is the TCP port, 0 to 65535. With 0 the system chooses one.
	Port int
	// Socket is the path of a Unix socket, listened on in place of IP and Port.
	// On Linux one that begins with @ names an abstract socket.
	Socket string
}

// Listeners are what deliveries come in by.
type Listeners struct {
	// All are open, and at least one. Who has them closes them; a Unix socket's
	// file goes with it.
	All []net.Listener
	// Inherited says that systemd opened them, and that the options did not count.
	Inherited bool
	// Notes tell the operator what is not plain from the options.
	Notes []string
}

// Listen opens what the options name. If systemd passed sockets (LISTEN_FDS), it
// takes all of these instead, and only the first call in a process gets them:
// the variables are removed, so that no script takes them for its own.
//
// Errors say in words what is in the way, and end in the system's own.
func Listen(options ListenOptions) (*Listeners, error) {
	inherited, err := inheritedListeners()
	if inherited != nil || err != nil {
		return inherited, err
	}
	if options.Socket != "" {
		return listenUnix(options.Socket)
	}
	return listenTCP(options.IP, options.Port)
}

// WithTLS makes all listeners speak TLS. An http.Server that serves them should
// have the same config as its TLSConfig: from its NextProtos it learns whether
// HTTP/2 is spoken.
func (l *Listeners) WithTLS(config *tls.Config) {
	for i, listener := range l.All {
		l.All[i] = tls.NewListener(listener, config)
	}
}

// Close closes all listeners. To close them again does no harm.
func (l *Listeners) Close() error {
	var failed []error
	for _, listener := range l.All {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func listenTCP(ip string, port int) (*Listeners, error) {
	address, err := tcpAddress(ip, port)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, explainTCP(address, ip, port, err)
	}
	return &Listeners{All: []net.Listener{listener}}, nil
}

// tcpAddress joins the two as net.Listen wants them.
func tcpAddress(ip string, port int) (string, error) {
	if port < 0 || port > 65535 {
		return "", fmt.Errorf("cannot listen on port %d: ports go from 0 to 65535", port)
	}
	bare := ip
	if strings.HasPrefix(ip, "[") && strings.HasSuffix(ip, "]") {
		bare = ip[1 : len(ip)-1]
	}
	if strings.Contains(bare, ":") {
		if _, err := netip.ParseAddr(bare); err != nil {
			return "", fmt.Errorf("cannot listen on address %q: it is no IPv6 address (a port is given by -port): %w", ip, err)
		}
	}
	return net.JoinHostPort(bare, strconv.Itoa(port)), nil
}

// trouble is why the system refuses an address or a socket.
type trouble int

const (
	otherTrouble trouble = iota
	inUse                // another program has it
	notHere              // the address is none of this machine
	forbidden            // this user may not
	nobodyListens
)

// explainTCP says what is in the way of listening, and what to do about it.
func explainTCP(address, ip string, port int, err error) error {
	cause := rootCause(err)
	switch why(err) {
	case inUse:
		return fmt.Errorf("cannot listen on %s: another program already uses port %d; stop it, or choose another port with -port: %w",
			address, port, cause)
	case notHere:
		return fmt.Errorf("cannot listen on %s: this machine does not have the address %s; give one of its own with -ip, or 0.0.0.0 for all: %w",
			address, ip, cause)
	case forbidden:
		if port < 1024 {
			return fmt.Errorf("cannot listen on %s: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; "+
				"choose a higher port with -port: %w", address, cause)
		}
		return fmt.Errorf("cannot listen on %s: the system does not allow it: %w", address, cause)
	default:
		return fmt.Errorf("cannot listen on %s: %w", address, cause)
	}
}

// rootCause takes off what net puts around an error (operation, network and
// address), for the address stands in the message already.
func rootCause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

// inheritedListeners returns the sockets that systemd passed, or nil.
func inheritedListeners() (*Listeners, error) {
	files := activation.Files(true)
	_ = os.Unsetenv("LISTEN_PIDFDID") // newer than the library; it fails for malformed names only
	if len(files) == 0 {
		return nil, nil
	}
	l := &Listeners{Inherited: true}
	var names []string
	for i, file := range files {
		listener, err := inheritedListener(file)
		if err != nil {
			for _, rest := range files[i+1:] {
				_ = rest.Close()
			}
			_ = l.Close() // the first error counts
			return nil, fmt.Errorf("cannot listen on descriptor %d (%s) that systemd passed: "+
				"it must be a TCP or Unix stream socket that listens (ListenStream=, Accept=no): %w", i+3, file.Name(), err)
		}
		if unix, ok := listener.(*net.UnixListener); ok {
			unix.SetUnlinkOnClose(false) // the file is systemd's, which starts the next Pawl by it
		}
		l.All = append(l.All, listener)
		names = append(names, listener.Addr().String())
	}
	l.Notes = []string{fmt.Sprintf("listening on %s, passed by systemd: -ip, -port and -socket do not count", strings.Join(names, ", "))}
	return l, nil
}

// inheritedListener makes a listener of a descriptor, which it takes over.
func inheritedListener(file *os.File) (net.Listener, error) {
	defer file.Close() // the listener has a copy
	if !listens(file) {
		return nil, errors.New("it does not listen")
	}
	listener, err := net.FileListener(file)
	if err != nil {
		return nil, rootCause(err)
	}
	return listener, nil
}
