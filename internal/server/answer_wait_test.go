package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/run"
)

// failedRun is a run whose attempts ended so, and that failed.
func failedRun(attempts ...run.Outcome) run.Record {
	record := run.Record{State: run.Failed}
	for i, o := range attempts {
		record.Attempts = append(record.Attempts, run.Attempt{Number: i + 1, Outcome: o})
	}
	return record
}

func TestAnAnswerThatWaitsTellsHowTheRunsEnded(t *testing.T) {
	const (
		plain  = "{wait: 30s}"
		mapped = `{wait: 30s, exit-status: {3: 409, 4: 200, "*": 503}}`
		zero   = "{wait: 30s, exit-status: {0: 201}}"
	)
	ok := run.Record{State: run.Succeeded, Attempts: []run.Attempt{{Outcome: exited(0)}}}
	tests := []struct {
		name, answer string
		records      []run.Record
		status       int
		body         string
	}{
		{"it succeeded", plain, []run.Record{ok}, 202, "well done"},
		{"exit-status names success as well", zero, []run.Record{ok}, 201, "well done"},
		{"the * of exit-status does not mean success", mapped, []run.Record{ok}, 202, "well done"},
		{"it failed", plain, []run.Record{failedRun(exited(3))}, 500, failedText},
		{"its exit has a status", mapped, []run.Record{failedRun(exited(3))}, 409, failedText},
		{"of its last attempt", mapped, []run.Record{failedRun(exited(1), exited(3))}, 409, failedText},
		{"a status that is no error brings the message", mapped, []run.Record{failedRun(exited(4))}, 200, "well done"},
		{"any other exit", mapped, []run.Record{failedRun(exited(9))}, 503, failedText},
		{"a signal has no exit code", mapped, []run.Record{failedRun(ended(run.Signalled))}, 503, failedText},
		{"nor has a time-out", plain, []run.Record{failedRun(ended(run.TimedOut))}, 500, failedText},
		{"nor a run that expired", mapped, []run.Record{failedRun()}, 503, failedText},
		{"nor one that expired when a person tried it again", zero, []run.Record{failedRun(exited(0))}, 500, failedText},
		{"nor one that a person cancelled, whatever its attempts did", mapped, []run.Record{{State: run.Cancelled, Attempts: []run.Attempt{{Outcome: exited(3)}}}}, 503, failedText},
		{"the worst end decides", mapped, []run.Record{ok, failedRun(exited(3)), failedRun(exited(7)), ok}, 503, failedText},
		{"whatever their order", mapped, []run.Record{failedRun(exited(7)), ok, failedRun(exited(3))}, 503, failedText},
		{"a failure that is no error is worse than success still", mapped, []run.Record{ok, failedRun(exited(4))}, 200, "well done"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{await: func(context.Context, []string) ([]run.Record, error) { return test.records, nil }}
			file := "[{id: a, execute-command: x, response-message: well done, success-http-response-code: 202, answer: " + test.answer + "}]"
			answer := post(serverOf(t, file, e, nil), "/hooks/a", "{}")
			if answer.Code != test.status || answer.Body.String() != test.body {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.body)
			}
			if answer.Header().Get(RunHeader) == "" {
				t.Error("the answer names no run")
			}
		})
	}
}

func TestAnAnswerWaitsForTheRunsOfTheHookThatAnswers(t *testing.T) {
	var asked []string
	e := &fakeEngine{await: func(_ context.Context, ids []string) ([]run.Record, error) {
		asked = ids
		return recordsOf(ids, run.Succeeded), nil
	}}
	post(serverOf(t, `
- {id: a, path: p, execute-command: x, answer: {wait: 1s}}
- {id: b, path: p, execute-command: x, answer: {wait: 1s}}
`, e, nil), "/hooks/p", "{}")
	if want := []string{e.last.Parts[0].Runs[0].ID}; !cmp.Equal(want, asked) {
		t.Errorf("waited for %v, want %v", asked, want)
	}
}

// pendingOf reads the JSON of an answer that did not wait to the end.
func pendingOf(t *testing.T, answer *httptest.ResponseRecorder) (got pendingAnswer) {
	t.Helper()
	if kind := answer.Header().Get("Content-Type"); answer.Code != http.StatusAccepted || kind != "application/json" {
		t.Errorf("answered %d, %s; want 202, application/json", answer.Code, kind)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Errorf("%v:\n%s", err, answer.Body)
	}
	return got
}

func TestWhenTheTimeIsUpTheAnswerNamesTheRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &fakeEngine{await: func(ctx context.Context, ids []string) ([]run.Record, error) {
			<-ctx.Done()
			return recordsOf(ids, run.Running), context.Cause(ctx)
		}}
		s := serverOf(t, `[{id: a, execute-command: x, answer: {wait: 30s}}]`, e, nil)
		began := time.Now()
		answer := post(s, "/hooks/a", "{}")
		if took := time.Since(began); took != 30*time.Second {
			t.Errorf("it took %v", took)
		}
		want := pendingAnswer{Delivery: e.last.Delivery.ID, Runs: []pendingRun{{ID: e.last.Parts[0].Runs[0].ID, Hook: "a", State: run.Running}}}
		if diff := cmp.Diff(want, pendingOf(t, answer)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestWhatEndsTheWaitEarly(t *testing.T) {
	tests := []struct {
		name  string
		await func(ctx context.Context, ids []string) ([]run.Record, error)
		state run.State
		log   string
	}{
		{"a newer run took its place", func(_ context.Context, ids []string) ([]run.Record, error) {
			return recordsOf(ids, run.Superseded), nil
		}, run.Superseded, ""},
		{"the engine cannot tell", func(context.Context, []string) ([]run.Record, error) {
			return nil, errors.New("the disk burns")
		}, "", "the disk burns"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			s := serverOf(t, `[{id: a, execute-command: x, answer: {wait: 30s}}]`, &fakeEngine{await: test.await}, func(o *Options) { o.Log = zerolog.New(&log) })
			got := pendingOf(t, post(s, "/hooks/a", "{}"))
			if len(got.Runs) != 1 || got.Runs[0].State != test.state {
				t.Errorf("got %+v, want one run that is %s", got, test.state)
			}
			if !strings.Contains(log.String(), test.log) {
				t.Errorf("the log does not hold %q:\n%s", test.log, &log)
			}
		})
	}
}

func TestAStopEndsTheWait(t *testing.T) {
	e := &fakeEngine{await: func(ctx context.Context, ids []string) ([]run.Record, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}}
	s := serverOf(t, `[{id: a, execute-command: x, answer: {wait: 720h}}]`, e, nil)
	drain, stop := context.WithCancel(t.Context())
	stop()
	request := httptest.NewRequest(http.MethodPost, "/hooks/a", nil)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request.WithContext(context.WithValue(t.Context(), drainKey{}, drain)))
	if got := pendingOf(t, answer); len(got.Runs) != 1 {
		t.Errorf("got %+v, want one run", got)
	}
}

func TestABodyIsNotHeldWhileTheAnswerWaits(t *testing.T) {
	var s *Server
	inner := 0
	e := &fakeEngine{await: func(_ context.Context, ids []string) ([]run.Record, error) {
		if inner++; inner == 1 {
			if answer := post(s, "/hooks/a", "0123456789"); answer.Code != 200 {
				t.Errorf("another body: answered %d", answer.Code)
			}
		}
		return recordsOf(ids, run.Succeeded), nil
	}}
	s = serverOf(t, `[{id: a, execute-command: x, answer: {wait: 1s}}]`, e, func(o *Options) { o.MaxBody, o.MaxInflight = 10, 10 })
	if answer := post(s, "/hooks/a", "0123456789"); answer.Code != 200 || inner != 2 {
		t.Errorf("answered %d after %d waits", answer.Code, inner)
	}
}
