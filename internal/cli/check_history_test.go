//go:build unix

package cli

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const hooksOfThen = `
- id: deploy
  execute-command: "true"
  pass-arguments-to-command: [{ source: payload, name: sha }]
  trigger-rule: { match: { type: value, value: main, parameter: { source: payload, name: ref } } }
  on-success: tell
- id: tell
  execute-command: "true"
  pass-arguments-to-command: [{ source: payload, name: state }]
  auth: { bearer: {} }
  secret: { file: @DIR@/secret }
- id: tags
  execute-command: "true"
  pass-arguments-to-command: [{ source: element }]
  for-each: { source: payload, name: tags }
  queue: { key: [{ source: element }] }
  auth: none
- id: signed
  execute-command: "true"
  sender: github
  secret: { file: @DIR@/secret }
- id: token
  execute-command: "true"
  auth: { header: { name: X-Api-Token } }
  secret: { file: @DIR@/secret }
- id: left
  execute-command: "true"
- id: ruled
  execute-command: "true"
  trigger-rule: { match: { type: payload-hmac-sha256, secret: s3cret, parameter: { source: header, name: X-Hub-Signature-256 } } }
`

// historyCase is a changed hook file, and what changes by it.
type historyCase struct {
	name     string
	old, new string            // what stands in the place of what
	want     map[string]string // by hook: the changes, as in the table
	examples []string          // what is said of them
}

func historyCases() []historyCase {
	same := map[string]string{"deploy": "none", "tell": "none", "tags": "none", "signed": "none", "token": "none", "left": "none", "ruled": "none"}
	but := func(hook, changes string) map[string]string {
		all := map[string]string{hook: changes}
		for name, words := range same {
			if name != hook {
				all[name] = words
			}
		}
		return all
	}
	return []historyCase{
		{"the same file", "", "", same, nil},
		{"a rule that holds no more", "value: main", "value: next", but("deploy", "runs no more: 2"), []string{"1 run", "unmatched"}},
		{"a rule that holds as before", "value: main,", "value: main , ", same, nil},
		{"another argument", "name: sha }]", "name: sha }, { source: string, name: -v }]", but("deploy", "arguments: 2"), []string{`"true" "abc1"`, `"true" "abc1" "-v"`}},
		{"an argument of a hook that follows", "name: state", "name: hook", but("tell", "arguments: 2"), []string{`"true" "succeeded"`, `"true" ""`}},
		{"another directory", "  on-success: tell", "  on-success: tell\n  command-working-directory: /tmp", but("deploy", "arguments: 2"), []string{`"true" "abc1" in /tmp`}},
		{"a variable", "  on-success: tell", "  on-success: tell\n  pass-environment-to-command: [{ source: payload, name: ref }]", but("deploy", "environment: 2"), []string{"HOOK_ref=main"}},
		{"other elements", "name: tags }", `name: more }`, but("tags", "elements: 1"), []string{`"a" "b"`, `"c"`}},
		{"another key", "key: [{ source: element }]", "key: [{ source: payload, name: name }]", but("tags", "key: 1"), []string{"key a", "key shop"}},
		{"no element left", "name: tags }", "name: none }", but("tags", "runs no more: 1"), []string{"2 runs", "unmatched"}},
		{"an event that does not count", "  sender: github", "  sender: github\n  events: [release]", but("signed", "runs no more: 1"), []string{"release"}},
		{"another secret of what is signed", "sender: github\n  secret: { file: @DIR@/secret }", "sender: github\n  secret: { file: @DIR@/other }", but("signed", "runs no more: 1, authentication: 1"), []string{"refused: "}},
		{"from a rule to a sender", "  trigger-rule: { match: { type: payload-hmac-sha256, secret: s3cret, parameter: { source: header, name: X-Hub-Signature-256 } } }",
			"  sender: github\n  secret: { file: @DIR@/secret }", but("ruled", "authentication: 1"), []string{`the trigger rule: header "X-Hub-Signature-256" is the body's HMAC-SHA256`}},
		{"a rule that is gone", "  trigger-rule: { match: { type: payload-hmac-sha256, secret: s3cret, parameter: { source: header, name: X-Hub-Signature-256 } } }",
			"", but("ruled", "authentication: 1"), []string{"nobody is asked"}},
		{"nobody is asked any more", "sender: github\n  secret: { file: @DIR@/secret }", "sender: github\n  auth: none", but("signed", "authentication: 1"), []string{"nobody is asked"}},
		{"another secret of a token", "X-Api-Token } }\n  secret: { file: @DIR@/secret }", "X-Api-Token } }\n  secret: { file: @DIR@/other }", same, nil},
		{"addresses, which are stored", "  auth: { header: { name: X-Api-Token } }\n  secret: { file: @DIR@/secret }", "  auth: { addresses: [192.0.2.0/24] }", but("token", "runs no more: 1, authentication: 1"), []string{"refused: "}},
		{"another path", "- id: left", "- id: left\n  path: right", but("left", "runs no more: 1"), []string{"its path is right"}},
		{"a hook that is not in the file", "- id: left\n  execute-command: \"true\"\n", "", but("left", "not in these files: 1"), nil},
		{"a new hook at the path", "- id: left\n", "- id: right\n  path: left\n  execute-command: \"true\"\n- id: left\n",
			map[string]string{"deploy": "none", "tell": "none", "tags": "none", "signed": "none", "token": "none", "left": "none", "ruled": "none", "right": "runs now: 1"}, []string{"no run of this hook"}},
	}
}

// TestCheckAgainstHistory: a Pawl takes deliveries; changed hook files are asked
// about them, and what is told is what they change, no more.
func TestCheckAgainstHistory(t *testing.T) {
	p := startHistory(t)
	for _, c := range historyCases() {
		t.Run(c.name, func(t *testing.T) {
			if c.old != "" && !strings.Contains(hooksOfThen, c.old) {
				t.Fatalf("%q is not in the hook file", c.old)
			}
			p.write("new.yaml", strings.Replace(hooksOfThen, c.old, c.new, 1))
			var told historyJSON
			text, status := p.history("-o", "json")
			if err := json.Unmarshal([]byte(text), &told); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			got, changes := map[string]string{}, false
			for _, one := range told.Hooks {
				got[one.Hook] = wordsOf(one)
				changes = changes || len(one.Changes) > 0
			}
			for hook, want := range c.want {
				if got[hook] != want {
					t.Errorf("%s: it tells %q, not %q", hook, got[hook], want)
				}
				delete(got, hook)
			}
			if len(got) > 0 {
				t.Errorf("it tells of %v too", got)
			}
			if changes != told.Changed || changes != (status == exitFailure) {
				t.Errorf("the exit status is %d, changed is %v", status, told.Changed)
			}
			people, _ := p.history()
			for _, words := range c.examples {
				if !strings.Contains(text, strings.ReplaceAll(words, `"`, `\"`)) || !strings.Contains(people, words) {
					t.Errorf("it does not say %q:\n%s%s", words, text, people)
				}
			}
			if strings.Contains(text+people, "s3cret") {
				t.Error("a secret is shown")
			}
		})
	}
}

// TestCheckAgainstHistorySince: what came before -since is not asked about, and
// who called is not guessed where that was not kept.
func TestCheckAgainstHistorySince(t *testing.T) {
	p := startHistory(t)
	p.write("new.yaml", hooksOfThen)
	if text, status := p.history("-since", "0s"); status != exitOK || !strings.Contains(text, "no deliveries are kept since") {
		t.Errorf("%d: %s", status, text)
	}
	text, status := p.history("-since", "1d")
	if status != exitOK || !strings.Contains(text, "7 deliveries") && !strings.Contains(text, "9 deliveries") || !strings.Contains(text, "nothing changes") {
		t.Errorf("%d: %s", status, text)
	}
	if !strings.Contains(text, "token: who called cannot be asked again of 1 delivery: what authenticates it (header) was not kept") {
		t.Errorf("it does not say whom it cannot ask:\n%s", text)
	}
}

// wordsOf puts the changes of a hook as the table has them.
func wordsOf(one comparisonJSON) string {
	c := comparison{absent: one.Absent, changes: map[change]*changed{}}
	for _, found := range one.Changes {
		c.changes[found.What] = &changed{count: found.Deliveries}
	}
	return c.words()
}

// startHistory has a Pawl that took a few deliveries.
func startHistory(t *testing.T) *pawl {
	dir := t.TempDir()
	for name, text := range map[string]string{"secret": "s3cret", "other": "0ther-s3cret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := startPawl(t, strings.ReplaceAll(hooksOfThen, "@DIR@", dir), nil)
	for name, text := range map[string]string{"secret": "s3cret", "other": "0ther-s3cret"} {
		p.write(name, text)
	}
	post := func(path, body string, header ...string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://pawl/hooks/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		answer, err := p.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s; log:\n%s", path, answer.Status, p.logged())
		}
	}
	post("deploy", `{"ref": "main", "sha": "abc1"}`)
	post("deploy", `{"ref": "main", "sha": "abc2"}`)
	post("tags", `{"name": "shop", "tags": ["a", "b"], "more": ["c"], "none": []}`)
	body := `{"ref": "refs/heads/main"}`
	mac := hmac.New(sha256.New, []byte("s3cret"))
	mac.Write([]byte(body))
	post("signed", body, "X-GitHub-Event", "push", "X-GitHub-Delivery", "1", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	post("token", `{}`, "X-Api-Token", "s3cret")
	post("left", `{}`)
	post("ruled", body, "X-GitHub-Event", "push", "X-GitHub-Delivery", "2", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	c := newClient(filepath.Join(p.dir, "state"))
	p.await("all has run", func() bool {
		var listing struct{ Runs []struct{ State string } }
		if err := c.get(t.Context(), request{path: "/runs"}, &listing); err != nil {
			return false
		}
		for _, r := range listing.Runs {
			if r.State != "succeeded" {
				return false
			}
		}
		return len(listing.Runs) == 10
	})
	return p
}

// history runs pawl check -against-history.
func (p *pawl) history(flags ...string) (string, int) {
	p.t.Helper()
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	command := exec.Command(self, append([]string{"check", "-against-history", "-data-dir", "state", "new.yaml"}, flags...)...)
	command.Dir = p.dir
	command.Env = []string{playVariable + "=1", "GORACE=atexit_sleep_ms=0", "PATH=" + os.Getenv("PATH")}
	var out, failed bytes.Buffer
	command.Stdout, command.Stderr = &out, &failed
	_ = command.Run() // its status is looked at
	if failed.Len() > 0 {
		p.t.Errorf("pawl check says: %s", &failed)
	}
	return out.String(), command.ProcessState.ExitCode()
}
