//go:build unix

package cli

import (
	"io/fs"
	"syscall"
)

// ownedByRoot reports whether a directory is root's, and no one else may write
// to it unless only what is his own (the sticky bit).
func ownedByRoot(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	mode := info.Mode()
	return ok && stat.Uid == 0 && mode.IsDir() && (mode.Perm()&0o022 == 0 || mode&fs.ModeSticky != 0)
}
