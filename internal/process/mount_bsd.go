//go:build unix && !linux

package process

import "golang.org/x/sys/unix"

// mountedNoExec reports whether path lies on a file system from which nothing
// may be executed.
func mountedNoExec(path string) bool {
	var info unix.Statfs_t
	return unix.Statfs(path, &info) == nil && uint64(info.Flags)&unix.MNT_NOEXEC != 0
}
