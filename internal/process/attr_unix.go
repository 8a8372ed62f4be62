//go:build unix

package process

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// isBusy reports that a program could not start because its file is open for
// writing somewhere.
func isBusy(err error) bool { return errors.Is(err, unix.ETXTBSY) }

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
