package process

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// withDescriptor asks for a descriptor of the process that will be started.
func withDescriptor(attributes *syscall.SysProcAttr) {
	none := -1
	attributes.PidFD = &none
}

// newAlarm waits by the process's descriptor, which the runtime polls together
// with all other descriptors. Linux before 5.3 has none that can be polled.
func newAlarm(pid int, attributes *syscall.SysProcAttr) alarm {
	if fd := *attributes.PidFD; fd >= 0 {
		_, _ = unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_NONBLOCK)
		file := os.NewFile(uintptr(fd), "process")
		if raw, err := file.SyscallConn(); err == nil && file.SetReadDeadline(time.Time{}) == nil {
			return &polling{pid: pid, file: file, raw: raw}
		}
		file.Close()
	}
	return startReaping(func() status { return waitFor(pid) })
}

// polling is the alarm that takes neither a thread nor a goroutine.
type polling struct {
	pid   int
	file  *os.File
	raw   syscall.RawConn
	woken atomic.Bool
	limit bool // a deadline may be set

	status status
	reaped bool
}

func (p *polling) wait(until time.Time) {
	if p.limit || !until.IsZero() {
		_ = p.file.SetReadDeadline(until)
		p.limit = !until.IsZero()
	}
	// In this order: wake says so before it moves the deadline.
	if p.woken.Swap(false) {
		p.limit = true
		return
	}
	err := p.raw.Read(func(uintptr) bool {
		// To be asked is no proof that it has ended, and the news of that may
		// have come before we listened.
		_, ended := p.reap()
		return ended
	})
	p.limit = p.limit || err != nil
}

func (p *polling) wake() {
	p.woken.Store(true)
	_ = p.file.SetReadDeadline(time.Unix(1, 0))
}

func (p *polling) reap() (status, bool) {
	for !p.reaped {
		pid, err := syscall.Wait4(p.pid, &p.status.WaitStatus, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		p.reaped = err != nil || pid == p.pid
		break
	}
	return p.status, p.reaped
}

func (p *polling) close() { p.file.Close() }

// pipe makes a pipe that no process inherits. What we read is never waited for
// by a thread.
func pipe() (read, write int, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, err
	}
	_, _ = unix.FcntlInt(uintptr(ends[0]), unix.F_SETFL, unix.O_NONBLOCK)
	return ends[0], ends[1], nil
}
