package admin

import (
	"fmt"
	"os"
	"path/filepath"
)

// shortPath gives a path to a Unix socket that is short enough for the system:
// a longer one goes by its directory, opened until done is called.
func shortPath(path string) (short string, done func(), err error) {
	if len(path) <= maxSocketPath {
		return path, func() {}, nil
	}
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, err
	}
	short = fmt.Sprintf("/proc/self/fd/%d/%s", directory.Fd(), filepath.Base(path))
	return short, func() { _ = directory.Close() }, nil
}
