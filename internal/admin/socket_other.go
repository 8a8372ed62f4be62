//go:build !linux

package admin

import "fmt"

// shortPath gives the path to a Unix socket, if the system can take it.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) > maxSocketPath {
		return "", nil, fmt.Errorf("the path of a Unix socket may have %d bytes here, and this one has %d: choose a shorter -data-dir", maxSocketPath, len(path))
	}
	return path, func() {}, nil
}
