package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
)

// TestSendersHooks: the hook to begin with of each sender can be loaded, once its
// secret is there.
func TestSendersHooks(t *testing.T) {
	directory := t.TempDir()
	for _, s := range sender.All() {
		path := filepath.Join(directory, s.Name)
		if err := os.WriteFile(path, []byte("whsec_"+strings.Repeat("c2VjcmV0", 4)), 0o600); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(exampleHook(s, ""), "/run/secrets/"+s.Name, path)
		hooks, problems := hook.Read("hooks.yaml", []byte(text), hook.Options{})
		if len(hooks) != 1 || len(problems) > 0 {
			t.Errorf("%s: %d hooks, %v\n%s", s.Name, len(hooks), problems, text)
		}
	}
}

// TestSendersLines: nothing that is told of a sender is wider than 80 columns but
// what is to be copied, and no placeholder is left.
func TestSendersLines(t *testing.T) {
	for _, s := range sender.All() {
		var out bytes.Buffer
		printSender(&out, s, "")
		if strings.Contains(out.String(), "{url}") || strings.Contains(out.String(), "{secret}") {
			t.Errorf("%s: a placeholder is left:\n%s", s.Name, out.String())
		}
		copied := false // within settings or the hook
		for line := range strings.Lines(out.String()) {
			switch {
			case strings.HasPrefix(line, "What to enter"), strings.HasPrefix(line, "A hook"):
				copied = true
			case !strings.HasPrefix(line, " "):
				copied = false
			}
			if width := len([]rune(strings.TrimRight(line, "\n"))); width > 80 && !copied && !strings.Contains(line, "https://") {
				t.Errorf("%s: %d columns: %s", s.Name, width, line)
			}
		}
	}
}

// TestDocsSenders: docs/senders.md has a row and a section for each sender, which
// shows the hook that pawl senders shows and what to enter there.
func TestDocsSenders(t *testing.T) {
	text, err := os.ReadFile(repository + "/docs/senders.md")
	if err != nil {
		t.Fatal(err)
	}
	yes := map[bool]string{true: "yes"}
	_, all, _ := strings.Cut(string(text), "\n## The senders\n")
	for _, s := range sender.All() {
		row := "| " + strings.Join([]string{
			"[`" + s.Name + "`](#" + s.Name + ")", s.Title, authenticates(s), yes[s.TakesSecret()], yes[s.Repeats], yes[s.SwitchesOff],
		}, " | ") + " |\n"
		if !strings.Contains(string(text), row) {
			t.Errorf("docs/senders.md lacks the row %s", row)
		}
		_, section, _ := strings.Cut(all, "\n### "+s.Name+"\n")
		section, _, _ = strings.Cut(section, "\n### ")
		if !strings.Contains(section, "```yaml\n"+exampleHook(s, "")+"```\n") {
			t.Errorf("docs/senders.md, %s: another hook than pawl senders shows:\n%s", s.Name, exampleHook(s, ""))
		}
		plain := strings.ReplaceAll(section, "`", "")
		for _, step := range s.Steps(example(s, "https://HOST/hooks/"+s.Name)) {
			if !strings.Contains(plain, ". "+strings.ReplaceAll(step, "`", "")+"\n") {
				t.Errorf("docs/senders.md, %s lacks the step: %s", s.Name, step)
			}
		}
	}
}
