//go:build unix

package lint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/lint"
)

// TestWritable: who may change a script, the hook file, or what they lie in, may
// run what he likes. A sticky directory lets nobody exchange others' files.
func TestWritable(t *testing.T) {
	cases := []struct {
		name string
		path string // whose mode it is
		mode fs.FileMode
		uid  int // of that file; its group is another
		want string
	}{
		{"nobody else", "bin/run.sh", 0o755, 0, ""},
		{"a script", "bin/run.sh", 0o757, 0, "hooks.yaml:2:20: anyone on this machine may change the script: DIR/bin/run.sh (mode 0757); chmod o-w DIR/bin/run.sh"},
		{"a script by its group", "bin/run.sh", 0o775, 1234, "hooks.yaml:2:20: its group may change the script: DIR/bin/run.sh (mode 0775); chmod g-w DIR/bin/run.sh"},
		{"its directory", "bin", 0o777, 0, "hooks.yaml:2:20: anyone on this machine may change the script: DIR/bin (mode 0777); chmod o-w DIR/bin"},
		{"its sticky directory", "bin", 0o777 | fs.ModeSticky, 0, ""},
		{"the hook file", "hooks.yaml", 0o666, 0, "hooks.yaml: anyone on this machine may change the hook file: DIR/hooks.yaml (mode 0666); chmod o-w DIR/hooks.yaml"},
		{"what a link leads to", "bin/real.sh", 0o757, 0, "hooks.yaml:5:20: anyone on this machine may change the script: DIR/bin/real.sh (mode 0757); chmod o-w DIR/bin/real.sh"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := exposed(t)
			if c.uid != 0 {
				if os.Getuid() != 0 {
					t.Skip("only root can give files away")
				}
				if err := os.Chown(filepath.Join(dir, c.path), c.uid, c.uid+1); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(filepath.Join(dir, c.path), c.mode); err != nil {
				t.Fatal(err)
			}
			if got := told(t, dir, "writable"); got != c.want {
				t.Errorf("it tells\n%q\nnot\n%q", got, c.want)
			}
		})
	}
}

// TestSecretFile: a secret that anyone may read is none.
func TestSecretFile(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0o600: "", 0o640: "",
		0o644: "hooks.yaml:10:13: anyone on this machine may read the secret in DIR/secret (mode 0644); chmod 600 DIR/secret, and give it to the user that Pawl runs as",
	} {
		dir := exposed(t)
		if err := os.Chmod(filepath.Join(dir, "secret"), mode); err != nil {
			t.Fatal(err)
		}
		if got := told(t, dir, "secret-file"); got != want {
			t.Errorf("of mode %v it tells %q, not %q", mode, got, want)
		}
	}
}

// exposed makes a directory with a hook file, scripts and a secret.
func exposed(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	hooks := `- id: one
  execute-command: DIR/bin/run.sh
  trigger-rule: { match: { type: ip-whitelist, ip-range: 127.0.0.1 } }
- id: two
  execute-command: DIR/bin/link.sh
  trigger-rule: { match: { type: ip-whitelist, ip-range: 127.0.0.1 } }
- id: three
  execute-command: DIR/bin/run.sh
  auth: { bearer: {} }
  secret: { file: DIR/secret }
`
	for name, text := range map[string]string{"bin/run.sh": "#!/bin/sh\n", "bin/real.sh": "#!/bin/sh\n", "secret": "s3cret\n", "hooks.yaml": strings.ReplaceAll(hooks, "DIR", dir)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "bin/") {
			if err := os.Chmod(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Symlink("real.sh", filepath.Join(dir, "bin", "link.sh")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// told gives the first finding of a rule, in one line.
func told(t *testing.T, dir, rule string) string {
	t.Helper()
	_, report, _ := hook.NewLoader([]string{filepath.Join(dir, "hooks.yaml")}, hook.Options{}).Load()
	for _, f := range lint.Files(report, lint.Options{}) {
		if f.Rule == "syntax" || f.Rule == "hook-file" {
			t.Fatal(f)
		}
	}
	for _, f := range lint.Files(report, lint.Options{}) {
		if f.Rule == rule {
			at := strings.TrimPrefix(f.At.String(), dir+"/")
			return strings.ReplaceAll(at+": "+f.Text+"; "+f.Fix, dir, "DIR")
		}
	}
	return ""
}
