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

// TestNewOfEverySender: what pawl new writes of each sender is loaded without a
// word once its secret is there, and what it says is complete.
func TestNewOfEverySender(t *testing.T) {
	directory := t.TempDir()
	script := filepath.Join(directory, "run.sh")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, s := range sender.All() {
		o := &newHookOptions{name: s.Name, sender: s.Name, script: script, directory: directory, url: "https://hooks.example.com/hooks"}
		for _, need := range s.Needs() {
			switch need {
			case "topics":
				o.topics = []string{"arn:aws:sns:eu-west-1:210987654321:mine"}
			case "audience":
				o.audience = "of-mine"
			case "email":
				o.email = "mine@acme.example"
			}
		}
		var out, notes bytes.Buffer
		if err := (&app{stdout: &out, stderr: &notes}).runNew(o); err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		path := filepath.Join(directory, s.Name)
		if s.IssuesSecret {
			if err := os.WriteFile(path+".secret", []byte("whsec_c2VjcmV0LWtleS1vZi0yNC1ieXRlcyE="), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(path + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		hooks, problems := hook.Read(path+".yaml", text, hook.Options{})
		if len(hooks) != 1 || len(problems) > 0 || hooks[0].Gate == nil {
			t.Errorf("%s: %d hooks, %v\n%s", s.Name, len(hooks), problems, text)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			if strings.HasSuffix(line, ": ") || strings.HasSuffix(line, "/") || strings.Contains(line, "''") {
				t.Errorf("%s: something is missing: %s", s.Name, line)
			}
		}
		for _, wrong := range []string{"{url}", "{secret}", "{topic}", "{audience}", "{email}", "PROJECT", "123456789012", "pawl.example.com"} {
			if strings.Contains(out.String(), wrong) {
				t.Errorf("%s: %s is left:\n%s", s.Name, wrong, out.String())
			}
		}
		for _, said := range append(o.topics, o.audience, o.email, "https://hooks.example.com/hooks/"+s.Name) {
			if !strings.Contains(out.String(), said) {
				t.Errorf("%s: %s is not told:\n%s", s.Name, said, out.String())
			}
		}
		if notes.Len() > 0 {
			t.Errorf("%s: %s", s.Name, notes.String())
		}
	}
}

// TestSendersInShort: the list has a short text of each in each column.
func TestSendersInShort(t *testing.T) {
	for _, s := range sender.All() {
		for _, text := range []string{authenticates(s), s.About.Tries} {
			if text == "" || len([]rune(text)) > 60 || strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is no short text", s.Name, text)
			}
		}
		if n := len([]rune(s.About.Tries)); n > 40 {
			t.Errorf("%s: %d columns: %s", s.Name, n, s.About.Tries)
		}
	}
}
