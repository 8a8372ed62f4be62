package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/rs/zerolog"

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

func TestWhatCannotBeAccepted(t *testing.T) {
	tests := []struct {
		name string
		err  error
		text string
	}{
		{"no more can wait", engine.ErrFull, "Not accepted: too many runs wait already."},
		{"Pawl stops", engine.ErrStopped, "Not accepted: stopping: nothing is accepted any more."},
		{"the disk fails: its paths are not for the sender", fmt.Errorf("%w: open /var/lib/pawl/journal: no space", engine.ErrUnavailable), "Not accepted: the journal cannot be written."},
		{"anything else", errors.New("/var/lib/pawl burns"), "Not accepted: Pawl cannot take it now."},
	}
	for _, test := range tests {
		for _, keys := range []string{"", ", include-command-output-in-response: true"} {
			t.Run(test.name+keys, func(t *testing.T) {
				var log bytes.Buffer
				file := "[{id: a, execute-command: x, response-headers: [{name: X-A, value: b}]" + keys + "}]"
				s := serverOf(t, file, &fakeEngine{err: test.err}, func(o *Options) { o.Log = zerolog.New(&log) })
				answer := post(s, "/hooks/a", "")
				if answer.Code != http.StatusServiceUnavailable || answer.Body.String() != test.text {
					t.Errorf("answered %d %q, want 503 %q", answer.Code, answer.Body, test.text)
				}
				if answer.Header().Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
				for name := range answer.Header() {
					if strings.HasPrefix(name, "X-") {
						t.Errorf("the refusal has a header %s", name)
					}
				}
				if !strings.Contains(log.String(), test.err.Error()) {
					t.Errorf("the log does not tell why:\n%s", &log)
				}
			})
		}
	}
}
