package lint_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/lint"
)

// TestBundled: about the hooks that come with Pawl there is nothing to say but
// advice, their scripts included; about the examples, whose scripts are not there
// and whose secrets are to be replaced, nothing is wrong.
func TestBundled(t *testing.T) {
	for _, c := range []struct {
		directory string
		most      lint.Severity
	}{{"hooks", lint.Note}, {"examples/hooks", lint.Warning}} {
		_, report, _ := hook.NewLoader([]string{filepath.Join("..", "..", c.directory)}, hook.Options{}).Load()
		if len(report.Files) == 0 {
			t.Errorf("%s holds no hook file", c.directory)
		}
		for _, f := range lint.Files(report, lint.Options{Directory: filepath.Join("..", "..")}) {
			if f.Severity > c.most && f.Rule != "writable" { // the checkout's modes are its owner's
				t.Errorf("%s: %s: %s (%s)", f.At, f.Severity, f.Message(), f.Rule)
			}
		}
	}
}

// TestNoSecretIsTold: whatever is wrong about a secret, it is not in what is said.
func TestNoSecretIsTold(t *testing.T) {
	const secret = "hunter2hunter2"
	text := strings.ReplaceAll(`
- id: one
  execute-command: sh
  secret: SECRET
  sender: github
  trigger-rule:
    and:
      - match: { type: value, value: SECRET, secret: SECRET, parameter: { source: header, name: X-Gitlab-Token } }
      - match: { type: value, value: SECRET2, parameter: { source: header, name: X-Gitlab-Token } }
      - match: { type: payload-hmac-sha1, secret: SECRET, parameter: { source: header, name: X-Hub-Signature-256 } }
      - match: { type: payload-hmac-sha256, secret: SECRET, parameter: { source: header, name: X-Gitlab-Token } }
`, "SECRET", secret)
	file := filepath.Join(t.TempDir(), "hooks.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	findings := find(t, false, file)
	if len(findings) < 5 {
		t.Errorf("only %d findings", len(findings))
	}
	if told := written(findings); strings.Contains(told, secret) {
		t.Error("a secret is told")
	}
}

// FuzzFiles: whatever stands in a hook file, looking at it ends, and each finding
// has a rule, a place in some file and words.
func FuzzFiles(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range seeds {
		text, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("- &a {id: x, <<: *a}"))
	f.Add([]byte("a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "command") && strings.Contains(string(text), "/dev") {
			t.Skip("a file there may never end")
		}
		file := filepath.Join(t.TempDir(), "hooks.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, finding := range find(t, false, file) {
			if finding.Rule == "" || finding.Text == "" || finding.At.File == "" {
				t.Errorf("an empty finding: %+v", finding)
			}
		}
	})
}
