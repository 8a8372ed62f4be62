//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logHooks are the hooks whose log docs/running.md shows, with their scripts.
var logHooks = map[string]string{
	"hooks.yaml": `
- id: hello
  execute-command: ./hello.sh
  pass-arguments-to-command: [{ source: payload, name: user.name }]
- id: deploy
  execute-command: ./deploy.sh
  trigger-rule: { match: { type: value, value: refs/heads/main, parameter: { source: payload, name: ref } } }
`,
	"hello.sh":  "#!/bin/sh\necho \"hello, $1\"\n",
	"deploy.sh": "#!/bin/sh\necho 'no space left'\nexit 3\n",
}

// TestDocsLog compares the log that docs/running.md shows with that of the same
// deliveries: each line's form, and what stands below it.
func TestDocsLog(t *testing.T) {
	blocks := pageNamed(t, "docs/running.md").blocks
	at := slices.IndexFunc(blocks, func(b block) bool { return b.is("log") })
	if at < 0 {
		t.Fatal("docs/running.md shows no log")
	}
	want := logEntries(blocks[at].text)

	r := newReader(t)
	for name, text := range logHooks {
		r.write(name, text)
	}
	r.run("scripts", "chmod +x *.sh")
	r.serve("log", "pawl -hooks hooks.yaml -ip 127.0.0.1 -logfile log")
	const post = "curl -sS -H 'Content-Type: application/json' -d "
	r.run("hello", post+`'{"user": {"name": "Ada"}}' http://127.0.0.1:9000/hooks/hello`)
	r.run("deploy", post+`'{"ref": "refs/heads/main"}' http://127.0.0.1:9000/hooks/deploy`)
	r.run("another branch", post+`'{"ref": "refs/heads/topic"}' http://127.0.0.1:9000/hooks/deploy`)

	var got []string
	poll(patience, func() bool {
		text, err := os.ReadFile(filepath.Join(r.dir, "log"))
		if err != nil {
			t.Fatal(err)
		}
		got = slices.DeleteFunc(logEntries(string(text)), func(entry string) bool {
			return !strings.Contains(entry, " delivery=") // of the start
		})
		return len(got) >= len(want)
	})
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("the log of docs/running.md (-) is another than Pawl's (+):\n%s", difference)
	}
}

// logEntries takes a log apart into lines, each with the block below it, and
// puts in the place of what differs each time what it is. A request's line and
// those of its run are not written in a fixed order, so they are sorted.
func logEntries(text string) []string {
	var entries []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "    ") && len(entries) > 0 {
			entries[len(entries)-1] += line
			continue
		}
		for _, form := range []struct{ is, written string }{
			{`TIME`, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)`},
			{`took=TIME`, `took="?[0-9.]+[µm]?s"?`},
			{`ID`, `[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`},
			{`127.0.0.1:PORT`, `127\.0\.0\.1:\d+`},
		} {
			line = regexp.MustCompile(form.written).ReplaceAllString(line, form.is)
		}
		entries = append(entries, line)
	}
	slices.Sort(entries)
	return entries
}
