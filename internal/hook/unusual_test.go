package hook_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
)

func itoa(fd uintptr) string { return strconv.FormatUint(uint64(fd), 10) }

// TestSchemaBesideHookFiles: what pawl schema prints may lie in a directory of
// hook files; named as a hook file it is told what it is.
func TestSchemaBesideHookFiles(t *testing.T) {
	d := files{t, t.TempDir()}
	d.write("a.yaml", "a")
	d.write("hooks.schema.json", "!"+string(hook.Schema()))
	_, report, err := hook.NewLoader([]string{d.dir}, hook.Options{}).Load()
	if err != nil || len(report.Files) != 1 || len(report.Problems) != 0 {
		t.Errorf("files %v, problems %v, error %v; want a.yaml alone", rendered(report), report.Problems, err)
	}
	_, report, _ = hook.NewLoader([]string{filepath.Join(d.dir, "hooks.schema.json")}, hook.Options{}).Load()
	if text := report.Problems.String(); !strings.Contains(text, "this is a JSON Schema") {
		t.Errorf("the schema as a hook file: %q", text)
	}
	// An object that names a schema for editors is a hook file gone wrong.
	d.write("b.json", `!{"$schema": "hooks.schema.json", "id": "b", "execute-command": "/bin/true"}`)
	_, report, _ = hook.NewLoader([]string{d.dir}, hook.Options{}).Load()
	if text := report.Problems.String(); !strings.Contains(text, "a hook file is a list of hooks, not an object (put [ and ] around it)") {
		t.Errorf("an object: %q", text)
	}
}

// TestAwaited: a file that could not be loaded tells which files it names, as
// they were; one that could be tells none.
func TestAwaited(t *testing.T) {
	d := files{t, t.TempDir()}
	secret := filepath.Join(d.dir, "h.secret")
	d.write("h.yaml", "!- {id: h, execute-command: /bin/true, sender: slack, secret: {file: "+secret+"}}")
	loader := hook.NewLoader([]string{d.dir}, hook.Options{})
	_, report, _ := loader.Load()
	if got := report.Files[0].Awaited; len(got) != 1 || got[0].Path != secret || got[0].Seen != nil {
		t.Errorf("awaited: %v; want %s, unseen", got, secret)
	}
	if err := os.WriteFile(secret, []byte("8f742231b10e8888abcd99yyyzzz85a5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, report, _ = loader.Load()
	if got := report.Files[0]; got.Kept || len(got.Awaited) != 0 || len(got.Hooks) != 1 {
		t.Errorf("with the secret: %+v, %v", got, report.Problems)
	}
}

// TestAllAtOnce: a file that is refused is asked for hooks that follow and are
// nowhere as well.
func TestAllAtOnce(t *testing.T) {
	d := files{t, t.TempDir()}
	d.write("h.yaml", "!- {id: h, execute-command: /bin/true, nosuch: 1, on-failure: nowhere, on-success: h2}\n- {id: h2, execute-command: /bin/true}")
	_, report, _ := hook.NewLoader([]string{d.dir}, hook.Options{}).Load()
	text := report.Problems.String()
	if !report.Files[0].Kept || !strings.Contains(text, `unknown key "nosuch"`) || !strings.Contains(text, `on-failure: there is no hook "nowhere"`) {
		t.Errorf("problems:\n%s", text)
	}
	if strings.Contains(text, `"h2"`) {
		t.Errorf("it misses a hook of the same file:\n%s", text)
	}
}
