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
		text := strings.ReplaceAll(exampleHook(s), "/run/secrets/"+s.Name, path)
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
