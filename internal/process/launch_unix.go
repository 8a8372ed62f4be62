//go:build unix

package process

import (
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// launch starts the program of a Spec. It goes to the system directly: os/exec
// and os.StartProcess would cost as much again as a short script's start, for
// generality that is not needed here.
func launch(spec Spec) (born, error) {
	read, write, err := pipe()
	if err != nil {
		return born{}, err
	}
	defer unix.Close(write)
	input, stdin, err := openStdin(spec)
	if err != nil {
		unix.Close(read)
		return born{}, err
	}
	attributes := syscall.SysProcAttr{Setpgid: true}
	// A group of its own, so that a signal reaches the process and its children,
	// and one meant for Pawl (Ctrl-C) does not. It stays in Pawl's session, for
	// webhook's scripts do.
	how := syscall.ProcAttr{
		Dir: spec.Dir, Env: lastOfEach(spec.Env), Sys: &attributes,
		Files: []uintptr{uintptr(stdin.fd), uintptr(write), uintptr(write)},
	}
	args := spec.Args
	if len(args) == 0 {
		args = []string{spec.Path}
	}
	var c *child
	err = patiently(func() (err error) {
		c, err = children.start(func() (*child, error) { return forkExec(spec.Path, args, &how) })
		return err
	})
	stdin.close()
	if err != nil {
		unix.Close(read)
		if input != nil {
			input.Close()
		}
		return born{}, err
	}
	return born{child: c, output: outlet{read}, input: input}, nil
}

// source is what a process reads, until it has it.
type source struct {
	fd     int
	theirs *os.File // closed afterwards; nil: nothing is
}

func (s source) close() {
	if s.theirs != nil {
		s.theirs.Close()
	}
}

// openStdin opens what the process reads, the null device where it is nothing.
func openStdin(spec Spec) (input *os.File, stdin source, err error) {
	input, theirs, err := connectStdin(spec.Stdin)
	switch {
	case err != nil:
		return nil, source{}, err
	case theirs != nil:
		stdin = source{fd: int(theirs.Fd())}
		if input != nil { // else it is the caller's
			stdin.theirs = theirs
		}
		return input, stdin, nil
	}
	fd, err := nothing()
	return nil, source{fd: fd}, err
}

// nothing is the null device, opened once: that it is shared makes no
// difference to those who read it.
var nothing = sync.OnceValues(func() (int, error) {
	return unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
})

// forkExec starts a process, whose end the caller must wait for.
func forkExec(path string, args []string, how *syscall.ProcAttr) (*child, error) {
	withDescriptor(how.Sys)
	pid, err := syscall.ForkExec(path, args, how)
	if err != nil {
		return nil, err
	}
	return &child{pid: pid, alarm: newAlarm(pid, how.Sys)}, nil
}

// readsLate says that a pipe can be read without a goroutine that waits for it.
const readsLate = true

// outlet is our end of an output pipe, until a goroutine reads it.
type outlet struct{ fd int }

// file is the same for who waits; close is then its own.
func (o outlet) file() *os.File { return os.NewFile(uintptr(o.fd), "output") }

func (o outlet) close() { unix.Close(o.fd) }

// readNow reads what is there and never waits: n is 0 at the pipe's end and -1
// when it is empty.
func (o outlet) readNow(buffer []byte) int {
	n, err := unix.Read(o.fd, buffer)
	for err == unix.EINTR {
		n, err = unix.Read(o.fd, buffer)
	}
	return n
}

// status is how a process ended.
type status struct{ syscall.WaitStatus }

func (s status) code() int {
	if s.Exited() {
		return s.ExitStatus()
	}
	return -1
}

// signal names the signal that ended the process, "" when none did.
func (s status) signal() string {
	if !s.Signaled() {
		return ""
	}
	if name := unix.SignalName(s.Signal()); name != "" {
		return name
	}
	return s.Signal().String() // a real-time signal has a number alone
}

// waitFor blocks until a child has ended, and reaps it.
func waitFor(pid int) status {
	var s status
	for {
		if _, err := syscall.Wait4(pid, &s.WaitStatus, 0, nil); err != unix.EINTR {
			return s
		}
	}
}
