package embedded

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/database/databasetest"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// While the disk fails, deliveries are refused at once and scripts run on; when
// it works again, so does the engine, by itself, and the ends of scripts are
// known.
func TestADiskThatFails(t *testing.T) {
	for name, fail := range map[string]func(*databasetest.Disk){
		"fsync":  func(d *databasetest.Disk) { d.FailSyncs(0) },
		"writes": func(d *databasetest.Disk) { d.FailWrites(0) },
		"later":  func(d *databasetest.Disk) { d.FailWrites(3) },
	} {
		t.Run(name, func(t *testing.T) {
			directory, disk := t.TempDir(), databasetest.NewDisk(t)
			synctest.Test(t, func(t *testing.T) { diskFails(t, directory, disk, fail) })
		})
	}
}

func diskFails(t *testing.T, directory string, disk *databasetest.Disk, fail func(*databasetest.Disk)) {
	b := newBed(t, &hook.Hook{ID: "build"})
	o := b.options(directory)
	o.VFS, o.Concurrent = disk.VFS(), 2
	e := b.open(o)
	ids := []string{b.submit(e, "build", ""), b.submit(e, "build", ""), b.submit(e, "build", "")}
	synctest.Wait()

	fail(disk)
	s, lost := submissionOf("build", "")
	if _, err := e.Submit(t.Context(), s); !errors.Is(err, engine.ErrUnavailable) {
		t.Fatalf("submit while the disk fails: %v", err)
	}
	if status := e.Status(); status.Accepting || !strings.Contains(status.Problem, "cannot be written") {
		t.Errorf("the status is %+v", status)
	}
	if _, _, err := e.Attend(t.Context(), s, engine.Live{}); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("attend while the disk fails: %v", err)
	}
	time.Sleep(20 * time.Second) // the scripts end
	if began := b.attempts(); began != 2 {
		t.Errorf("%d attempts began, want the 2 from before: what frees a place cannot be written", began)
	}
	if failures := disk.Failures(); failures < 2 || failures > 100 {
		t.Errorf("the disk was asked %d times within 20 s", failures)
	}

	disk.Heal()
	time.Sleep(lastRepair)
	if status := e.Status(); !status.Accepting || status.Problem != "" {
		t.Errorf("the disk works, but the status is %+v", status)
	}
	ids = append(ids, b.submit(e, "build", ""))
	ended, err := e.Await(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range ended {
		if r.State != run.Succeeded || len(r.Attempts) != 1 {
			t.Errorf("run %s is %s after %d attempts", r.ID, r.State, len(r.Attempts))
		}
	}
	if r, err := e.Find(t.Context(), lost); err == nil && r.State != run.Succeeded {
		t.Errorf("what was refused and is there all the same is %s", r.State)
	}
	if err := e.Stop(context.Background(), time.Minute); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// A run whose turn comes while its delivery cannot be read waits until it can be.
func TestADeliveryThatCannotBeReadForAMoment(t *testing.T) {
	directory, disk := t.TempDir(), databasetest.NewDisk(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options(directory)
		o.VFS = disk.VFS()
		e := b.open(o)
		if err := e.Pause(t.Context(), "build", "for the test"); err != nil {
			t.Fatal(err)
		}
		s, id := submissionOf("build", "")
		s.Delivery.Body = noise(100 << 10) // more than is kept in memory
		if _, err := e.Submit(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		disk.FailReads(0)
		if err := e.Resume(t.Context(), "build"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if disk.Failures() == 0 || b.attempts() > 0 {
			t.Fatalf("%d reads have failed and %d attempts begun; nothing is shown", disk.Failures(), b.attempts())
		}
		disk.Heal()
		if err := e.Stop(context.Background(), 0); err != nil { // before it is tried again
			t.Fatal(err)
		}
		e = b.open(b.options(directory))
		if r, err := e.Await(t.Context(), id); err != nil || r[0].State != run.Succeeded || b.attempts() != 1 {
			t.Errorf("it is %+v after %d attempts: %v", r, b.attempts(), err)
		}
	})
}

// An engine that cannot write its runs' ends says so when it stops, and they
// run again.
func TestAStopWhileTheDiskFails(t *testing.T) {
	directory, disk := t.TempDir(), databasetest.NewDisk(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: 3}})
		o := b.options(directory)
		o.VFS = disk.VFS()
		e := b.open(o)
		id := b.submit(e, "build", "")
		disk.FailSyncs(0)
		if err := e.Stop(context.Background(), time.Minute); err == nil {
			t.Error("stop tells nothing of an end that is not on disk")
		}
		disk.Heal()
		again := b.open(b.options(directory))
		r, err := again.Await(t.Context(), id)
		if err != nil || r[0].State != run.Succeeded {
			t.Errorf("%v, %v", r, err)
		}
	})
}

func TestAJournalInMemoryIsBounded(t *testing.T) {
	b := newBed(t, &hook.Hook{ID: "build"})
	o := b.options("")
	o.Memory, o.memory, o.Concurrent = true, 8<<20, 0
	e := b.open(o)
	body := noise(100 << 10)
	accepted := 0
	for {
		s, _ := submissionOf("build", "")
		s.Delivery.Body = body
		_, err := e.Submit(t.Context(), s)
		if errors.Is(err, engine.ErrFull) {
			break
		}
		if err != nil {
			t.Fatalf("after %d: %v", accepted, err)
		}
		if accepted++; accepted > 1000 {
			t.Fatal("it never fills")
		}
	}
	if e.Status().Waiting != accepted || !e.Status().Accepting {
		t.Errorf("accepted %d, the status is %+v", accepted, e.Status())
	}
	if _, lost := e.Close(); len(lost) != accepted {
		t.Errorf("%d are lost, told are %d", accepted, len(lost))
	}
}

// History makes room for what comes, the oldest first, and what waits stays.
func TestHistoryMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"}, &hook.Hook{ID: "waits", Queue: hook.Queue{MaxConcurrent: 1}})
		o := b.options("")
		o.Memory, o.memory = true, 8<<20
		e := b.open(o)
		if err := e.Pause(t.Context(), "waits", "for the test"); err != nil {
			t.Fatal(err)
		}
		first := b.submit(e, "waits", "")
		var last string
		for range 300 {
			s, id := submissionOf("build", "")
			s.Delivery.Body = noise(100 << 10)
			if _, err := e.Submit(t.Context(), s); err != nil {
				t.Fatalf("submit: %v", err)
			}
			last = id
			time.Sleep(2 * time.Second)
		}
		listing, err := e.List(t.Context(), engine.Filter{Hook: "build"}, engine.Page{Limit: engine.MaxPage})
		if err != nil || len(listing.Runs) < 20 || len(listing.Runs) > 80 || listing.Runs[0].ID != last {
			t.Errorf("%d of 300 runs of 100 KiB are remembered in 8 MiB: %v", len(listing.Runs), err)
		}
		if r, err := e.Find(t.Context(), first); err != nil || r.State != run.Queued {
			t.Errorf("what waits: %v, %v", r, err)
		}
	})
}
