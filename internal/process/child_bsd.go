//go:build unix && !linux

package process

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func withDescriptor(*syscall.SysProcAttr) {}

func newAlarm(pid int, _ *syscall.SysProcAttr) alarm {
	return startReaping(func() status { return waitFor(pid) })
}

// pipe makes a pipe that no process inherits. What we read is never waited for
// by a thread. Not every one of these systems can say so at once.
func pipe() (read, write int, err error) {
	var ends [2]int
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := syscall.Pipe(ends[:]); err != nil {
		return -1, -1, err
	}
	unix.CloseOnExec(ends[0])
	unix.CloseOnExec(ends[1])
	_ = unix.SetNonblock(ends[0], true)
	return ends[0], ends[1], nil
}
