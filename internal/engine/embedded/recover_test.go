package embedded

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/database/databasetest"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// left is what a kill -9 leaves of a directory.
func left(t *testing.T, directory string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(directory)); err != nil {
		t.Fatal(err)
	}
	return copied
}

// Whoever stops what is left of scripts is asked before anything starts, with
// the runs that were running and no others.
func TestWhatRanIsStoppedBeforeItRunsAgain(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build", Retry: hook.Retry{Interruptions: 1}}, &hook.Hook{ID: "once"})
		o := b.options(directory)
		o.Concurrent = 3
		e := b.open(o)
		ran := []string{b.submit(e, "build", "main"), b.submit(e, "once", ""), b.submit(e, "build", "")}
		waits := b.submit(e, "build", "main")
		synctest.Wait()
		after := newBed(t)
		after.hooks = b.hooks
		o = after.options(left(t, directory))
		var asked []string
		o.Recover = func(ids []string) {
			asked = ids
			if after.attempts() > 0 {
				t.Error("something began before")
			}
		}
		e = after.open(o)
		slices.Sort(asked)
		slices.Sort(ran)
		if !slices.Equal(asked, ran) {
			t.Errorf("asked about %v, want %v", asked, ran)
		}
		all, err := e.Await(t.Context(), append(ran, waits)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			want := run.Succeeded
			if r.Hook == "once" {
				want = run.Failed
			}
			if r.State != want || r.ID != waits && r.Interruptions != 1 {
				t.Errorf("a run of %s is %s (%s) after %d interruptions", r.Hook, r.State, r.Reason, r.Interruptions)
			}
		}
		if !strings.Contains(after.logged(), "interrupted more often") {
			t.Errorf("the log does not tell of the run that failed: %s", after.logged())
		}
	})
}

// A clock that was set back while Pawl was off makes no run wait for longer
// than it could have.
func TestAClockSetBackMakesNoRunWaitForYears(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build", Retry: hook.Retry{Attempts: 2, Backoff: time.Minute, MaxBackoff: time.Minute}})
		e := b.open(b.options(directory))
		id := b.submit(e, "build", "")
		if err := e.ask(t.Context(), func(t *tx, _ *request) error {
			return t.c.Exec("UPDATE run SET phase = 3, due = ?", time.Now().AddDate(10, 0, 0).UnixNano())
		}); err != nil {
			t.Fatal(err)
		}
		e = b.open(b.options(left(t, directory)))
		began := time.Now()
		if _, err := e.Await(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("it waited for %s", took)
		}
	})
}

func TestAJournalOfANewerPawlIsLeftAlone(t *testing.T) {
	directory := t.TempDir()
	b := newBed(t)
	e := b.open(b.options(directory))
	if err := e.Stop(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), database.Options{Directory: directory, Name: "journal.db", Migrations: newer(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(directory, "journal.db"))
	if _, err := Open(t.Context(), b.options(directory)); !errors.Is(err, database.ErrNewer) {
		t.Errorf("open gives %v", err)
	}
	if after, _ := os.ReadFile(filepath.Join(directory, "journal.db")); !bytes.Equal(before, after) {
		t.Error("the journal was changed")
	}
}

// newer is the migrations with one more.
func newer(t *testing.T) fs.FS {
	t.Helper()
	directory := t.TempDir()
	if err := os.CopyFS(directory, migrations); err != nil {
		t.Fatal(err)
	}
	directory = filepath.Join(directory, "migrations")
	if err := os.WriteFile(filepath.Join(directory, "0002_later.sql"), []byte("CREATE TABLE later (id INTEGER);"), 0o600); err != nil {
		t.Fatal(err)
	}
	return os.DirFS(directory)
}

func TestTheSequenceOutlivesWhatIsForgotten(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		e := b.open(b.options(directory))
		id := b.submit(e, "build", "")
		old, err := e.Await(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := e.Prune(t.Context(), engine.Filter{}); n != 1 || err != nil {
			t.Fatalf("pruned %d: %v", n, err)
		}
		if err := e.Stop(context.Background(), 0); err != nil {
			t.Fatal(err)
		}
		e = b.open(b.options(directory))
		again, err := e.Await(t.Context(), b.submit(e, "build", ""))
		if err != nil || again[0].Sequence <= old[0].Sequence {
			t.Errorf("after %d came %d: %v", old[0].Sequence, again[0].Sequence, err)
		}
	})
}

// What is not written in time because the disk fails runs all the same, and the
// log tells that its history is lost.
func TestWhatWaitsForNoDiskRunsThoughItFails(t *testing.T) {
	directory, disk := t.TempDir(), databasetest.NewDisk(t)
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options(directory)
		o.VFS = disk.VFS()
		e := b.open(o)
		disk.FailSyncs(0)
		s, _ := submissionOf("build", "")
		_, outcome, err := e.Attend(t.Context(), s, engine.Live{})
		if err != nil || outcome.State() != run.Succeeded {
			t.Errorf("%v, %v", outcome, err)
		}
		if !strings.Contains(b.logged(), "history could not be written") {
			t.Errorf("the log: %s", b.logged())
		}
		disk.Heal()
		time.Sleep(lastRepair)
		s, id := submissionOf("build", "")
		if _, _, err := e.Attend(t.Context(), s, engine.Live{}); err != nil {
			t.Fatal(err)
		}
		r, err := e.Find(t.Context(), id)
		if err != nil || r.State != run.Succeeded || len(r.Attempts) != 1 {
			t.Errorf("right after its end the journal says %v, %v", r, err)
		}
	})
}
