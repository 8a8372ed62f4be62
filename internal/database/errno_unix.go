//go:build unix

package database

import "syscall"

// isNoSpace reports whether an error number means that there is no room.
func isNoSpace(errno int32) bool {
	return syscall.Errno(errno) == syscall.ENOSPC || syscall.Errno(errno) == syscall.EDQUOT
}

func errnoText(errno int32) string { return syscall.Errno(errno).Error() }
