//go:build !unix

package runner

import (
	"os"
	"path/filepath"
)

// stamp proves nothing here: slots are looked into after each run.
type stamp struct{ ok bool }

func takeStamp(path string) stamp {
	info, err := os.Lstat(filepath.Join(path, "artifacts"))
	return stamp{err == nil && info.IsDir()}
}

func (stamp) proves(stamp) bool { return false }
