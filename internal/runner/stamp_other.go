//go:build !unix

package runner

import (
	"os"
	"path/filepath"
)

// stamp proves nothing here: slots are looked into after each run.
type stamp struct{ ok bool }

func (stamp) proves(stamp) bool { return false }

// view looks at a slot's directories.
type view struct{ path string }

func (v *view) reopen(path string) { v.path = path }

func (v *view) close() {}

// take notes how the slot is now.
func (v *view) take() stamp {
	info, err := os.Lstat(filepath.Join(v.path, "artifacts"))
	return stamp{err == nil && info.IsDir()}
}
