package server

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// fakeEngine notes what it is handed, and answers as it is told. What it has no
// func for, it accepts, and has end at once and well.
type fakeEngine struct {
	mu        sync.Mutex
	submitted []string // hook ids of the runs, in order
	attended  []string
	last      run.Submission
	turn      bool // what the last Attend asked for

	err     error       // of Submit and Attend
	receipt run.Receipt // of both
	output  string      // of the attempt that is attended
	outcome run.Outcome // of the same
	attempt func(ctx context.Context, live engine.Live) (run.Outcome, error)
	await   func(ctx context.Context, ids []string) ([]run.Record, error)
}

func (e *fakeEngine) note(list *[]string, s run.Submission) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = s
	for _, part := range s.Parts {
		for _, r := range part.Runs {
			*list = append(*list, r.Hook)
		}
	}
}

func (e *fakeEngine) Submit(_ context.Context, s run.Submission) (run.Receipt, error) {
	if e.err != nil {
		return run.Receipt{}, e.err
	}
	e.note(&e.submitted, s)
	return e.receipt, nil
}

func (e *fakeEngine) Attend(ctx context.Context, s run.Submission, live engine.Live) (run.Receipt, run.Outcome, error) {
	if e.err != nil {
		return run.Receipt{}, run.Outcome{}, e.err
	}
	e.note(&e.attended, s)
	e.turn = live.Turn
	if duplicateOf(e.receipt, 0) != "" {
		return e.receipt, run.Outcome{}, nil
	}
	if e.attempt != nil {
		outcome, err := e.attempt(ctx, live)
		return e.receipt, outcome, err
	}
	live.Accepted()
	_, _ = io.WriteString(live.Output, e.output)
	return e.receipt, e.outcome, nil
}

func (e *fakeEngine) Await(ctx context.Context, ids ...string) ([]run.Record, error) {
	if e.await != nil {
		return e.await(ctx, ids)
	}
	return recordsOf(ids, run.Succeeded), nil
}

// recordsOf makes a record of that state for each id.
func recordsOf(ids []string, state run.State) []run.Record {
	records := make([]run.Record, len(ids))
	for i, id := range ids {
		records[i] = run.Record{Run: run.Run{ID: id}, State: state}
	}
	return records
}

// exited is how an attempt ends that exits with a code.
func exited(code int) run.Outcome { return run.Outcome{End: run.Exited, ExitCode: code} }

// ended is how one ends that has no exit code.
func ended(end run.End) run.Outcome { return run.Outcome{End: end, ExitCode: -1} }

// hooksOf reads the hooks of one file.
func hooksOf(t *testing.T, file string) []*hook.Hook {
	t.Helper()
	hooks, problems := hook.Read("hooks.yaml", []byte(file), hook.Options{})
	if problems.Refused() {
		t.Fatal(problems)
	}
	return hooks
}

// serverOf makes a server of the hooks of one file.
func serverOf(t *testing.T, file string, e Engine, change func(*Options)) *Server {
	t.Helper()
	set := hook.NewSet(hooksOf(t, file))
	options := Options{
		Hooks:  func() *hook.Set { return set },
		Engine: e, Prefix: "hooks", MaxBody: 1 << 24, MaxInflight: 1 << 25,
		SpoolDirectory: t.TempDir(), Log: zerolog.Nop(),
	}
	if change != nil {
		change(&options)
	}
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func post(s http.Handler, path, body string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	return answer
}
