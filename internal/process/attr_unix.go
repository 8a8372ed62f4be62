//go:build unix

package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownTree makes the new process the leader of a group of its own, so that a
// signal reaches it and its children, and one meant for Pawl (Ctrl-C) does not.
// It stays in Pawl's session: webhook's scripts do.
func ownTree() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// isBusy reports that a program could not start because its file is open for
// writing somewhere.
func isBusy(err error) bool { return errors.Is(err, unix.ETXTBSY) }

// signalName names the signal that ended a process, "" when none did.
func signalName(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return ""
	}
	if name := unix.SignalName(status.Signal()); name != "" {
		return name
	}
	return status.Signal().String() // a real-time signal has a number alone
}

// readWaiting reads what is in the pipe now and never waits: n is 0 at the
// pipe's end and -1 when it is empty.
func readWaiting(pipe *os.File, buffer []byte) int {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return -1
	}
	n := -1
	_ = raw.Read(func(fd uintptr) bool {
		n, err = unix.Read(int(fd), buffer)
		for err == unix.EINTR {
			n, err = unix.Read(int(fd), buffer)
		}
		return true
	})
	return n
}
