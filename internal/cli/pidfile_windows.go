package cli

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// otherProcess reports whether pid is that of a living process that is not this
// one.
func otherProcess(pid int) (bool, error) {
	if pid == os.Getpid() {
		return false, nil
	}
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) { // no such process
		return false, nil
	}
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) { // it lives, and is another user's
		return true, nil
	}
	if err != nil {
		return false, err
	}
	defer windows.CloseHandle(process)
	state, err := windows.WaitForSingleObject(process, 0) // signalled once it has ended
	return state == uint32(windows.WAIT_TIMEOUT), err
}
