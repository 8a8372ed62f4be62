//go:build e2e

package fault

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pawlhq/pawl/internal/run"
)

// failing is a disk whose owner can have it fail and work again.
type failing struct {
	t      *testing.T
	device string
}

// newFailing mounts a disk that fails. Its file system keeps no journal of its
// own: with one it would be read-only for good after the first failure.
func newFailing(t *testing.T, dir string) failing {
	t.Helper()
	file := image(t, "-O", "^has_journal")
	mountImage(t, file, dir)
	device, err := exec.Command("losetup", "-j", file, "-n", "-O", "NAME").Output()
	check(t, err)
	f := failing{t, strings.TrimSpace(string(device))}
	t.Cleanup(func() { f.fail(0) }) // or it could not be unmounted
	return f
}

// fail has everything beyond the first so many bytes of the disk fail; 0:
// nothing.
func (f failing) fail(from uint64) {
	f.t.Helper()
	device, err := os.OpenFile(f.device, os.O_RDWR, 0)
	check(f.t, err)
	defer func() { _ = device.Close() }()
	status, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	check(f.t, err)
	status.Sizelimit = from
	check(f.t, unix.IoctlLoopSetStatus64(int(device.Fd()), status))
}

// TestAFailingDiskIsToldAtOnceAndRecoveredFrom: deliveries are refused while
// nothing can be written, running scripts go on, and what was answered before is
// there when the disk works again.
func TestAFailingDiskIsToldAtOnceAndRecoveredFrom(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disk := newFailing(t, dir)
	p := newPawl(t, filepath.Join(dir, "state"), diskHooks)
	p.start()
	going := p.mustPost("going", "", 1, "tick")
	senders := &quays{p: p, hooks: []string{"quick"}, body: 300, paused: 5 * time.Millisecond}
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	senders.begin(ctx, 4, chance(t))
	p.await("deliveries are accepted", func() bool { n, _, _ := senders.tally(); return n > 100 })

	disk.fail(4 << 20) // without the maps of free blocks the system tries again for ever
	p.await("deliveries are refused", func() bool { _, refused, failed := senders.tally(); return refused+failed >= 4 })
	ready, err := p.ready()
	check(t, err)
	if ready.Ready || !strings.Contains(ready.Problem, "the journal cannot be written") || !strings.Contains(ready.Problem, "failed") {
		t.Errorf("readyz does not say what is wrong: %+v", ready)
	}
	t.Logf("readyz: %s", ready.Problem)
	began := time.Now()
	r, err := p.post(ctx, "quick", "own", 1, "", "")
	if err != nil || r.status != 503 || r.after == "" || time.Since(began) > quayTimeout {
		t.Errorf("answered after %v: %+v, %v", time.Since(began), r, err)
	}
	ticks := p.ledger().count("tick", "going")
	p.await("the script that runs goes on", func() bool { return p.ledger().count("tick", "going") > ticks+3 })

	disk.fail(0)
	before, _, _ := senders.tally()
	p.await("deliveries are accepted again", func() bool { n, _, _ := senders.tally(); return n > before+100 })
	enough()
	senders.settle()
	p.raise("go")
	p.await("all that waited has run", p.idle)
	book, runs := p.ledger(), p.runs()
	for _, complaint := range book.complaints() {
		t.Error(complaint)
	}
	for _, a := range senders.answered {
		if n := book.of("end")[a.run]; n != 1 || runs[a.run].State != run.Succeeded {
			t.Errorf("delivery %d was accepted, its script ended %d times, and it is %s: %s", a.number, n, runs[a.run].State, runs[a.run].Reason)
		}
	}
	if r := runs[going.run]; r.State != run.Succeeded {
		t.Errorf("the script that ran all the time: %s, %s", r.State, r.Reason)
	}
	if ready, err := p.ready(); err != nil || ready.Problem != "" {
		t.Errorf("in the end readyz says %+v, %v", ready, err)
	}
	p.stop()
}

// TestADiskThatTurnsReadOnly: as ext4 makes itself when it finds an error. No
// file system can be made writable again below an open file, so Pawl starts anew
// for it.
func TestADiskThatTurnsReadOnly(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), image(t)
	mountImage(t, file, dir)
	p := newPawl(t, filepath.Join(dir, "state"), diskHooks)
	p.start()
	p.mustPost("line", "", 0, "wait")
	var sent []answered
	for number := range 20 {
		sent = append(sent, answered{"line", number + 1, p.mustPost("line", "", number+1, "")})
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT, "abort"); err != nil {
		unable(t, "have a file system fail: %v", err)
	}
	for number := 100; number < 105; number++ {
		began := time.Now()
		r, err := p.post(t.Context(), "line", "", number, "", "")
		if err != nil || r.status != 503 || r.after == "" || time.Since(began) > quayTimeout {
			t.Errorf("answered after %v: %+v, %v", time.Since(began), r, err)
		}
	}
	ready, err := p.ready()
	if err != nil || ready.Ready || !strings.Contains(ready.Problem, "the journal cannot be written") {
		t.Errorf("readyz does not say what is wrong: %+v, %v", ready, err)
	}
	t.Logf("readyz: %s", ready.Problem)
	p.kill()
	check(t, unix.Unmount(dir, 0))
	tool(t, "mount", "-o", "loop", file, dir)
	p.raise("go")
	p.start()
	p.await("all that waited has run", p.idle)
	ends := p.ledger().of("end")
	for _, a := range sent {
		if ends[a.run] != 1 {
			t.Errorf("delivery %d was accepted, and its script ended %d times", a.number, ends[a.run])
		}
	}
	p.stop()
}
