//go:build unix

package cli

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// otherProcess reports whether pid is that of a living process that is not this
// one.
func otherProcess(pid int) (bool, error) {
	if pid == os.Getpid() {
		return false, nil
	}
	err := syscall.Kill(pid, 0) // sends nothing
	if errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	if err != nil && !errors.Is(err, syscall.EPERM) { // EPERM: it lives, and is another user's
		return false, err
	}
	// Linux answers for threads too, and the number of an earlier Pawl in this
	// container may be that of a thread of this one.
	_, thread := os.Stat(fmt.Sprintf("/proc/self/task/%d", pid))
	return thread != nil, nil
}
