package process

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// StartReaper reaps orphans: processes that scripts left behind and that became
// ours because we are process 1 of a container. It never takes the end of a
// process that Start started. With subreaper, orphans of our own descendants
// come to us even when we are not process 1; without it, it does nothing then.
//
// It runs until the context is cancelled or stop is called, which waits for it
// and may be called again.
func StartReaper(ctx context.Context, subreaper bool) (stop func(), err error) {
	if !subreaper && os.Getpid() != 1 {
		return func() {}, nil
	}
	if subreaper {
		if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
			return nil, fmt.Errorf("become the parent of orphans: %w", err)
		}
	}
	// The first use makes os try process descriptors out, with a child of its
	// own that must not be taken from it.
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Release()
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan os.Signal, 1) // one is enough: a pass takes all that ended
	signal.Notify(ended, unix.SIGCHLD)
	var running sync.WaitGroup
	running.Go(func() {
		defer signal.Stop(ended)
		for {
			reapOrphans(children) // first for those that ended before the signal was ours
			select {
			case <-ended:
			case <-ctx.Done():
				reapOrphans(children)
				return
			}
		}
	})
	return func() { cancel(); running.Wait() }, nil
}

// reapOrphans takes the ends of all ended children that are not in the table.
func reapOrphans(ours *childTable) {
	ours.starting.Lock()
	defer ours.starting.Unlock()
	for {
		pid := endedChild()
		switch {
		case pid == 0:
			return
		case ours.has(pid):
			// The kernel shows us this one until its Wait has taken it, and hides
			// the others behind it: look for them by hand.
			reapListed(ours)
			return
		}
		reap(pid)
	}
}

// endedChild returns the id of some child that has ended, and leaves it for
// whoever waits for it. It is 0 when there is none.
func endedChild() int {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return 0 // ECHILD: no children at all
		}
		return siginfoPID(&info)
	}
}

// siginfoPID reads si_pid, which x/sys does not name: the first field of the
// union, which follows three ints and is aligned as a pointer.
func siginfoPID(info *unix.Siginfo) int {
	const pointer = int(unsafe.Sizeof(uintptr(0)))
	const at = (3*4 + pointer - 1) / pointer * pointer
	raw := (*[unsafe.Sizeof(*info)]byte)(unsafe.Pointer(info))
	return int(int32(binary.NativeEndian.Uint32(raw[at:])))
}

func reapListed(ours *childTable) {
	self := os.Getpid()
	for _, entry := range readProcesses() {
		if entry.zombie && entry.parent == self && !ours.has(entry.pid) {
			reap(entry.pid)
		}
	}
}

func reap(pid int) {
	for {
		_, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
		if err != unix.EINTR {
			return
		}
	}
}
