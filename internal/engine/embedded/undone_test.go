package embedded

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/database/databasetest"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// The end of an attempt that must be written several times, because the disk
// fails, counts once.
func TestAnEndCountsOnceHoweverOftenItIsWritten(t *testing.T) {
	directory, disk := t.TempDir(), databasetest.NewDisk(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 3, Backoff: time.Second}})
		o := b.options(directory)
		o.VFS = disk.VFS()
		o.Start = func(ctx context.Context, r run.Run, output io.Writer) run.Outcome {
			outcome := b.fails(ctx, r, output)
			if r.Attempt == 1 {
				disk.FailWrites(0) // the commit of its end is the first to fail
			}
			return outcome
		}
		e := b.open(o)
		id := b.submit(e, "build", "")
		time.Sleep(2 * time.Second)
		if e.Status().Accepting {
			t.Fatal("the end was written; nothing is shown")
		}
		disk.Heal()
		time.Sleep(time.Minute)
		r, err := e.Find(t.Context(), id)
		if err != nil || r.State != run.Failed || len(r.Attempts) != 3 {
			t.Errorf("it is %+v after %d attempts, of which it may have 3: %v", r.State, len(r.Attempts), err)
		}
		if err := e.Stop(context.Background(), time.Minute); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
}

// What a stranger sent may make what follows from a run's end panic: the end
// counts, nothing follows, and Pawl goes on.
func TestAPanicInWhatFollowsEndsNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build", OnSuccess: "tell"}, &hook.Hook{ID: "tell"})
		o := b.options("")
		o.Memory = true
		o.Follow = func(*run.Record) (run.Submission, bool) { panic("a text that nobody thought of") }
		e := b.open(o)
		id := b.submit(e, "build", "")
		if r, err := e.Await(t.Context(), id); err != nil || r[0].State != run.Succeeded {
			t.Errorf("it is %v: %v", r, err)
		}
		if !strings.Contains(b.logged(), "a text that nobody thought of") {
			t.Errorf("nothing of it is told:\n%s", b.logged())
		}
	})
}

// What follows from an accepted run is accepted, though there is no room for
// anything else.
func TestWhatFollowsFitsAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build", OnSuccess: "tell"}, &hook.Hook{ID: "tell"})
		b.hooks["tell"].Queue.MaxConcurrent = 1
		o := b.options(t.TempDir())
		var told string
		o.Follow = func(r *run.Record) (run.Submission, bool) {
			if r.Hook != "build" {
				return run.Submission{}, false
			}
			s, id := submissionOf("tell", "")
			told = id
			return s, true
		}
		o.DataMax = 1 << 40
		e := b.open(o)
		b.submit(e, "build", "")
		if err := e.ask(t.Context(), func(t *tx, _ *request) error {
			t.e.options.DataMax, t.most = 1, 1 // as if what waits took all of the room
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		s, _ := submissionOf("build", "")
		if _, err := e.Submit(t.Context(), s); !errors.Is(err, engine.ErrFull) {
			t.Fatalf("there is room: %v; nothing is shown", err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if _, err := e.Find(t.Context(), told); told == "" || err != nil {
			t.Errorf("what follows, %q: %v", told, err)
		}
	})
}

// A cancellation that could not be written is none: the run ends as it ends.
func TestACancellationThatFailsChangesNothing(t *testing.T) {
	directory, disk := t.TempDir(), databasetest.NewDisk(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options(directory)
		o.VFS = disk.VFS()
		e := b.open(o)
		id := b.submit(e, "build", "")
		synctest.Wait()
		disk.FailWrites(0)
		if done, err := e.Cancel(t.Context(), id); len(done) > 0 || !errors.Is(err, engine.ErrUnavailable) {
			t.Fatalf("cancelled %v, %v; nothing is shown", done, err)
		}
		disk.Heal()
		if r, err := e.Await(t.Context(), id); err != nil || r[0].State != run.Succeeded {
			t.Errorf("it is %s (%s): %v", r[0].State, r[0].Reason, err)
		}
	})
}
