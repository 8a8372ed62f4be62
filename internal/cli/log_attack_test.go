package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/server"
)

// TestNoRequestReachesTheTerminal: whatever a caller writes, the log as a person
// reads it has no line that does not begin with a time or belong to one that does,
// and nothing that moves a cursor or turns the order of letters.
func TestNoRequestReachesTheTerminal(t *testing.T) {
	hooks, problems := hook.Read("hooks.yaml", []byte(`
- {id: a, execute-command: x, trigger-rule: {match: {type: regex, regex: "^x$", parameter: {source: payload, name: a}}}}
- {id: b, path: "b\n\e[2J", execute-command: x, secret: hunter2hunter2, auth: {header: {name: X-Door}}}
- {id: c, execute-command: x, sender: github, events: [push], auth: none}
`), hook.Options{})
	if problems.Refused() {
		t.Fatal(problems)
	}
	set := hook.NewSet(hooks)
	for _, text := range []string{"\n", "\r", "\n2026-01-01T00:00:00Z ERR forged", "\x1b[2J\x1b[H", "\x1b]0;title\a", "\u009b2J", "\u202egpj.exe", "\u2066", "\x00", "\b\b\b", "\xff"} {
		t.Run(strconv.Quote(text), func(t *testing.T) {
			var shown bytes.Buffer
			a := &app{stderr: &shown, stdout: &shown}
			log, closeLog, err := a.openLog(&settings{debug: true, verbose: true})
			if err != nil {
				t.Fatal(err)
			}
			defer closeLog()
			front := newFront(t, set, log)
			for _, path := range []string{"/hooks/a", "/hooks/b%0A%1B%5B2J", "/hooks/c", "/hooks/x" + escapeBytes(text), "/" + escapeBytes(text)} {
				for _, kind := range []string{"application/json", text} {
					request := httptest.NewRequest(http.MethodPost, path+"?x="+escapeBytes(text), strings.NewReader(`{"a":`+strconv.Quote(text)+"}\n"+text))
					for _, name := range []string{"X-Request-Id", "X-Github-Event", "X-Door", "User-Agent"} {
						request.Header[name] = []string{text}
					}
					request.Header["Content-Type"] = []string{kind}
					front.ServeHTTP(httptest.NewRecorder(), request)
				}
			}
			lines := strings.Split(strings.TrimSuffix(shown.String(), "\n"), "\n")
			if len(lines) < 20 {
				t.Fatalf("only %d lines: nothing is tried", len(lines))
			}
			for _, line := range lines {
				if !strings.HasPrefix(line, "20") && !strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "2026-01-01T00:00:00Z ERR forged") {
					t.Errorf("a line that Pawl did not begin: %q", line)
				}
				for _, r := range line {
					if r != '\t' && unicode.In(r, unicode.Cc, unicode.Cf) {
						t.Errorf("%U in %q", r, line)
					}
				}
			}
		})
	}
}

// newFront makes a server of hooks that logs all it can. None of its deliveries
// is accepted.
func newFront(t *testing.T, set *hook.Set, log zerolog.Logger) *server.Server {
	t.Helper()
	front, err := server.New(server.Options{
		Hooks: func() *hook.Set { return set }, Engine: noEngine{}, Prefix: "hooks", MaxBody: 1 << 20, MaxInflight: 1 << 20,
		RequestID: true, ValidateJSON: true, Dump: true, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return front
}

// noEngine accepts nothing: no method of it is called.
type noEngine struct{ engine.Engine }

func escapeBytes(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)>>4, 16)+strconv.FormatUint(uint64(c)&15, 16)))
	}
	return b.String()
}
