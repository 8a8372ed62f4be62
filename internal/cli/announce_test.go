package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/server"
)

// TestPausedHooksAreTold at the start, those alone, in the order of their names.
func TestPausedHooksAreTold(t *testing.T) {
	var out bytes.Buffer
	tellPaused(engine.Status{Hooks: map[string]engine.HookStatus{
		"scan":   {Waiting: 2, Paused: "by root: the disk is exchanged"},
		"greet":  {Waiting: 1},
		"deploy": {Paused: "by Pawl: 3 runs in a row have failed"},
	}}, zerolog.New(&out))
	want := `{"level":"warn","hook":"deploy","waiting":0,"why":"by Pawl: 3 runs in a row have failed","message":"paused: its runs wait for pawl runs resume"}
{"level":"warn","hook":"scan","waiting":2,"why":"by root: the disk is exchanged","message":"paused: its runs wait for pawl runs resume"}
`
	if out.String() != want {
		t.Errorf("told is\n%s", &out)
	}
}

// TestSecretsThatAreNotSetAreTold at the start, at each reload and in the table, by
// the name of what has to be set; once they are, nothing is.
func TestSecretsThatAreNotSetAreTold(t *testing.T) {
	directory := t.TempDir()
	hooks, file := filepath.Join(directory, "hooks.yaml"), filepath.Join(directory, "secret")
	text := strings.ReplaceAll(`
- {id: quay, execute-command: sh, sender: quay, auth: {path: {}}, secret: {file: FILE, unset: loopback}}
- {id: other, execute-command: sh, sender: github, secret: {file: FILE, unset: loopback}}
`, "FILE", file)
	if err := os.WriteFile(hooks, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	log := zerolog.New(&out).Level(zerolog.WarnLevel)
	r, err := newReloader(&settings{hooks: []string{hooks}}, false, log)
	if err != nil {
		t.Fatal(err)
	}
	told := func() (log, shown string) {
		out.Reset()
		r.reload()
		front, err := server.New(server.Options{Hooks: r.set, Engine: struct{ server.Engine }{}, Prefix: "hooks", MaxBody: 1, MaxInflight: 1})
		if err != nil {
			t.Fatal(err)
		}
		var printed bytes.Buffer
		table(&printed, "http://localhost:9000", front, r.set().All())
		return out.String(), printed.String()
	}
	logged, shown := told()
	if strings.Count(logged, "\n") != 1 || !strings.Contains(logged, file) || !strings.Contains(logged, "quay other") {
		t.Errorf("logged is %s", logged)
	}
	if strings.Count(shown, "nothing yet: this machine alone may call") != 2 || strings.Contains(shown, "{secret}") {
		t.Errorf("shown is\n%s", shown)
	}
	if err := os.WriteFile(file, []byte("a secret of this test"), 0o600); err != nil {
		t.Fatal(err)
	}
	if logged, shown = told(); logged != "" || !strings.Contains(shown, "/hooks/quay/{secret}") || strings.Contains(shown, "nothing yet") {
		t.Errorf("once it is set: logged %s, shown\n%s", logged, shown)
	}
}
