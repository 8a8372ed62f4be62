//go:build unix

package runner

import (
	"path/filepath"
	"syscall"
	"testing"
)

// special makes what only these systems have, none of which is to be shown: a
// pipe that nobody writes to.
func special(t *testing.T, directory string) (shown []string) {
	t.Helper()
	if err := syscall.Mkfifo(filepath.Join(directory, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	return nil
}
