//go:build unix

package lint

import (
	"io/fs"
	"syscall"
)

// writers says who besides its owner may write to a file, and what chmod takes
// that away; "" where nobody may. A group that is the owner's own (the same id,
// as Linux distributions give every user one) or root's is nobody.
func writers(info fs.FileInfo) (who, change string) {
	mode := info.Mode().Perm()
	switch {
	case mode&0o002 != 0:
		return "anyone on this machine", "o-w"
	case mode&0o020 == 0:
		return "", ""
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !ok || owner.Gid == 0 || owner.Gid == owner.Uid {
		return "", ""
	}
	return "its group", "g-w"
}

// readable says who besides owner and group may read a file.
func readable(info fs.FileInfo) string {
	if info.Mode().Perm()&0o004 != 0 {
		return "anyone on this machine"
	}
	return ""
}
