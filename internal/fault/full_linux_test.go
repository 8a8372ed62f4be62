//go:build e2e

package fault

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/run"
)

const fullReserve = 4 << 20

// TestAFullDiskLosesNothing: with no byte free deliveries are accepted until the
// reserve is used up, no sooner refused, and all is well by itself when there is
// room again. Senders are Quay's, which must not become silent.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	for name, mount := range disks {
		for _, by := range []string{"another program", "a script of Pawl's"} {
			t.Run(name+" filled by "+by, func(t *testing.T) {
				t.Parallel()
				disk := t.TempDir()
				mount(t, disk)
				f := newFull(t, disk)
				f.begin()
				if by == "another program" {
					f.fillFromOutside()
				} else {
					f.fillFromInside()
				}
				f.untilRefused()
				f.makeRoom()
				f.check()
			})
		}
	}
}

// full is one such story.
type full struct {
	*pawl
	disk, filler string
	endFill      func() // ends the filler outside
	senders      *quays
	ctx          context.Context
	enough       func()
	going        reply
	before       int // deliveries that were accepted when the disk became full
}

func newFull(t *testing.T, disk string) *full {
	f := &full{disk: disk, filler: filepath.Join(disk, "filler"), endFill: func() {}}
	f.pawl = newPawl(t, filepath.Join(disk, "state"), diskHooks, "-journal-reserve", strconv.Itoa(fullReserve))
	f.ctx, f.enough = context.WithCancel(t.Context())
	t.Cleanup(f.enough)
	return f
}

// begin starts Pawl, one script that goes on and one that others wait behind, and
// the senders.
func (f *full) begin() {
	f.t.Helper()
	f.env = append(f.env, "FILLER="+f.filler)
	f.start()
	f.await("the reserve is filled", func() bool {
		ready, err := f.ready()
		return err == nil && ready.Journal.ReserveFilled && ready.Problem == ""
	})
	f.going = f.mustPost("going", "", 1, "tick")
	f.mustPost("line", "", 0, "wait")
	f.senders = &quays{p: f.pawl, hooks: []string{"line", "line", "line", "quick"}, body: 3000, paused: 2 * time.Millisecond}
	f.senders.begin(f.ctx, 4, chance(f.t))
}

func (f *full) fillFromOutside() {
	f.t.Helper()
	isFull, end := fill(f.t, f.filler)
	f.endFill = end
	<-isFull
	f.before, _, _ = f.senders.tally()
}

func (f *full) fillFromInside() {
	f.t.Helper()
	f.mustPost("filler", "", 1, "fill")
	f.await("the script has filled the disk", func() bool { return f.ledger().count("full", "filler") == 1 })
	f.before, _, _ = f.senders.tally()
}

// untilRefused waits until the reserve is used up, and looks at what is said
// before and after.
func (f *full) untilRefused() {
	t := f.t
	t.Helper()
	warned := false
	f.await("a delivery is refused", func() bool {
		accepted, refused, failed := f.senders.tally()
		if ready, err := f.ready(); err == nil && ready.Ready && refused == 0 {
			warned = warned || strings.Contains(ready.Problem, "the disk is nearly full")
		}
		return refused+failed > 0 || accepted > 200_000
	})
	accepted, _, _ := f.senders.tally()
	ready := f.untilTold()
	t.Logf("%d deliveries of %d bytes accepted on a full disk, %d before; then %+v", accepted-f.before, f.senders.body, f.before, ready)
	if !warned {
		t.Error("readyz did not say that the disk becomes full while deliveries were accepted")
	}
	if most := int64(fullReserve / 2); ready.Journal.Reserve > most {
		t.Errorf("refused with %d bytes of the reserve left", ready.Journal.Reserve)
	}
	if least := fullReserve / 2 / f.senders.body; accepted-f.before < least {
		t.Errorf("refused after %d deliveries on a full disk, want %d at least", accepted-f.before, least)
	}
	f.senders.mu.Lock()
	for _, r := range f.senders.refused {
		if r.status != 503 || r.after == "" {
			t.Errorf("refused with %d, Retry-After %q: %s", r.status, r.after, r.text)
		}
	}
	f.senders.mu.Unlock()
	if ready.Ready || !strings.Contains(ready.Problem, "disk is full") || !strings.Contains(ready.Problem, "make room") {
		t.Errorf("readyz does not say what is wrong: %+v", ready)
	}
	ticks := f.ledger().count("tick", "going")
	f.await("the script that runs goes on", func() bool { return f.ledger().count("tick", "going") > ticks+3 })
}

// untilTold delivers until readyz says that nothing is accepted. History that is
// forgotten may have made a little room again since the first refusal.
func (f *full) untilTold() (ready admin.Readiness) {
	f.t.Helper()
	random, number := chance(f.t), 0
	f.await("readyz says that nothing is accepted", func() bool {
		number++
		r, err := f.post(f.ctx, "line", "told", number, "", noise(random, f.senders.body))
		if err == nil && r.accepted() {
			f.senders.mu.Lock()
			f.senders.answered = append(f.senders.answered, answered{"line", number, r})
			f.senders.mu.Unlock()
		}
		ready, err = f.ready()
		return err == nil && !ready.Ready
	})
	return ready
}

// makeRoom frees the disk, and expects all senders to be heard again.
func (f *full) makeRoom() {
	f.t.Helper()
	before, _, _ := f.senders.tally()
	f.endFill()
	check(f.t, os.Remove(f.filler))
	f.raise("go") // a script of Pawl's that fills the disk holds the file until it ends
	f.await("deliveries are accepted again", func() bool {
		ready, err := f.ready()
		accepted, _, _ := f.senders.tally()
		return err == nil && ready.Ready && accepted > before+50
	})
	f.enough()
	f.senders.settle()
	f.await("the reserve is filled again, and nothing is wrong any more", func() bool {
		ready, err := f.ready()
		return err == nil && ready.Journal.ReserveFilled && ready.Problem == ""
	})
}

// check looks whether all that was accepted ran, in order.
func (f *full) check() {
	t := f.t
	t.Helper()
	f.await("all that waited has run", f.idle)
	book, runs := f.ledger(), f.runs()
	for _, complaint := range book.complaints() {
		t.Error(complaint)
	}
	ends := book.of("end")
	missing := 0
	for _, a := range f.senders.answered {
		if ends[a.run] == 1 {
			continue
		}
		if missing++; missing <= 5 {
			t.Errorf("delivery %d to %s was accepted, and its script ended %d times: %s %s", a.number, a.hook, ends[a.run], runs[a.run].State, runs[a.run].Reason)
		}
	}
	if missing > 5 {
		t.Errorf("and %d more of %d", missing-5, len(f.senders.answered))
	}
	if r := runs[f.going.run]; r.State != run.Succeeded || ends[f.going.run] != 1 {
		t.Errorf("the script that ran all the time: %s, %s", r.State, r.Reason)
	}
	if n := book.count("end", "line") + book.count("end", "quick"); n != len(f.senders.answered)+1 {
		t.Errorf("%d runs ended for %d deliveries", n, len(f.senders.answered)+1)
	}
	f.stop()
}

// TestPawlStartsOnAFullDisk: killed or stopped when no byte is free it starts
// again within its reserve, accepts, serves its operator, and runs what waited.
func TestPawlStartsOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, mount := range disks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := t.TempDir()
			mount(t, disk)
			startOnFull(t, disk)
		})
	}
}

func startOnFull(t *testing.T, disk string) {
	p := newPawl(t, filepath.Join(disk, "state"), diskHooks, "-journal-reserve", strconv.Itoa(fullReserve), "-shutdown-grace", "1s")
	p.start()
	p.await("the reserve is filled", func() bool {
		ready, err := p.ready()
		return err == nil && ready.Journal.ReserveFilled
	})
	p.mustPost("quick", "k", 1, "wait")
	full, end := fill(t, filepath.Join(disk, "filler"))
	<-full
	for number := 2; number < 10; number++ {
		p.mustPost("quick", "k", number, "")
	}
	for number := 10; number < 16; number++ {
		if number%2 == 0 {
			p.kill()
		} else {
			p.stop()
		}
		p.start()
		if p.ended() {
			t.Fatal("it does not start")
		}
		socket, err := os.Lstat(filepath.Join(p.data, admin.SocketName))
		if err != nil || socket.Mode() != fs.ModeSocket|0o600 {
			t.Fatalf("the operator's socket: %v, %v", socket, err)
		}
		p.mustPost("quick", "k", number, "")
	}
	p.raise("go")
	p.await("all have run, the disk still full", p.idle)
	end()
	// The first was interrupted more often than it may be.
	if book := p.ledger(); len(book.of("end")) != 14 || len(book.complaints()) > 0 {
		t.Errorf("%d of 14 runs have ended; %v", len(book.of("end")), book.complaints())
	}
	p.stop()
}
