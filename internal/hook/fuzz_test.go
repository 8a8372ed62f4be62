package hook_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pawlhq/pawl/internal/hook"
)

// FuzzRead reads anything as a hook file: it never panics or takes long, says
// why it refuses a file and where, and gives a Set otherwise.
func FuzzRead(f *testing.F) {
	cases, _ := filepath.Glob("testdata/read/*.txt")
	for _, name := range cases {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data, false)
	}
	seeds, _ := filepath.Glob("../cli/testdata/compat/seed-hooks/*.json")
	for _, name := range seeds {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, true)
	}
	if len(cases) == 0 || len(seeds) == 0 {
		f.Fatal("no seeds")
	}
	f.Add([]byte("\xff\xfe[\x00]\x00"), false)
	f.Add([]byte("\xfe\xff\x00[\x00"), false)
	f.Add([]byte("- \x80"), true)
	f.Add([]byte("-\t: \r\r- ? \r\n"), true)
	f.Fuzz(func(t *testing.T, text []byte, reload bool) {
		if len(text) > 16<<10 {
			t.Skip("larger files are slower, not other")
		}
		began := time.Now()
		hooks, problems := hook.Read("f", text, hook.Options{Reload: reload})
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v", took)
		}
		checkPlaces(t, text, problems)
		if problems.Refused() {
			return
		}
		set := hook.NewSet(hooks)
		if set.Len() != len(hooks) {
			t.Errorf("%d hooks, but %d in the Set: an id is there twice", len(hooks), set.Len())
		}
		for _, h := range hooks {
			if set.ByID(h.ID) != h {
				t.Errorf("hook %q is not found", h.ID)
			}
		}
	})
}

// checkPlaces checks that problems say something, of a place in the file, and
// stand in the order of the lines.
func checkPlaces(t *testing.T, text []byte, problems hook.Problems) {
	t.Helper()
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return // UTF-16: the lines are others
	}
	// YAML has more line ends than one: CR, NEL and the two of Unicode.
	plain := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(string(text))
	lines := strings.Split(plain, "\n")
	last := hook.Position{}
	for _, p := range problems {
		if p.Text == "" || p.At.File != "f" {
			t.Errorf("says nothing: %#v", p)
		}
		if p.At.Line < last.Line || p.At.Line == last.Line && p.At.Column < last.Column {
			t.Errorf("%v comes after %v", p.At, last)
		}
		last = p.At
		if p.At.Line < 1 || p.At.Line > len(lines) {
			t.Fatalf("%v: the file has %d lines", p, len(lines))
		}
		if width := utf8.RuneCountInString(lines[p.At.Line-1]); p.At.Column < 1 || p.At.Column > width+1 {
			t.Errorf("%v: the line has %d characters", p, width)
		}
	}
}
