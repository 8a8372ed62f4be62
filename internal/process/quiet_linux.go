package process

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Quiet keeps the ends of scripts from interrupting Pawl's own work: without it
// the system sends SIGCHLD at each, which the runtime catches and drops. That
// costs as much as several system calls. Nothing else in Pawl may wait for that
// signal, so StartReaper, which does, and Quiet exclude each other. Where it
// cannot be done nothing is lost.
func Quiet() {
	// All zero is the default action (SIG_DFL), on every architecture; for this
	// signal it is that none is sent. The ends stay there to be waited for.
	var none [64]byte
	const maskSize = 8
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGCHLD), uintptr(unsafe.Pointer(&none)), 0, maskSize, 0, 0)
}
