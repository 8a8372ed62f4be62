package server

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// maxSocketPath is how many bytes the path of a Unix socket may have on every
// system that Pawl runs on; Linux allows four more.
const maxSocketPath = 103

// listenUnix listens on a Unix socket. A socket that nobody listens on, as a
// crash leaves it, is replaced; any other file is an error and stays as it is.
// The file's mode is as the umask gives it.
func listenUnix(path string) (*Listeners, error) {
	if strings.HasPrefix(path, `\\.\pipe\`) {
		return nil, fmt.Errorf("cannot listen on %s: named pipes are not supported; give -socket the path of a Unix socket", path)
	}
	if abstract(path) {
		listener, err := net.Listen("unix", path)
		if err != nil {
			return nil, explainUnix(path, err)
		}
		return &Listeners{All: []net.Listener{listener}}, nil
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the place of socket %s: %w", path, err)
	}
	// Two Pawls that start at the same time must not each take the other's new
	// socket for the old one.
	unlock := lockDirectory(filepath.Dir(full))
	defer unlock()

	replaced, err := clearSocket(path)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path) // as given: it may be shorter than full
	if err != nil {
		return nil, explainUnix(path, err)
	}
	own, err := ownSocket(listener, full)
	if err != nil {
		_ = listener.Close() // the first error counts
		return nil, err
	}
	l := &Listeners{All: []net.Listener{own}}
	if replaced {
		l.Notes = []string{fmt.Sprintf("socket %s was left over from a program that has ended, and is replaced", path)}
	}
	return l, nil
}

// clearSocket removes a socket that nobody listens on. Whatever else is there is
// an error.
func clearSocket(path string) (removed bool, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot listen on socket %s: %w", path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return false, fmt.Errorf("cannot listen on socket %s: there is already something else (%s) in its place; "+
			"remove it, or choose another path with -socket", path, kind(info.Mode()))
	}
	// Only a socket's own machine can tell whether somebody listens.
	conn, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		_ = conn.Close() // it only asked
		return false, fmt.Errorf("cannot listen on socket %s: it is in use by another program; stop it, or choose another path with -socket", path)
	case why(err) == nobodyListens:
		if err := os.Remove(path); err != nil {
			return false, fmt.Errorf("remove socket %s, which is left over from a program that has ended: %w", path, err)
		}
		return true, nil
	case errors.Is(err, fs.ErrNotExist): // its program has just ended
		return false, nil
	default:
		return false, fmt.Errorf("cannot listen on socket %s: it exists, and whether it is in use cannot be told: %w", path, rootCause(err))
	}
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	default:
		return "of mode " + mode.String()
	}
}

// explainUnix says what is in the way of a socket.
func explainUnix(path string, err error) error {
	cause := rootCause(err)
	switch {
	case why(err) == inUse:
		return fmt.Errorf("cannot listen on socket %s: it is in use by another program: %w", path, cause)
	case why(err) == forbidden:
		return fmt.Errorf("cannot listen on socket %s: this user may not make files in its directory: %w", path, cause)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot listen on socket %s: its directory does not exist: %w", path, cause)
	case len(path) > maxSocketPath:
		return fmt.Errorf("cannot listen on socket %s: a socket's path may not be longer than %d bytes, this one has %d: %w",
			path, maxSocketPath, len(path), cause)
	default:
		return fmt.Errorf("cannot listen on socket %s: %w", path, cause)
	}
}

// socketListener removes its socket's file when closed, if it is still its own:
// a program that took the path over since keeps its socket.
type socketListener struct {
	*net.UnixListener
	path string // absolute: the working directory may change
	file fs.FileInfo
}

func ownSocket(listener net.Listener, path string) (net.Listener, error) {
	unix, ok := listener.(*net.UnixListener)
	if !ok {
		return nil, fmt.Errorf("cannot listen on socket %s: the system gave a %T", path, listener)
	}
	file, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on socket %s: it went away: %w", path, err)
	}
	unix.SetUnlinkOnClose(false)
	return &socketListener{UnixListener: unix, path: path, file: file}, nil
}

// Close stops listening and removes the file. The file goes first: while it is
// there and nobody listens, another Pawl would take it for a leftover.
func (l *socketListener) Close() error {
	var removing error
	if file, err := os.Lstat(l.path); err == nil && os.SameFile(file, l.file) {
		if err := os.Remove(l.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			removing = fmt.Errorf("remove socket %s: %w", l.path, err)
		}
	}
	return errors.Join(removing, l.UnixListener.Close())
}
