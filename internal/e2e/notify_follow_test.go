//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// notifyFiles is a hook file of an operator's, whose hooks name those of
// hooks/notify.yaml: relative to hooks, as startPawl takes it.
func notifyFiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"try $PAWL_ATTEMPT <b>$(printf '\\033')\"\nprintf 'report={\"n\":%s}\\n' \"$PAWL_ATTEMPT\" >>\"$PAWL_OUTPUT\"\nexit \"$1\"\n"
	check(t, os.WriteFile(filepath.Join(dir, "deploy.sh"), []byte(script), 0o755))
	hooks := `
- id: fails
  execute-command: ` + dir + `/deploy.sh
  pass-arguments-to-command: [{ source: string, name: '3' }]
  retry: { attempts: 3, backoff: 10ms }
  on-failure: notify-slack
  on-success: notify-ntfy
- id: works
  execute-command: ` + dir + `/deploy.sh
  pass-arguments-to-command: [{ source: string, name: '0' }]
  queue: { key: { source: payload, name: ref } }
  on-failure: notify-ntfy
  on-success: notify-slack
`
	file := filepath.Join(dir, "hooks.yaml")
	check(t, os.WriteFile(file, []byte(hooks), 0o600))
	relative, err := filepath.Rel(filepath.Join(place.root, "hooks"), file)
	check(t, err)
	return relative
}

// wait returns the nth message.
func (s *told) wait(t *testing.T, n int) message {
	t.Helper()
	for deadline := time.After(patience); ; {
		all, more := s.all()
		if len(all) >= n {
			return all[n-1]
		}
		select {
		case <-more:
		case <-deadline:
			t.Fatalf("%d messages came in %v, want %d", len(all), patience, n)
		}
	}
}

// text is what Slack was told.
func (m message) text(t *testing.T) string {
	t.Helper()
	var got struct{ Text string }
	check(t, json.Unmarshal(m.body, &got))
	return got.Text
}

// A hook that failed for good, and one that worked, tell so once, by the bundled
// hooks, which nobody else can call.
func TestNotifyTheWholeWay(t *testing.T) {
	const secret = "/services/T0SECRET/B0SECRET"
	s := startTold(t, nil)
	// Whoever calls with X-Forwarded-For calls from there, as far as Pawl can see.
	env := []string{"SLACK_WEBHOOK_URL=" + s.url + secret, "PAWL_TRUSTED_PROXIES=127.0.0.1", "TMPDIR=" + t.TempDir()}
	l := startPawl(t, freeAddress(t), env, "notify.yaml", notifyFiles(t))

	l.post(t, "fails", "application/json", nil)
	got := s.wait(t, 1).text(t)
	for _, part := range []string{"fails failed\n", "\nreport: {\"n\":3}\n", ", attempt 3\n", "\n\ntry 3 &lt;b&gt;?"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing in what is told after the last attempt:\n%s", part, got)
		}
	}
	l.post(t, "works", "application/json", []byte(`{"ref":"main & more"}`))
	got = s.wait(t, 2).text(t)
	for _, part := range []string{"works succeeded: main &amp; more\n", "report: {\"n\":1}\n", "\n\ntry 1 &lt;b&gt;?"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing in what is told of a success:\n%s", part, got)
		}
	}
	l.wait(t, "notify-slack: told", 2)

	for _, hook := range []string{"notify-slack", "notify-teams", "notify-ntfy", "notify-mail"} {
		stranger, err := http.NewRequest(http.MethodPost, l.url+hook, strings.NewReader(string(record(t, nil))))
		check(t, err)
		stranger.Header.Set("Content-Type", "application/json")
		stranger.Header.Set("X-Forwarded-For", "192.0.2.1")
		answer, err := http.DefaultClient.Do(stranger)
		check(t, err)
		_ = answer.Body.Close()
		if id := answer.Header.Get("X-Pawl-Run-Id"); id != "" {
			t.Errorf("a stranger made %s run: %s", hook, id)
		}
	}
	// One from here may: it is the only one that comes after all those.
	l.post(t, "notify-slack", "application/json", record(t, nil))
	if got = s.wait(t, 3).text(t); !strings.HasPrefix(got, "scan failed: acme/web-shop,v1\nexit status 3\n") {
		t.Errorf("the third message is not the one from here:\n%s", got)
	}
	l.wait(t, "notify-slack: told", 3)
	if all, _ := s.all(); len(all) != 3 {
		t.Errorf("%d messages came, want 3", len(all))
	}
	for _, m := range []string{"SECRET", "not satisfied"} {
		if n := strings.Count(l.text(), m); (n > 0) != (m != "SECRET") {
			t.Errorf("the log has %d times %q", n, m)
		}
	}
}
