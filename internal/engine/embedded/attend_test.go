package embedded

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// A paused hook starts nothing, not even for those who take no turn.
func TestAPausedHookKeepsItsCallersWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options("")
		o.Memory = true
		e := b.open(o)
		if err := e.Pause(t.Context(), "build", "for the test"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan run.Outcome, 1)
		go func() {
			s, _ := submissionOf("build", "")
			_, outcome, err := e.Attend(t.Context(), s, engine.Live{})
			if err != nil {
				t.Error(err)
			}
			ended <- outcome
		}()
		time.Sleep(time.Hour)
		if n := b.attempts(); n != 0 {
			t.Errorf("%d attempts began while it was paused", n)
		}
		if err := e.Resume(t.Context(), "build"); err != nil {
			t.Fatal(err)
		}
		if outcome := <-ended; outcome.State() != run.Succeeded {
			t.Errorf("the outcome is %v", outcome)
		}
	})
}
