package database

import (
	"golang.org/x/sys/windows"
)

// isNoSpace reports whether an error number means that there is no room.
func isNoSpace(errno int32) bool {
	return windows.Errno(errno) == windows.ERROR_DISK_FULL || windows.Errno(errno) == windows.ERROR_HANDLE_DISK_FULL
}

func errnoText(errno int32) string { return windows.Errno(errno).Error() }
