//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// watched is a directory for the beginning of PATH, with programs that write
// down their arguments and become the real ones.
func watched(t *testing.T) (path, arguments string) {
	t.Helper()
	dir := t.TempDir()
	arguments = filepath.Join(dir, "arguments")
	for _, name := range []string{"curl", "jq", "sed", "tr", "grep", "head", "tail", "cut", "cat", "base64", "mktemp"} {
		program, err := exec.LookPath(name)
		check(t, err)
		text := "#!/bin/sh\nprintf '%s\\n' " + name + " \"$@\" >>" + arguments + "\nexec " + program + " \"$@\"\n"
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	return "PATH=" + dir + ":" + os.Getenv("PATH"), arguments
}

// What lets its bearer in, and what a script printed, is no program's argument,
// for those can be seen by everybody on the machine; nor is a secret printed,
// though a server repeats it.
func TestNotifyKeepsSecrets(t *testing.T) {
	const path, signature, token, topic, printed = "/services/T0SECRET/B0SECRET", "s1gnatureSECRET", "tk_SECRET", "topicSECRET", "outputSECRET"
	repeats := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write([]byte("The URL " + r.URL.RequestURI() + " with " + r.Header.Get("Authorization") + " was not found here.\n"))
		}
	}
	for _, script := range []string{"notify-slack.sh", "notify-teams.sh", "notify-ntfy.sh"} {
		for name, c := range map[string]struct {
			reply http.HandlerFunc
			code  int
			says  string
		}{
			"told":    {nil, 0, "told"},
			"refused": {repeats(404), 70, `refused \(HTTP 404\)\n    \| \(not shown: it repeats the URL or the token\)\n$`},
			"reasons": {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "invalid_payload\x1b[2J", 400) }, 70, `\n    \| invalid_payload\?\[2J\n$`},
			"later":   {repeats(503), 75, `not told \(HTTP 503\)\n$`},
		} {
			t.Run(script+" "+name, func(t *testing.T) {
				s := startTold(t, c.reply)
				beginning, arguments := watched(t)
				n := notification{script: script, record: record(t, map[string]any{"output": printed, "key": printed}), env: []string{
					beginning, "SLACK_WEBHOOK_URL=" + s.url + path, "TEAMS_WEBHOOK_URL=" + s.url + "/w?v=1&sig=" + signature,
					"NTFY_URL=" + s.url, "NTFY_TOPIC=" + topic, "NTFY_TOKEN=" + token,
				}}
				r := n.run(t)
				r.expect(t, c.code, c.says)
				m := s.only(t)
				if all := m.path + m.authorization + string(m.body); strings.Count(all, "SECRET") < 2 {
					t.Errorf("the service was not told all: %s", all)
				}
				text, err := os.ReadFile(arguments)
				check(t, err)
				if !strings.Contains(string(text), "curl\n--config\n-\n") || !strings.Contains(string(text), "jq\n-n") {
					t.Errorf("curl and jq were not called by way of PATH:\n%s", text)
				}
				if strings.Contains(string(text), "SECRET") {
					t.Errorf("in the arguments of programs:\n%s", text)
				}
				if strings.Contains(r.output, "SECRET") {
					t.Errorf("printed: %s", r.output)
				}
			})
		}
	}
}
