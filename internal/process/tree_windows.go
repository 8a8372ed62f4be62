package process

import (
	"errors"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// tree is a job object, which holds a process and everything that it starts. A
// child started in the moment between the start and the assignment would be
// missing from it.
type tree struct {
	pid int

	mu  sync.Mutex
	job windows.Handle // 0 when the system gave none
}

func newTree(pid int, _ string) *tree {
	t := &tree{pid: pid}
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return t
	}
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		_ = windows.CloseHandle(job)
		return t
	}
	defer windows.CloseHandle(process)
	if windows.AssignProcessToJobObject(job, process) != nil {
		_ = windows.CloseHandle(job)
		return t
	}
	t.job = job
	return t
}

func (t *tree) reaped() {}

// close lets go of the job. What still runs in it goes on.
func (t *tree) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		_ = windows.CloseHandle(t.job)
		t.job = 0
	}
}

// terminate sends CTRL_BREAK to the group, the nearest to SIGTERM there is. It
// reaches console programs that share Pawl's console; others get the kill.
func (t *tree) terminate() {
	_ = windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(t.pid))
}

func (t *tree) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job != 0 {
		_ = windows.TerminateJobObject(t.job, 1)
		return
	}
	if process, err := os.FindProcess(t.pid); err == nil {
		_ = process.Kill()
	}
}

// basicAccounting is JOBOBJECT_BASIC_ACCOUNTING_INFORMATION.
type basicAccounting struct {
	times     [4]int64
	faults    uint32
	total     uint32
	active    uint32
	terminate uint32
}

// alive reports whether any process of the job still runs.
func (t *tree) alive() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.job == 0 {
		return false
	}
	const basicAccountingClass = 1 // JobObjectBasicAccountingInformation
	var info basicAccounting
	err := windows.QueryInformationJobObject(t.job, basicAccountingClass,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)), nil)
	return err == nil && info.active > 0
}

func (t *tree) groupThere() bool { return t.alive() }
func (t *tree) groupAlive() bool { return t.alive() }

// isBusy reports that a program could not start because its file is open for
// writing somewhere.
func isBusy(err error) bool { return errors.Is(err, windows.ERROR_SHARING_VIOLATION) }

// readWaiting is never called: pipes know no deadline here.
func readWaiting(*os.File, []byte) int { return -1 }
