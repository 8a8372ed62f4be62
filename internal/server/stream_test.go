package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// overWire serves a hook with that answer on a real connection, and asks it. The
// log may be read after end.
func overWire(t *testing.T, answer string, e *fakeEngine, log io.Writer) (got *http.Response, end func()) {
	t.Helper()
	file := "[{id: a, execute-command: x, success-http-response-code: 201, response-headers: [{name: X-A, value: b}], answer: " + answer + "}]"
	served := httptest.NewServer(serverOf(t, file, e, func(o *Options) { o.Log = zerolog.New(log) }))
	t.Cleanup(served.Close)
	got, err := http.Post(served.URL+"/hooks/a", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = got.Body.Close() })
	return got, served.Close
}

func TestAStreamSendsOutputAsItComes(t *testing.T) {
	for _, test := range []struct{ body, head string }{
		{"stream", ""},
		{"cgi", "Content-Type: text/plain; charset=utf-8\n\n"},
	} {
		t.Run(test.body, func(t *testing.T) {
			proceed := make(chan struct{})
			e := &fakeEngine{attempt: func(_ context.Context, live engine.Live) (run.Outcome, error) {
				live.Accepted()
				_, _ = io.WriteString(live.Output, test.head)
				for i := range 3 {
					_, _ = fmt.Fprintf(live.Output, "line %d\n", i)
					<-proceed // until the sender has it
				}
				return exited(0), nil
			}}
			answer, _ := overWire(t, "{body: "+test.body+"}", e, io.Discard)
			if answer.StatusCode != 201 || answer.Header.Get("X-A") != "b" || answer.Header.Get(RunHeader) == "" {
				t.Errorf("answered %d with %v", answer.StatusCode, answer.Header)
			}
			if got := answer.Header.Get("Content-Type"); got != "text/plain; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
			for i := range 3 {
				line := make([]byte, len("line 0\n"))
				if _, err := io.ReadFull(answer.Body, line); err != nil || string(line) != fmt.Sprintf("line %d\n", i) {
					t.Fatalf("line %d: %q, %v", i, line, err)
				}
				proceed <- struct{}{}
			}
			if rest, err := io.ReadAll(answer.Body); err != nil || len(rest) > 0 {
				t.Errorf("then came %q, %v", rest, err)
			}
		})
	}
}

func TestAStreamThatIsNotWholeBreaksOff(t *testing.T) {
	tests := []struct {
		name    string
		outcome run.Outcome
		err     error
		whole   bool
	}{
		{"the command ended well", exited(0), nil, true},
		{"it failed by itself: what it had to say is there", exited(3), nil, true},
		{"it was stopped", ended(run.Interrupted), nil, false},
		{"it took too long", ended(run.TimedOut), nil, false},
		{"it was killed", ended(run.Signalled), nil, false},
		{"it is not waited for any more", run.Outcome{}, engine.ErrStopped, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			e := &fakeEngine{attempt: func(_ context.Context, live engine.Live) (run.Outcome, error) {
				live.Accepted()
				_, _ = io.WriteString(live.Output, "some output")
				return test.outcome, test.err
			}}
			answer, end := overWire(t, "{body: stream}", e, &log)
			body, err := io.ReadAll(answer.Body)
			end()
			if string(body) != "some output" || (err == nil) != test.whole {
				t.Errorf("got %q, %v; want it whole: %t", body, err, test.whole)
			}
			if strings.Contains(log.String(), "breaks off") == test.whole {
				t.Errorf("the log:\n%s", &log)
			}
		})
	}
}

func TestAStreamOfNothing(t *testing.T) {
	tests := []struct {
		name    string
		outcome run.Outcome
		err     error
		status  int
		body    string
	}{
		{"the command ended well", exited(0), nil, 201, ""},
		{"it failed", exited(1), nil, 500, failedText},
		{"it could not start", ended(run.NotStarted), nil, 500, failedText},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer, _ := overWire(t, "{body: stream}", &fakeEngine{outcome: test.outcome}, io.Discard)
			body, err := io.ReadAll(answer.Body)
			if answer.StatusCode != test.status || string(body) != test.body || err != nil {
				t.Errorf("answered %d %q, %v; want %d %q", answer.StatusCode, body, err, test.status, test.body)
			}
		})
	}
}

func TestARunThatGoesOnAfterAStopIsNamed(t *testing.T) {
	for _, body := range []string{"output", "stream", "cgi"} {
		e := &fakeEngine{attempt: func(_ context.Context, live engine.Live) (run.Outcome, error) {
			live.Accepted() // and then it waits for its turn, which does not come
			return run.Outcome{}, engine.ErrStopped
		}}
		s := serverOf(t, `[{id: a, execute-command: x, queue: {}, answer: {body: `+body+`}}]`, e, nil)
		if got := pendingOf(t, post(s, "/hooks/a", "{}")); len(got.Runs) != 1 {
			t.Errorf("%s: got %+v", body, got)
		}
	}
}

// deaf is a connection that takes no body.
type deaf struct{ http.ResponseWriter }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAScriptDoesNotSufferFromASenderThatTakesNothing(t *testing.T) {
	wrote := 0
	e := &fakeEngine{attempt: func(_ context.Context, live engine.Live) (run.Outcome, error) {
		live.Accepted()
		for range 3 {
			n, err := io.WriteString(live.Output, "line\n")
			if err != nil {
				t.Error(err)
			}
			wrote += n
		}
		return exited(0), nil
	}}
	s := serverOf(t, `[{id: a, execute-command: x, answer: {body: stream}}]`, e, nil)
	s.ServeHTTP(deaf{httptest.NewRecorder()}, httptest.NewRequest(http.MethodPost, "/hooks/a", nil))
	if wrote != 15 {
		t.Errorf("it wrote %d bytes, want 15", wrote)
	}
}
