package runner

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

// A second Runner on the same directory is Pawl after a crash: what the first
// one's scripts do is left over to it.
func TestScriptsFromBeforeACrashAreStopped(t *testing.T) {
	before := newScene(t, "grow", nil)
	mine, other := attempt("h"), attempt("h")
	ended := map[string]chan run.Outcome{}
	for _, r := range []run.Run{mine, other} {
		growing := make(signal)
		ended[r.ID] = make(chan run.Outcome, 1)
		go func() { ended[r.ID] <- before.Run(t.Context(), r, growing) }()
		<-growing
	}
	after := newScene(t, "tell", nil)
	after.Runner = New(Options{Hook: after.options.Hook, Environment: after.options.Environment, Directory: before.directory})
	after.directory = before.directory
	if first := after.slots.firstOf(func(string) bool { return true }); len(first) != 2 {
		t.Errorf("%d processes are known, of two runs that go on", len(first))
	}
	if err := after.StopLeftovers(t.Context(), []string{mine.ID, attempt("h").ID}); err != nil {
		t.Error(err)
	}
	if outcome := <-ended[mine.ID]; outcome.End != run.Signalled || outcome.Signal != "SIGTERM" {
		t.Errorf("it ended as %s %s", outcome.End, outcome.Signal)
	}
	if before.find(other.ID) == nil {
		t.Error("a run that was not named was stopped")
	}
	if len(after.slots.reserved) != 1 {
		t.Errorf("%d slots are reserved, of one run that goes on", len(after.slots.reserved))
	}
	// What it had left by then is its own, and nobody else's.
	if outcome := after.Run(t.Context(), attempt("h"), nil); outcome.State() != run.Succeeded {
		t.Error(outcome.Reason)
	}
	if kept := after.Kept(); !slices.Contains(kept, mine.ID) {
		t.Errorf("files are kept of %v, and not of %s", kept, mine.ID)
	}
	before.Kill()
	<-ended[other.ID]
	if err := after.StopLeftovers(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestRunsOfWhichSomethingIsKept(t *testing.T) {
	s := newScene(t, "leave", nil)
	if kept := s.Kept(); kept != nil {
		t.Errorf("at first of %v", kept)
	}
	r := attempt("h")
	s.Run(t.Context(), r, nil)
	if err := os.Mkdir(filepath.Join(s.directory, "else"), 0o700); err != nil {
		t.Fatal(err)
	}
	if kept := s.Kept(); !slices.Equal(kept, []string{r.ID}) {
		t.Errorf("of %v, want %s alone", kept, r.ID)
	}
}
