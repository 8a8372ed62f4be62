package embedded

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
)

func TestADiskThatHangsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, &hook.Hook{ID: "build"})
		o := b.options("")
		o.Memory = true
		e := b.open(o)
		answers := make(chan struct{})
		asked := make(chan error, 1)
		go func() { asked <- e.ask(t.Context(), func(*tx, *request) error { <-answers; return nil }) }()
		time.Sleep(hangAfter - time.Second)
		if status := e.Status(); !status.Accepting {
			t.Errorf("it is told too early: %s", status.Problem)
		}
		time.Sleep(2 * time.Second)
		if status := e.Status(); status.Accepting || !strings.Contains(status.Problem, "the disk does not answer") {
			t.Errorf("it accepts: %v, and says %q", status.Accepting, status.Problem)
		}
		s, _ := submissionOf("build", "")
		if _, err := e.Submit(t.Context(), s); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("a submission gets %v, want to be refused at once", err)
		}
		close(answers)
		if err := <-asked; err != nil {
			t.Error(err)
		}
		if _, err := e.Submit(t.Context(), s); err != nil {
			t.Errorf("after it answered: %v", err)
		}
	})
}
