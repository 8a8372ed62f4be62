package embedded

import (
	"context"
	"errors"
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

// Of callers who have hung up nothing is held until their runs' turn.
func TestWhoHasHungUpIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options("")
		o.Memory = true
		e := b.open(o)
		if err := e.Pause(t.Context(), "build", "for the test"); err != nil {
			t.Fatal(err)
		}
		waiting := func() (n int) {
			synctest.Wait()
			if err := e.ask(t.Context(), func(t *tx, _ *request) error { n = len(t.loop.lives); return nil }); err != nil {
				t.Error(err)
			}
			return n
		}
		ctx, hangUp := context.WithCancel(t.Context())
		for range 3 {
			go func() {
				s, _ := submissionOf("build", "")
				if _, _, err := e.Attend(ctx, s, engine.Live{Turn: true}); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}()
		}
		if n := waiting(); n != 3 {
			t.Fatalf("%d wait, want 3; nothing is shown", n)
		}
		hangUp()
		if n := waiting(); n != 0 {
			t.Errorf("%d are remembered", n)
		}
		if n := e.Status().Waiting; n != 3 {
			t.Errorf("%d runs wait, want all 3", n)
		}
	})
}
