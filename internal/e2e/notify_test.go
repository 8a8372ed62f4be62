//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told is a service that is told of runs, as far as the scripts can see.
type told struct {
	url string

	mu       sync.Mutex
	messages []message
	more     chan struct{} // closed and made anew with each message
}

type message struct {
	path, authorization, contentType string
	body                             []byte
}

// startTold answers everything as answer does, after it has kept it; nil: 200.
func startTold(t *testing.T, answer http.HandlerFunc) *told {
	t.Helper()
	s := &told{more: make(chan struct{})}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.messages = append(s.messages, message{r.URL.RequestURI(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body})
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// all gives what was told so far, and what is closed when there is more.
func (s *told) all() ([]message, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]message(nil), s.messages...), s.more
}

// only gives the one message.
func (s *told) only(t *testing.T) message {
	t.Helper()
	all, _ := s.all()
	if len(all) != 1 {
		t.Fatalf("%d messages came, want 1", len(all))
	}
	return all[0]
}

// notification is a call of a notify script, as Pawl makes it.
type notification struct {
	shell  string // the interpreter; empty: the script's own
	script string // notify-slack.sh
	record []byte // standard input
	env    []string
}

func (n notification) run(t *testing.T) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := scan{shell: n.shell, script: n.script}.command(ctx)
	work := t.TempDir()
	cmd.Dir, cmd.Stdin = t.TempDir(), bytes.NewReader(n.record)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "TMPDIR=" + work}, n.env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for _, dir := range []string{work, cmd.Dir} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	}
	return result{code: cmd.ProcessState.ExitCode(), output: string(out)}
}

// record is a run's record, as docs/hooks.md has it; with changes.
func record(t *testing.T, changes map[string]any) []byte {
	t.Helper()
	r := map[string]any{
		"event": "on-failure", "run_id": "019a0000-0000-7000-8000-000000000001", "hook_id": "scan",
		"delivery_id": "019a0000-0000-7000-8000-000000000000", "state": "failed", "reason": "exit status 3",
		"attempt": 2, "interruptions": 0, "end": "exited", "exit_code": 3, "seconds": 1.5, "key": "acme/web-shop,v1",
		"results": map[string]string{}, "output": "", "output_omitted": 0,
	}
	maps.Copy(r, changes)
	return mustJSON(t, r)
}

// hostile is what a stranger may make of a record: text of every format that it
// passes through, and more than fits into a message.
func hostile(t *testing.T) []byte {
	t.Helper()
	return record(t, map[string]any{
		"key":    "\"a\"\n<!channel> & $(touch x) `touch y` 😀",
		"reason": "it's \\ \"quoted\"\x1b[31m\u202e\u0085",
		"results": map[string]string{
			"a.json": `{"n":[1,"<b>"]}`, "b": "*bold* [link](http://x)", "c=d": "-rf; @everyone", "e": strings.Repeat("é", 300),
		},
		"output": strings.Repeat("noise\r\n", 100<<10/7) + "<b>last & least</b>\t$(touch x)\r\n\x00 the \"end\" 😀\n",
	})
}

const (
	hostileTitle = "scan failed: \"a\" <!channel> & $(touch x) `touch y` 😀"
	hostileRun   = "run 019a0000-0000-7000-8000-000000000001, attempt 2"
)

// hostileText is what people are told of the hostile record.
func hostileText() string {
	return "it's \\ \"quoted\"?[31m??\n" +
		"a.json: {\"n\":[1,\"<b>\"]}\nb: *bold* [link](http://x)\nc=d: -rf; @everyone\ne: " + strings.Repeat("é", 98) + "…\n" +
		hostileRun + "\n\n" + strings.Repeat("noise\n", 8) + "<b>last & least</b> $(touch x)\n? the \"end\" 😀"
}

// Each service gets JSON of its own shape, whatever the record holds.
func TestNotifyMessages(t *testing.T) {
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(hostileTitle + "\n" + hostileText())
	block := func(text, weight string) any {
		return map[string]any{"type": "RichTextBlock", "inlines": []any{map[string]any{"type": "TextRun", "text": text, "weight": weight}}}
	}
	blocks := []any{block(hostileTitle, "Bolder")}
	for _, line := range strings.Split(hostileText(), "\n") {
		if line != "" {
			blocks = append(blocks, block(line, "Default"))
		}
	}
	for _, c := range []struct {
		script string
		env    []string // with SERVER in the place of the server's URL
		path   string
		want   map[string]any
	}{
		{"notify-slack.sh", []string{"SLACK_WEBHOOK_URL=SERVER/services/T0/B0/x%20y"}, "/services/T0/B0/x%20y",
			map[string]any{"mrkdwn": false, "text": escaped}},
		{"notify-teams.sh", []string{"TEAMS_WEBHOOK_URL=SERVER/w?a={1-3}&sig=x\"y\\z"}, "/w?a={1-3}&sig=x\"y\\z",
			map[string]any{"type": "message", "attachments": []any{map[string]any{
				"contentType": "application/vnd.microsoft.card.adaptive",
				"content": map[string]any{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
					"type": "AdaptiveCard", "version": "1.4", "body": blocks},
			}}}},
		{"notify-ntfy.sh", []string{"NTFY_URL=SERVER", "NTFY_TOPIC=alerts", "NTFY_TOKEN=tk_1"}, "/",
			map[string]any{"topic": "alerts", "title": hostileTitle, "message": hostileText(), "priority": 4.0, "tags": []any{"warning"}}},
	} {
		for _, shell := range []string{"dash", "bash"} {
			t.Run(c.script+" in "+shell, func(t *testing.T) {
				s := startTold(t, nil)
				env := strings.Split(strings.ReplaceAll(strings.Join(c.env, "\n"), "SERVER", s.url), "\n")
				notification{shell: shell, script: c.script, record: hostile(t), env: env}.run(t).expect(t, 0, `^notify-\w+: told\n$`)
				m := s.only(t)
				var got map[string]any
				check(t, json.Unmarshal(m.body, &got))
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("message (-want +got):\n%s", diff)
				}
				if m.path != c.path || m.contentType != "application/json" {
					t.Errorf("posted %s to %s", m.contentType, m.path)
				}
				if wantsToken := c.script == "notify-ntfy.sh"; (m.authorization == "Bearer tk_1") != wantsToken {
					t.Errorf("Authorization is %q", m.authorization)
				}
			})
		}
	}
}

// However large the parts of a record are, none takes the place of the others,
// and the services take the whole.
func TestNotifyBounds(t *testing.T) {
	results := map[string]string{}
	for _, letter := range "abcdefghijklmnopqrstuvwxyz" {
		results[strings.Repeat(string(letter), 100)] = strings.Repeat("😀", 5000)
	}
	huge := record(t, map[string]any{
		"hook_id": strings.Repeat("😀", 500), "key": strings.Repeat("𝔎", 90_000), "reason": strings.Repeat("😀\n", 90_000), "results": results,
		"element": strings.Repeat("e", 2<<20), "output": strings.Repeat("\n😀", 50_000) + strings.Repeat("x", 90_000) + "the end",
	})
	s := startTold(t, nil)
	env := []string{"NTFY_URL=" + s.url, "NTFY_TOPIC=alerts", "TEAMS_WEBHOOK_URL=" + s.url}
	notification{script: "notify-ntfy.sh", record: huge, env: env}.run(t).expect(t, 0)
	var got struct{ Title, Message string }
	check(t, json.Unmarshal(s.only(t).body, &got))
	if len(got.Message) > 4096 || len(got.Title) > 250 || strings.Contains(got.Title, "\n") {
		t.Errorf("title of %d bytes, message of %d bytes", len(got.Title), len(got.Message))
	}
	for _, part := range []string{"😀 😀", strings.Repeat("a", 37) + "…: 😀", "\n" + hostileRun, "xxxthe end"} {
		if !strings.Contains(got.Message, part) {
			t.Errorf("%q is missing in\n%s", part, got.Message)
		}
	}
	notification{script: "notify-teams.sh", record: huge, env: env}.run(t).expect(t, 0)
	if all, _ := s.all(); len(all[1].body) > 28<<10 {
		t.Errorf("a message of %d bytes for Teams", len(all[1].body))
	}
}

// What the record lacks, and how a success looks.
func TestNotifySuccess(t *testing.T) {
	s := startTold(t, nil)
	bare := []byte(`{"event":"on-success","run_id":"r1","hook_id":"deploy","state":"succeeded","reason":"","attempt":1,"results":{},"output":"\n"}`)
	notification{script: "notify-ntfy.sh", record: bare, env: []string{"NTFY_URL=" + s.url, "NTFY_TOPIC=t"}}.run(t).expect(t, 0)
	want := `{"topic":"t","title":"deploy succeeded","message":"run r1, attempt 1","tags":["white_check_mark"]}`
	var compact bytes.Buffer
	check(t, json.Compact(&compact, s.only(t).body))
	if got := compact.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Statuses: 75 may go better later, 70 will not, 78 is a setting, 64 is no record.
func TestNotifyExitStatus(t *testing.T) {
	for _, c := range []struct {
		answer string
		code   int
		reply  http.HandlerFunc
	}{
		{"204", 0, status(204)}, {"302", 70, status(302)}, {"400", 70, status(400)}, {"403", 70, status(403)}, {"404", 70, status(404)},
		{"408", 75, status(408)}, {"429", 75, status(429)}, {"500", 75, status(500)}, {"503", 75, status(503)},
		{"none", 75, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		{"200 that breaks off", 0, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = w.Write([]byte("short"))
		}},
		{"200 that is too long", 0, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2<<20)) }},
	} {
		t.Run(c.answer, func(t *testing.T) {
			s := startTold(t, c.reply)
			notification{script: "notify-slack.sh", record: record(t, nil), env: []string{"SLACK_WEBHOOK_URL=" + s.url}}.run(t).expect(t, c.code)
			s.only(t)
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		env := []string{"SLACK_WEBHOOK_URL=http://" + freeAddress(t) + "/"}
		notification{script: "notify-slack.sh", record: record(t, nil), env: env}.run(t).expect(t, 75, `not told \(HTTP 000\)`)
	})
	for name, text := range map[string]string{
		"nothing": "", "blanks": " \n", "text": "hello", "null": "null", "a list": "[]", "another object": `{"hook":"scan"}`,
		"half of one": `{"hook_id":"scan","run_id":"r","st`, "another type": `{"hook_id":["scan"],"run_id":"r","state":"failed"}`,
	} {
		t.Run("no record: "+name, func(t *testing.T) {
			s := startTold(t, nil)
			for _, script := range []string{"notify-slack.sh", "notify-mail.sh"} {
				n := notification{script: script, record: []byte(text), env: []string{"SLACK_WEBHOOK_URL=" + s.url, "MAIL_TO=a@example.com", "SENDMAIL=/bin/false"}}
				n.run(t).expect(t, 64, `standard input is no record of a run`)
			}
			if all, _ := s.all(); len(all) > 0 {
				t.Errorf("told all the same: %s", all[0].body)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// A setting is a variable or the first line of a file.
func TestNotifySettings(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	s := startTold(t, nil)
	n := notification{script: "notify-ntfy.sh", record: record(t, nil), env: []string{
		"NTFY_URL_FILE=" + file("url", s.url+"/\r\n"), "NTFY_TOPIC_FILE=" + file("-topic", "alerts\nsecond line\n"), "NTFY_TOKEN_FILE=" + file("token", "tk_2"),
	}}
	n.run(t).expect(t, 0)
	var got struct{ Topic string }
	check(t, json.Unmarshal(s.only(t).body, &got))
	if m := s.only(t); m.authorization != "Bearer tk_2" || got.Topic != "alerts" || m.path != "/" {
		t.Errorf("topic %q, authorization %q, path %s", got.Topic, m.authorization, m.path)
	}
	for _, c := range []struct {
		script, says string
		env          []string
	}{
		{"notify-slack.sh", "set SLACK_WEBHOOK_URL, or SLACK_WEBHOOK_URL_FILE", nil},
		{"notify-teams.sh", "set TEAMS_WEBHOOK_URL, or TEAMS_WEBHOOK_URL_FILE", nil},
		{"notify-ntfy.sh", "set NTFY_TOPIC, or NTFY_TOPIC_FILE", []string{"NTFY_URL=" + s.url}},
		{"notify-mail.sh", "set MAIL_TO, or MAIL_TO_FILE", []string{"MAIL_FROM=a@example.com"}},
		{"notify-slack.sh", "set SLACK_WEBHOOK_URL, or", []string{"SLACK_WEBHOOK_URL_FILE=" + file("empty", "")}},
		{"notify-slack.sh", "SLACK_WEBHOOK_URL_FILE names no file", []string{"SLACK_WEBHOOK_URL_FILE=" + dir + "/none"}},
		{"notify-slack.sh", "the URL must begin with https://", []string{"SLACK_WEBHOOK_URL=file:///etc/passwd"}},
		{"notify-slack.sh", "must be one line", []string{"SLACK_WEBHOOK_URL=" + s.url + "\"\noutput = \"x"}},
		{"notify-ntfy.sh", "must be one line", []string{"NTFY_TOPIC=t", "NTFY_TOKEN=a\nX-Other: b"}},
	} {
		t.Run(c.script+" "+c.says, func(t *testing.T) {
			notification{script: c.script, record: record(t, nil), env: c.env}.run(t).expect(t, 78, c.says)
		})
	}
	s.only(t) // nothing came besides
}
