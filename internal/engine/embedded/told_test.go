package embedded

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

func TestHeldRunsAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		build := &hook.Hook{ID: "build", Queue: hook.Queue{MaxConcurrent: 1}}
		b := newBed(t, build)
		o := b.options("")
		o.Memory = true
		e := b.open(o)
		b.submit(e, "build", "")
		b.submit(e, "build", "")
		delete(b.hooks, "build")
		e.Reload()
		synctest.Wait()
		if log := b.logged(); !strings.Contains(log, "runs are held") {
			t.Errorf("the log says nothing of them:\n%s", log)
		}
		b.hooks["build"] = build
		e.Reload()
		synctest.Wait()
		if log := b.logged(); !strings.Contains(log, "their hook is back") {
			t.Errorf("the log does not say that they wait again:\n%s", log)
		}
	})
}

func TestARunIsAcceptedBeforeItBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options("")
		o.Memory = true
		o.Start = func(context.Context, run.Run, io.Writer) run.Outcome {
			began := time.Now()
			time.Sleep(lazily / 4) // it ends before anything is written
			return run.Outcome{End: run.Exited, Started: began, Ended: time.Now()}
		}
		e := b.open(o)
		s, _ := submissionOf("build", "")
		if _, _, err := e.Attend(t.Context(), s, engine.Live{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * lazily)
		found, err := e.Find(t.Context(), s.Parts[0].Runs[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if found.Accepted.After(found.Started) || found.Started.After(found.Ended) {
			t.Errorf("accepted %s, started %s, ended %s", found.Accepted, found.Started, found.Ended)
		}
	})
}
