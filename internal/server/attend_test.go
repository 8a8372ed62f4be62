package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

func TestAnswerBodyOutput(t *testing.T) {
	const mapped = `{body: output, exit-status: {0: 201, 3: 409, "*": 503}}`
	tests := []struct {
		name, answer string
		outcome      run.Outcome
		status       int
		body         string
	}{
		{"success", "{body: output}", exited(0), 200, "what it printed"},
		{"success with a status", mapped, exited(0), 201, "what it printed"},
		{"a failure's output is not for everyone", "{body: output}", exited(3), 500, failedText},
		{"unless its exit has a status", mapped, exited(3), 409, "what it printed"},
		{"if by the *", mapped, exited(4), 503, "what it printed"},
		{"a time-out", mapped, ended(run.TimedOut), 503, "what it printed"},
		{"a signal", "{body: output}", ended(run.Signalled), 500, failedText},
		{"a script that cannot start", "{body: output}", ended(run.NotStarted), 500, failedText},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{output: "what it printed", outcome: test.outcome}
			answer := post(serverOf(t, "[{id: a, execute-command: x, answer: "+test.answer+"}]", e, nil), "/hooks/a", "{}")
			if answer.Code != test.status || answer.Body.String() != test.body {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.body)
			}
		})
	}
}

func TestAnAnswerMadeOfOutputTakesItsTurnWhereTheHookHasAQueue(t *testing.T) {
	for keys, turn := range map[string]bool{
		"answer: {body: output}":                                                      false,
		"include-command-output-in-response: true":                                    false,
		"answer: {body: output}, retry: {attempts: 2}":                                false,
		"answer: {body: output}, queue: {}":                                           true,
		"answer: {body: cgi}, queue: {max-concurrent: 1}":                             true,
		"stream-command-output: true, queue: {max-concurrent: 1}":                     true,
		"include-command-output-in-response: true, queue: {max-concurrent: 1}":        true,
		"include-command-output-in-response: true, keep: {output: 1KiB}, process: {}": false,
	} {
		e := &fakeEngine{turn: !turn, outcome: exited(0)}
		if answer := post(serverOf(t, "[{id: a, execute-command: x, "+keys+"}]", e, nil), "/hooks/a", "{}"); answer.Code != 200 || e.turn != turn {
			t.Errorf("%s: answered %d; turn is %t, want %t", keys, answer.Code, e.turn, turn)
		}
	}
}

func TestAllPartsOfADeliveryGoWithTheOneThatIsAttended(t *testing.T) {
	var log bytes.Buffer
	e := &fakeEngine{outcome: exited(0), output: "of a"}
	answer := post(serverOf(t, `
- {id: a, path: p, execute-command: x, include-command-output-in-response: true}
- {id: b, path: p, execute-command: x}
`, e, func(o *Options) { o.Log = zerolog.New(&log) }), "/hooks/p", "{}")
	if answer.Body.String() != "of a" || answer.Header().Get(RunsHeader) != "2" {
		t.Errorf("answered %q, %s %q", answer.Body, RunsHeader, answer.Header().Get(RunsHeader))
	}
	if diff := cmp.Diff([]string{"a", "b"}, e.attended); diff != "" || e.submitted != nil {
		t.Errorf("attended (-want +got):\n%s\nsubmitted: %v", diff, e.submitted)
	}
	for _, part := range e.last.Parts {
		if n := strings.Count(log.String(), part.Runs[0].ID); n != 1 {
			t.Errorf("the log tells of the run of %s %d times:\n%s", part.Hook, n, &log)
		}
	}
}

func TestASenderThatHangsUpBeforeItsTurnLosesNothing(t *testing.T) {
	for _, body := range []string{"output", "stream", "cgi"} {
		e := &fakeEngine{attempt: func(ctx context.Context, _ engine.Live) (run.Outcome, error) {
			return run.Outcome{}, context.Cause(ctx) // without Accepted
		}}
		s := serverOf(t, `[{id: a, execute-command: x, answer: {body: `+body+`}}]`, e, nil)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/hooks/a", nil).WithContext(ctx))
		if diff := cmp.Diff([]string{"a"}, e.submitted); diff != "" {
			t.Errorf("%s: runs (-want +got):\n%s", body, diff)
		}
	}
}

func TestAnEndThatComesWithTheEndOfTheTimeIsLate(t *testing.T) {
	for _, body := range []string{"output", "stream", "cgi"} {
		synctest.Test(t, func(t *testing.T) {
			e := &fakeEngine{attempt: func(ctx context.Context, live engine.Live) (run.Outcome, error) {
				live.Accepted()
				<-ctx.Done()
				_, _ = io.WriteString(live.Output, "too late to be in an answer")
				return exited(0), nil
			}}
			s := serverOf(t, `[{id: a, execute-command: x, answer: {wait: 1s, body: `+body+`}}]`, e, nil)
			if got := pendingOf(t, post(s, "/hooks/a", "{}")); len(got.Runs) != 1 {
				t.Errorf("%s: got %+v", body, got)
			}
		})
	}
}

func TestWhatTakesItsTurnIsNotCutOffBeforeItIsAccepted(t *testing.T) {
	for name, impatient := range map[string]func(*http.Request) *http.Request{
		"the sender hangs up": func(r *http.Request) *http.Request {
			ctx, cancel := context.WithCancel(r.Context())
			cancel()
			return r.WithContext(ctx)
		},
		"answer.wait is over": func(r *http.Request) *http.Request { return r },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &fakeEngine{attempt: func(ctx context.Context, live engine.Live) (run.Outcome, error) {
					time.Sleep(time.Minute) // the disk is slow
					if ctx.Err() != nil {
						t.Error("it was cut off")
					}
					live.Accepted()
					<-ctx.Done() // now it may be left
					return run.Outcome{}, context.Cause(ctx)
				}}
				s := serverOf(t, `[{id: a, execute-command: x, queue: {}, answer: {wait: 1s, body: output}}]`, e, nil)
				answer := httptest.NewRecorder()
				s.ServeHTTP(answer, impatient(httptest.NewRequest(http.MethodPost, "/hooks/a", nil)))
				if got := pendingOf(t, answer); len(got.Runs) != 1 || e.submitted != nil {
					t.Errorf("answered %+v, and submitted %v besides", got, e.submitted)
				}
			})
		})
	}
}

func TestASenderThatHangsUpLaterChangesNothing(t *testing.T) {
	for _, body := range []string{"output", "stream", "cgi"} {
		t.Run(body, func(t *testing.T) {
			ctx, hangUp := context.WithCancel(t.Context())
			var output io.Writer
			e := &fakeEngine{attempt: func(ctx context.Context, live engine.Live) (run.Outcome, error) {
				live.Accepted()
				_, _ = io.WriteString(live.Output, "\nbefore")
				output = live.Output
				hangUp()
				return run.Outcome{}, context.Cause(ctx)
			}}
			s := serverOf(t, `[{id: a, execute-command: x, answer: {body: `+body+`}}]`, e, nil)
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/hooks/a", nil).WithContext(ctx))
			if e.submitted != nil {
				t.Errorf("submitted once more: %v", e.submitted)
			}
			had := answer.Body.String()
			if n, err := io.WriteString(output, "afterwards"); n != len("afterwards") || err != nil {
				t.Errorf("the script that goes on cannot write: %d, %v", n, err)
			}
			if answer.Body.String() != had {
				t.Errorf("the answer grew after its end: %q", answer.Body)
			}
		})
	}
}

func TestAnswerWaitBoundsAnAnswerMadeOfOutput(t *testing.T) {
	tests := []struct {
		name, body string
		accepted   bool   // before the time is up
		output     string // printed at once
		later      string // printed after the time is up, before the end
		want       string // of an answer that is no 202
		submitted  []string
	}{
		{"output that is not complete", "output", true, "half", "", "", nil},
		{"nothing printed yet", "stream", true, "", "", "", nil},
		{"header lines that are not complete", "cgi", true, "Status: 200\n", "", "", nil},
		{"what has begun goes on", "stream", true, "one ", "two", "one two", nil},
		{"with header lines too", "cgi", true, "Status: 200\n\none ", "two", "one two", nil},
		{"its turn has not come: it takes the way of those that nobody waits for", "output", false, "", "", "", []string{"a"}},
		{"the same", "stream", false, "", "", "", []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.body+": "+test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := &fakeEngine{attempt: func(ctx context.Context, live engine.Live) (run.Outcome, error) {
					if test.accepted {
						live.Accepted()
					}
					_, _ = io.WriteString(live.Output, test.output)
					select {
					case <-ctx.Done():
						return run.Outcome{}, context.Cause(ctx)
					case <-time.After(time.Hour):
						_, _ = io.WriteString(live.Output, test.later)
						return exited(0), nil
					}
				}}
				s := serverOf(t, `[{id: a, execute-command: x, answer: {wait: 5s, body: `+test.body+`}}]`, e, nil)
				began := time.Now()
				answer := post(s, "/hooks/a", "{}")
				took := time.Since(began)
				if diff := cmp.Diff(test.submitted, e.submitted); diff != "" {
					t.Errorf("submitted (-want +got):\n%s", diff)
				}
				if test.want != "" {
					if answer.Code != 200 || answer.Body.String() != test.want {
						t.Errorf("answered %d %q", answer.Code, answer.Body)
					}
					return
				}
				if got := pendingOf(t, answer); len(got.Runs) != 1 || took != 5*time.Second {
					t.Errorf("after %v: %+v", took, got)
				}
			})
		})
	}
}
