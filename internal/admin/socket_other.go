//go:build !linux

package admin

import (
	"fmt"
	"os"
	"syscall"
)

// shortPath gives the path to a Unix socket, if the system can take it.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) > maxSocketPath {
		return "", nil, fmt.Errorf("the path of a Unix socket may have %d bytes here, and this one has %d: choose a shorter -data-dir", maxSocketPath, len(path))
	}
	return path, func() {}, nil
}

// privately refuses to make a socket in a directory that others may enter: they
// could open it before it has its mode.
func privately(directory string) func(network, address string, socket syscall.RawConn) error {
	return func(string, string, syscall.RawConn) error {
		info, err := os.Stat(directory)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			err = fmt.Errorf("the disk is full, and %s is not its user's alone (chmod 700)", directory)
		}
		return err
	}
}
