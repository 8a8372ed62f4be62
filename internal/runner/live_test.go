package runner

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

func TestArtifactsAreBoundedWhileTheyAreWritten(t *testing.T) {
	s := newScene(t, "grow", func(h *hook.Hook) { h.Keep.Artifacts, h.Process.KillGrace = 64<<10, time.Second })
	r := attempt("h")
	outcome := s.Run(t.Context(), r, nil)
	if outcome.End != run.Overflowed || outcome.State() != run.Failed || !strings.Contains(outcome.Reason, "keep.artifacts (64 KiB)") {
		t.Errorf("it ended as %s: %s", outcome.End, outcome.Reason)
	}
	kept := measure(filepath.Join(s.directory, r.ID), 1<<30, false)
	if kept.cost > 64<<10 || kept.cost == 0 || outcome.Artifacts != kept.bytes {
		t.Errorf("%d bytes are kept, of %d told", kept.bytes, outcome.Artifacts)
	}
}

func TestALargeArtifactOfAShortRunIsNotKept(t *testing.T) {
	s := newScene(t, "grow", func(h *hook.Hook) {
		h.Keep.Artifacts = 64 << 10
		h.Arguments = []hook.Argument{payload("ref", ""), payload("ref", "")}
	})
	r := attempt("h")
	outcome := s.Run(t.Context(), r, nil)
	if outcome.State() != run.Succeeded || !strings.Contains(outcome.Reason, "keep.artifacts") || outcome.Artifacts != int64(len("small")) {
		t.Errorf("it ended as %s, %q, with %d bytes", outcome.End, outcome.Reason, outcome.Artifacts)
	}
	if left := s.left(t); len(left) != 2 || !strings.HasSuffix(left[1], "/artifacts/small") {
		t.Errorf("left: %v", left)
	}
}

func TestWithoutRoomForArtifactsNoneAreKept(t *testing.T) {
	s := newScene(t, "leave", func(h *hook.Hook) { h.Keep.Artifacts = 0 })
	if outcome := s.Run(t.Context(), attempt("h"), nil); outcome.Artifacts != 0 || len(outcome.Results) != 2 {
		t.Errorf("%d bytes are kept, results %v", outcome.Artifacts, outcome.Results)
	}
	if left := s.left(t); left != nil {
		t.Errorf("left: %v", left)
	}
}

func TestTooManyFilesAreNotLookedAtOneByOne(t *testing.T) {
	own := place{path: t.TempDir()}
	if err := os.Mkdir(own.artifacts(), 0o700); err != nil {
		t.Fatal(err)
	}
	for range cutEntries + 2 {
		file, err := os.CreateTemp(own.artifacts(), "")
		if err != nil {
			t.Fatal(err)
		}
		file.Close()
	}
	if bytes, err := own.cut(1 << 20); bytes != 0 || err != nil || len(names(own.artifacts(), 1)) != 0 {
		t.Errorf("%d bytes and %v are left; %v", bytes, names(own.artifacts(), 3), err)
	}
}

func TestACancelledRun(t *testing.T) {
	cancelled := errors.New("cancelled by hand")
	for name, test := range map[string]struct {
		cause error
		want  run.End
		told  string
	}{
		"by a person": {cancelled, run.Stopped, "run failed: cancelled by hand"},
		"by a stop":   {nil, run.Interrupted, "run interrupted: Pawl stopped"},
	} {
		s := newScene(t, "sleep", nil)
		s.options.Cancelled = cancelled
		ctx, cancel := context.WithCancelCause(t.Context())
		asleep := make(signal)
		go func() {
			<-asleep
			cancel(test.cause)
		}()
		outcome := s.Run(ctx, attempt("h"), asleep)
		if outcome.End != test.want || outcome.ExitCode != -1 || finished(outcome) != test.told {
			t.Errorf("%s: %s, %q", name, outcome.End, finished(outcome))
		}
	}
}

// heard is a writer that tells when a text has come.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
	want string
	come chan struct{}
}

func listen(want string) *heard { return &heard{want: want, come: make(chan struct{})} }

func (h *heard) Write(data []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := strings.Contains(h.text.String(), h.want)
	h.text.Write(data)
	if !before && strings.Contains(h.text.String(), h.want) {
		close(h.come)
	}
	return len(data), nil
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func TestFollow(t *testing.T) {
	s := newScene(t, "sleep", nil)
	r := attempt("h")
	if err := s.Follow(t.Context(), r.ID, io.Discard); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before the run: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	asleep := make(signal)
	ended := make(chan run.Outcome, 1)
	go func() { ended <- s.Run(ctx, r, asleep) }()
	<-asleep
	first := listen("asleep\n")
	following := make(chan error, 1)
	go func() { following <- s.Follow(t.Context(), r.ID, first) }()
	<-first.come
	short, stop := context.WithCancel(t.Context())
	stop()
	if err := s.Follow(short, r.ID, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	broken, unread, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	broken.Close()
	unread.Close()
	if err := s.Follow(t.Context(), r.ID, unread); err == nil {
		t.Error("a writer that fails is not told")
	}
	cancel()
	<-ended
	if err := <-following; err != nil || first.String() != "asleep\n" {
		t.Errorf("followed %q; %v", first, err)
	}
	if err := s.Follow(t.Context(), r.ID, io.Discard); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after the run: %v", err)
	}
}

// What came before the follower is as it is kept: head, a gap, tail.
func TestFollowTellsWhatIsLeftOut(t *testing.T) {
	s := newScene(t, "talk", func(h *hook.Hook) {
		h.Keep.Output = 8
	})
	var text strings.Builder
	if err := errors.Join(writePart(&text, []byte("head"), 12), writePart(&text, []byte("tail"), 0)); err != nil {
		t.Fatal(err)
	}
	if want := "head\n… 12 bytes are left out here …\ntail"; text.String() != want {
		t.Errorf("%q, want %q", text.String(), want)
	}
	if outcome := s.Run(t.Context(), attempt("h"), nil); string(outcome.Output) != "hello\n" {
		t.Errorf("%q", outcome.Output)
	}
}
