package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

func TestAnswersWithOutput(t *testing.T) {
	ok, failed := run.Outcome{End: run.Exited}, run.Outcome{End: run.Exited, ExitCode: 3}
	long := strings.Repeat("0123456789abcdef", 200_000) // more than is kept in memory
	tests := []struct {
		name, keys, output string
		outcome            run.Outcome
		status             int
		body, contentType  string
	}{
		{"success", "", "done\n", ok, 200, "done\n", "text/plain; charset=utf-8"},
		{"its code", ", success-http-response-code: 201", "done\n", ok, 201, "done\n", "text/plain; charset=utf-8"},
		{"no output", "", "", ok, 200, "", ""},
		{"long output, whole", "", long, ok, 200, long, "text/plain; charset=utf-8"},
		{"failure", "", "secret\n", failed, 500, failedText, "text/plain; charset=utf-8"},
		{"failure with output", ", include-command-output-in-response-on-error: true", "why\n", failed, 500, "why\n", "text/plain; charset=utf-8"},
		{"a page is not guessed", "", "<html><script>alert(1)</script>", ok, 200, "<html><script>alert(1)</script>", "text/plain; charset=utf-8"},
		{"a picture is", "", "\x89PNG\r\n\x1a\n", ok, 200, "\x89PNG\r\n\x1a\n", "image/png"},
		{"the hook says what it is", `, response-headers: [{name: Content-Type, value: text/html}]`, "<p>", ok, 200, "<p>", "text/html"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			file := fmt.Sprintf("[{id: a, execute-command: x, include-command-output-in-response: true%s}]", test.keys)
			directory := t.TempDir()
			s := serverOf(t, file, &fakeEngine{output: test.output, outcome: test.outcome}, func(o *Options) { o.SpoolDirectory = directory })
			answer := post(s, "/hooks/a", "")
			if answer.Code != test.status || answer.Body.String() != test.body {
				t.Errorf("answered %d with %d bytes, want %d with %d", answer.Code, answer.Body.Len(), test.status, len(test.body))
			}
			if got := answer.Header().Get("Content-Type"); got != test.contentType {
				t.Errorf("Content-Type %q, want %q", got, test.contentType)
			}
			if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

func TestOutputThatCannotBeKeptIsNotSentInPart(t *testing.T) {
	e := &fakeEngine{output: strings.Repeat("x", spoolMemory+1), outcome: run.Outcome{End: run.Exited}}
	s := serverOf(t, `[{id: a, execute-command: x, include-command-output-in-response: true}]`, e, func(o *Options) { o.SpoolDirectory = "/nonexistent" })
	if answer := post(s, "/hooks/a", ""); answer.Code != 500 || answer.Body.String() != failedText {
		t.Errorf("answered %d with %d bytes", answer.Code, answer.Body.Len())
	}
}

func TestASenderThatHangsUpBeforeItsTurnLosesNothing(t *testing.T) {
	e := &fakeEngine{err: context.Canceled}
	s := serverOf(t, `[{id: a, execute-command: x, include-command-output-in-response: true}]`, submitter{e}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/hooks/a", nil).WithContext(ctx))
	if diff := cmp.Diff([]string{"a"}, e.submitted); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestADeliveryThatIsAcceptedSaysItsIDs(t *testing.T) {
	e := &fakeEngine{}
	answer := post(serverOf(t, shared, e, nil), "/hooks/push", `{"branch":"main"}`)
	for _, name := range []string{"X-Pawl-Delivery-Id", "X-Pawl-Run-Id"} {
		if answer.Header().Get(name) == "" {
			t.Errorf("no %s", name)
		}
	}
	answer = post(serverOf(t, shared, e, nil), "/hooks/push", `{"branch":"main","scan":"yes"}`)
	if got := answer.Header().Get("X-Pawl-Runs"); got != "2" {
		t.Errorf("X-Pawl-Runs is %q, want 2", got)
	}
	answer = post(serverOf(t, shared, e, nil), "/hooks/push", `{}`)
	if got := answer.Header().Get("X-Pawl-Delivery-Id"); got != "" {
		t.Errorf("a mismatch has the delivery id %q", got)
	}
}

func TestWhatCannotBeAcceptedIsTried(t *testing.T) {
	for _, err := range []error{engine.ErrFull, engine.ErrStopped} {
		for _, file := range []string{
			`[{id: a, execute-command: x}]`,
			`[{id: a, execute-command: x, include-command-output-in-response: true}]`,
		} {
			answer := post(serverOf(t, file, &fakeEngine{err: err}, nil), "/hooks/a", "")
			if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" {
				t.Errorf("%v: answered %d with Retry-After %q, want 503 with one", err, answer.Code, answer.Header().Get("Retry-After"))
			}
			if answer.Header().Get("X-Pawl-Run-Id") != "" {
				t.Errorf("%v: the refusal names a run", err)
			}
		}
	}
}

// submitter accepts what is submitted, whatever Now says.
type submitter struct{ *fakeEngine }

func (s submitter) Submit(ctx context.Context, runs ...run.Run) error {
	_ = s.fakeEngine.Submit(ctx, runs...)
	return nil
}
