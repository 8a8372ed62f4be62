package admin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/pawlhq/pawl/internal/database"
)

// SocketName is the name of the Unix socket in a data directory.
const SocketName = "pawl.sock"

// maxSocketPath is how many bytes the path of a Unix socket may have on every
// system that Pawl runs on; Linux allows four more.
const maxSocketPath = 103

// ListenSocket listens on the Unix socket of a data directory, which only the
// caller's user may open. The caller owns the directory: a socket that is there
// was left over, and is replaced. Close removes it.
func ListenSocket(directory string) (net.Listener, error) {
	listener, err := listenSocket(directory)
	if err != nil {
		return nil, fmt.Errorf("listen on %s, which pawl runs talks to: %w", filepath.Join(directory, SocketName), err)
	}
	return listener, nil
}

func listenSocket(directory string) (net.Listener, error) {
	path := filepath.Join(directory, SocketName)
	if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
		return nil, errors.New("a file is in its place")
	}
	// It is made where nobody else can look, gets its mode there, and takes its
	// place at once: at no moment can another user open it.
	private, err := os.MkdirTemp(directory, "socket-")
	switch {
	case err == nil:
		defer os.RemoveAll(private)
		return place(net.ListenConfig{}, filepath.Join(private, "s"), path)
	case !database.NoRoom(err):
		return nil, err
	}
	// A full disk has no block for a directory, but a socket needs none.
	made := path + ".new"
	if err := os.Remove(made); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	defer os.Remove(made)
	return place(net.ListenConfig{Control: privately(directory)}, made, path)
}

// place listens on a socket that is made under one name and then gets another.
func place(how net.ListenConfig, made, path string) (net.Listener, error) {
	short, done, err := shortPath(made)
	if err != nil {
		return nil, err
	}
	defer done()
	listener, err := how.Listen(context.Background(), "unix", short)
	if err != nil {
		return nil, err
	}
	unix, ok := listener.(*net.UnixListener)
	if !ok {
		_ = listener.Close()
		return nil, fmt.Errorf("the system gave a %T", listener)
	}
	unix.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		_ = listener.Close() // the first error counts
		return nil, err
	}
	file, err := os.Lstat(path)
	if err != nil {
		_ = listener.Close() // the first error counts
		return nil, err
	}
	return &socketListener{UnixListener: unix, path: path, file: file}, nil
}

// socketListener removes its socket when closed, if it is still its own.
type socketListener struct {
	*net.UnixListener
	path string
	file fs.FileInfo
}

// Close removes the file first: while it is there, people call.
func (l *socketListener) Close() error {
	if file, err := os.Lstat(l.path); err == nil && os.SameFile(file, l.file) {
		_ = os.Remove(l.path) // the next start replaces it
	}
	return l.UnixListener.Close()
}

// DialSocket connects to the Unix socket of a data directory.
func DialSocket(ctx context.Context, directory string) (net.Conn, error) {
	short, done, err := shortPath(filepath.Join(directory, SocketName))
	if err != nil {
		return nil, err
	}
	defer done()
	return new(net.Dialer).DialContext(ctx, "unix", short)
}
