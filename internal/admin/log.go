package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

// How a log waits for the next attempt of a run: often by asking whether one
// goes on, which costs nothing, and every so many times by asking the engine
// what there was meanwhile.
const (
	lookEvery = 250 * time.Millisecond
	askEvery  = 8
)

// glance is how long a log that is not followed looks at an attempt that goes
// on. What was printed before it comes at once.
const glance = 100 * time.Millisecond

// log answers GET /api/v1/runs/{id}/log.
func (a *API) log(w http.ResponseWriter, r *http.Request) error {
	follow := false
	if text := r.URL.Query().Get("follow"); text != "" {
		var err error
		if follow, err = strconv.ParseBool(text); err != nil {
			return refuse(http.StatusBadRequest, "follow is true or false, not %q", text)
		}
	}
	record, err := a.find(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	l := &logStream{api: a, id: record.ID, out: &stream{w: w, control: http.NewResponseController(w)}}
	if follow {
		l.out.flush() // the caller knows that the run is there
		err = l.follow(r.Context())
	} else {
		err = l.soFar(r.Context(), record)
	}
	if err != nil && r.Context().Err() == nil && !errors.Is(err, errGone) {
		// The status is told already: what is left is to say it and to break off.
		fmt.Fprintf(l.out, "\n[the log ends here: %v]\n", err)
		a.options.Log.Warn().Err(err).Str("run", record.ID).Msg("a log could not be read to its end")
	}
	return nil
}

// soFar writes what there is: of an attempt that goes on, what it has printed
// until now.
func (l *logStream) soFar(ctx context.Context, record *run.Record) error {
	if err := l.ended(ctx, record); err != nil || record.State != run.Running || l.api.options.Follow == nil {
		return err
	}
	brief, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	attempt := &liveAttempt{ctx: ctx, log: l}
	_ = l.api.options.Follow(brief, l.id, attempt) // it has just ended, or goes on
	return attempt.failed
}

// logStream writes what the attempts of a run print, in their order.
type logStream struct {
	api   *API
	id    string
	out   *stream
	shown int // the number of the last attempt that was written
}

// follow goes on until the run has ended, or ctx.
func (l *logStream) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = l.api.options.Engine.Await(ctx, l.id) // that it has ended is found by asking once more
	}()
	defer func() { cancel(); <-over }()
	for {
		record, err := l.api.options.Engine.Find(ctx, l.id)
		if err != nil {
			return err
		}
		if err := l.ended(ctx, record); err != nil || record.State.Final() {
			return err
		}
		if err := l.live(ctx, over); err != nil {
			return err
		}
	}
}

// live writes what the next attempt prints, if one begins soon.
func (l *logStream) live(ctx context.Context, over <-chan struct{}) error {
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for range askEvery {
		attempt := &liveAttempt{ctx: ctx, log: l}
		err := errors.ErrUnsupported
		if l.api.options.Follow != nil {
			err = l.api.options.Follow(ctx, l.id, attempt)
		}
		switch {
		case attempt.failed != nil:
			return attempt.failed
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && attempt.number > 0:
			return nil
		}
		timer.Reset(lookEvery)
		select {
		case <-over:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	return nil
}

// ended writes the attempts that have ended and were not written yet.
func (l *logStream) ended(ctx context.Context, record *run.Record) error {
	for _, attempt := range record.Attempts {
		if attempt.Number <= l.shown || attempt.End == "" {
			continue
		}
		output, head, omitted, err := l.api.options.Engine.Output(ctx, l.id, attempt.Number)
		if err != nil {
			return fmt.Errorf("the output of attempt %d: %w", attempt.Number, err)
		}
		l.title(attempt.Number)
		writeOutput(l.out, output, head, omitted)
		if l.out.failed {
			return errGone
		}
	}
	return nil
}

// title begins an attempt. A run that is tried once has none.
func (l *logStream) title(number int) {
	if number > 1 {
		l.out.line()
		fmt.Fprintf(l.out, "--- attempt %d ---\n", number)
	}
	l.shown = max(l.shown, number)
}

// writeOutput writes what is kept of an output, and how much is not.
func writeOutput(out *stream, output []byte, head int, omitted int64) {
	if omitted == 0 {
		_, _ = out.Write(output) // out knows that it failed
		return
	}
	fmt.Fprintf(out, "%s\n… %d bytes are left out here …\n%s", output[:head], omitted, output[head:])
}

// liveAttempt passes on what an attempt prints. Which one it is, it asks when
// the first of it comes: one more may have ended since.
type liveAttempt struct {
	ctx    context.Context
	log    *logStream
	number int
	failed error
}

func (t *liveAttempt) Write(p []byte) (int, error) {
	if t.number == 0 {
		record, err := t.log.api.options.Engine.Find(t.ctx, t.log.id)
		if err == nil {
			err = t.log.ended(t.ctx, record)
		}
		if err != nil {
			t.failed = err
			return 0, err
		}
		if t.log.writes(record) {
			return 0, errShown
		}
		t.number = max(record.Attempt, t.log.shown+1)
		t.log.title(t.number)
	}
	n, err := t.log.out.Write(p)
	if err != nil {
		t.failed = err
	}
	return n, err
}

// writes reports whether the attempt that was written last goes on as far as the
// record knows: what its process prints now was written already, and its end is
// only not recorded yet.
func (l *logStream) writes(record *run.Record) bool {
	return l.shown > 0 && record.Attempt <= l.shown && !slices.ContainsFunc(record.Attempts, func(a run.Attempt) bool {
		return a.Number == l.shown && a.End != ""
	})
}

// errShown says that an attempt was written already.
var errShown = errors.New("it was shown already")

// errGone says that nobody reads any more.
var errGone = errors.New("the caller is gone")

// stream writes an answer piece by piece: each is sent at once, and a caller who
// takes none for too long is dropped.
type stream struct {
	w       io.Writer
	control *http.ResponseController
	last    byte
	failed  bool
}

func (s *stream) Write(p []byte) (int, error) {
	if s.failed {
		return 0, errGone
	}
	if len(p) == 0 {
		return 0, nil
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(answerTime)) // a recorder has none
	n, err := s.w.Write(p)
	if err != nil {
		s.failed = true
		return n, errGone
	}
	s.last = p[len(p)-1]
	s.flush()
	return n, nil
}

func (s *stream) flush() {
	if err := s.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.failed = true
	}
}

// line ends a line that has not ended.
func (s *stream) line() {
	if s.last != 0 && s.last != '\n' {
		_, _ = s.Write([]byte{'\n'})
	}
}
