package hook_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/hook"
)

// A step changes files, loads, and says what must then be in force: the ids of
// each file, "(kept)" behind those of a file that could not be loaded, and the
// problems without the directory.
type step struct {
	change   func(d files)
	want     []string
	problems []string
	err      error
}

// files is the directory of a case. A content is made of ids: "a b" is a file of
// two hooks; one that begins with ! is written as it is.
type files struct {
	t   *testing.T
	dir string
}

func (d files) write(name, content string) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(hookFile(content)), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d files) remove(name string) {
	d.t.Helper()
	if err := os.RemoveAll(filepath.Join(d.dir, name)); err != nil {
		d.t.Fatal(err)
	}
}

func hookFile(content string) string {
	if raw, ok := strings.CutPrefix(content, "!"); ok {
		return raw
	}
	text := "[\n"
	for _, id := range strings.Fields(content) {
		text += fmt.Sprintf("  {\"id\": %q, \"execute-command\": \"/bin/true\"},\n", id)
	}
	return text + "]\n"
}

const same = "the id is that of a hook in %s already: an id must be unique over all hook files"

var loadCases = []struct {
	name   string
	listed []string // "hooks.json" when empty
	steps  []step
}{
	{
		name: "a file is read, and read again",
		steps: []step{
			{change: func(d files) { d.write("hooks.json", "a b") }, want: []string{"hooks.json: a b"}},
			{change: func(d files) { d.write("hooks.json", "b c") }, want: []string{"hooks.json: b c"}},
			{change: func(d files) { d.write("hooks.json", "") }, want: []string{"hooks.json:"}},
		},
	},
	{
		name: "a file that cannot be loaded keeps its hooks until it can",
		steps: []step{
			{change: func(d files) { d.write("hooks.json", "a") }, want: []string{"hooks.json: a"}},
			{
				change:   func(d files) { d.write("hooks.json", "!{") },
				want:     []string{"hooks.json: a (kept)"},
				problems: []string{"hooks.json:1:2: cannot read this as JSON or YAML: did not find expected node content"},
			},
			{
				change:   func(d files) { d.write("hooks.json", "b b") },
				want:     []string{"hooks.json: a (kept)"},
				problems: []string{`hooks.json:3:10: the id "b" is that of the hook in line 2 already`},
			},
			{change: func(d files) { d.write("hooks.json", "b") }, want: []string{"hooks.json: b"}},
		},
	},
	{
		name: "an id twice in one file: the first counts at the start",
		steps: []step{{
			change:   func(d files) { d.write("hooks.json", "a a") },
			want:     []string{"hooks.json: a"},
			problems: []string{`hooks.json:3:10: the id "a" is that of the hook in line 2 already; only that one counts, and a reload would refuse the file`},
		}},
	},
	{
		name: "a listed file that is gone keeps its hooks",
		steps: []step{
			{change: func(d files) { d.write("hooks.json", "a") }, want: []string{"hooks.json: a"}},
			{
				change: func(d files) { d.remove("hooks.json") }, want: []string{"hooks.json: a (kept)"},
				problems: []string{"hooks.json: cannot read the hook file: no such file or directory"},
			},
			{change: func(d files) { d.write("hooks.json", "b") }, want: []string{"hooks.json: b"}},
		},
	},
	{
		name: "a listed file that is missing at the start is read when it is there",
		steps: []step{
			{want: []string{"hooks.json: (kept)"}, problems: []string{"hooks.json: cannot read the hook file: no such file or directory"}},
			{change: func(d files) { d.write("hooks.json", "a") }, want: []string{"hooks.json: a"}},
		},
	},
	{
		name:   "a directory: its files in the order of their names, not hidden ones, not what is below",
		listed: []string{"d"},
		steps: []step{
			{
				change: func(d files) {
					d.write("d/b.yaml", "b")
					d.write("d/a.json", "a")
					d.write("d/c.yml", "c")
					d.write("d/.hidden.json", "hidden")
					d.write("d/notes.txt", "!not read {")
					d.write("d/below.json/x.json", "below")
				},
				want: []string{"d/a.json: a", "d/b.yaml: b", "d/c.yml: c"},
			},
			{change: func(d files) { d.remove("d/b.yaml"); d.write("d/0.json", "z") }, want: []string{"d/0.json: z", "d/a.json: a", "d/c.yml: c"}},
			{
				change:   func(d files) { d.write("d/a.json", "!{") },
				want:     []string{"d/0.json: z", "d/a.json: a (kept)", "d/c.yml: c"},
				problems: []string{"d/a.json:1:2: cannot read this as JSON or YAML: did not find expected node content"},
			},
			{change: func(d files) { d.remove("d/a.json") }, want: []string{"d/0.json: z", "d/c.yml: c"}},
			{change: func(d files) { d.remove("d/0.json"); d.remove("d/c.yml") }, want: nil},
		},
	},
	{
		name:   "a listed directory that is gone keeps its hooks, even if it is listed with a slash",
		listed: []string{"d/"},
		steps: []step{
			{change: func(d files) { d.write("d/a.json", "a"); d.write("d/b.json", "b") }, want: []string{"d/a.json: a", "d/b.json: b"}},
			{
				change: func(d files) { d.remove("d") },
				want:   []string{"d/: (kept)", "d/a.json: a (kept)", "d/b.json: b (kept)"},
				problems: []string{
					"d/: cannot read the hook file: no such file or directory",
					"d/a.json: its directory is gone", "d/b.json: its directory is gone",
				},
			},
			{change: func(d files) { d.write("d/b.json", "b") }, want: []string{"d/b.json: b"}},
		},
	},
	{
		name:   "a file that is listed and lies in a listed directory counts once, and is a listed one",
		listed: []string{"./d/a.json", "d", "d/a.json"},
		steps: []step{
			{change: func(d files) { d.write("d/a.json", "a"); d.write("d/b.json", "b") }, want: []string{"./d/a.json: a", "d/b.json: b"}},
			{
				change: func(d files) { d.remove("d/a.json") }, want: []string{"./d/a.json: a (kept)", "d/b.json: b"},
				problems: []string{"./d/a.json: cannot read the hook file: no such file or directory"},
			},
		},
	},
	{
		name:   "an id in two files at the start",
		listed: []string{"a.json", "b.json"},
		steps: []step{
			{
				change:   func(d files) { d.write("a.json", "x y"); d.write("b.json", "z y") },
				err:      hook.ErrSameID,
				want:     []string{"a.json: x y", "b.json: (kept)"},
				problems: []string{`b.json:3:3: hook "y": ` + fmt.Sprintf(same, "a.json")},
			},
			{change: func(d files) { d.write("b.json", "z") }, want: []string{"a.json: x y", "b.json: z"}},
		},
	},
	{
		name:   "an id in two files at a reload: the file that had it keeps it, the other its last hooks",
		listed: []string{"a.json", "b.json"},
		steps: []step{
			{change: func(d files) { d.write("a.json", "x"); d.write("b.json", "y") }, want: []string{"a.json: x", "b.json: y"}},
			{
				change:   func(d files) { d.write("a.json", "x new y") },
				want:     []string{"a.json: x (kept)", "b.json: y"},
				problems: []string{`a.json:4:3: hook "y": ` + fmt.Sprintf(same, "b.json")},
			},
			{change: func(d files) { d.write("b.json", "") }, want: []string{"a.json: x new y", "b.json:"}},
			{
				change:   func(d files) { d.write("b.json", "y") },
				want:     []string{"a.json: x new y", "b.json: (kept)"},
				problems: []string{`b.json:2:3: hook "y": ` + fmt.Sprintf(same, "a.json")},
			},
		},
	},
	{
		name:   "an id that is new in two files at a reload: the first file has it",
		listed: []string{"a.json", "b.json"},
		steps: []step{
			{change: func(d files) { d.write("a.json", "a"); d.write("b.json", "b") }, want: []string{"a.json: a", "b.json: b"}},
			{
				change:   func(d files) { d.write("a.json", "a n"); d.write("b.json", "b n") },
				want:     []string{"a.json: a n", "b.json: b (kept)"},
				problems: []string{`b.json:3:3: hook "n": ` + fmt.Sprintf(same, "a.json")},
			},
		},
	},
	{
		name:   "an id moves from one file to another, both ways",
		listed: []string{"a.json", "b.json"},
		steps: []step{
			{change: func(d files) { d.write("a.json", "x m"); d.write("b.json", "y") }, want: []string{"a.json: x m", "b.json: y"}},
			{change: func(d files) { d.write("a.json", "x"); d.write("b.json", "y m") }, want: []string{"a.json: x", "b.json: y m"}},
			{change: func(d files) { d.write("a.json", "m x"); d.write("b.json", "y") }, want: []string{"a.json: m x", "b.json: y"}},
			{change: func(d files) { d.write("a.json", "y"); d.write("b.json", "m x") }, want: []string{"a.json: y", "b.json: m x"}},
		},
	},
	{
		name:   "an id moves out of a file that cannot be loaded: it stays where it was",
		listed: []string{"a.json", "b.json", "c.json"},
		steps: []step{
			{
				change: func(d files) { d.write("a.json", "x"); d.write("b.json", "y"); d.write("c.json", "z") },
				want:   []string{"a.json: x", "b.json: y", "c.json: z"},
			},
			{
				change: func(d files) { d.write("a.json", "!{"); d.write("b.json", "x"); d.write("c.json", "y") },
				want:   []string{"a.json: x (kept)", "b.json: y (kept)", "c.json: z (kept)"},
				problems: []string{
					"a.json:1:2: cannot read this as JSON or YAML: did not find expected node content",
					`b.json:2:3: hook "x": ` + fmt.Sprintf(same, "a.json"),
					`c.json:2:3: hook "y": ` + fmt.Sprintf(same, "b.json"),
				},
			},
		},
	},
	{
		name:   "one bad file does not touch the others",
		listed: []string{"a.json", "b.json"},
		steps: []step{
			{
				change:   func(d files) { d.write("a.json", "!{"); d.write("b.json", "b") },
				want:     []string{"a.json: (kept)", "b.json: b"},
				problems: []string{"a.json:1:2: cannot read this as JSON or YAML: did not find expected node content"},
			},
			{
				change:   func(d files) { d.write("b.json", "c") },
				want:     []string{"a.json: (kept)", "b.json: c"},
				problems: []string{"a.json:1:2: cannot read this as JSON or YAML: did not find expected node content"},
			},
		},
	},
	{
		name: "a file becomes a directory and a file again",
		steps: []step{
			{change: func(d files) { d.write("hooks.json", "a") }, want: []string{"hooks.json: a"}},
			{change: func(d files) { d.remove("hooks.json"); d.write("hooks.json/b.json", "b") }, want: []string{"hooks.json/b.json: b"}},
			{change: func(d files) { d.remove("hooks.json"); d.write("hooks.json", "c") }, want: []string{"hooks.json: c"}},
		},
	},
}

func TestLoader(t *testing.T) {
	for _, c := range loadCases {
		t.Run(c.name, func(t *testing.T) {
			d := files{t, t.TempDir()}
			t.Chdir(d.dir)
			loader := hook.NewLoader(slices.Concat(c.listed, []string{"hooks.json"}[min(1, len(c.listed)):]), hook.Options{})
			for i, s := range c.steps {
				if s.change != nil {
					s.change(d)
				}
				set, report, err := loader.Load()
				if !errors.Is(err, s.err) || (err == nil) != (s.err == nil) {
					t.Fatalf("step %d: error %v, want %v", i, err, s.err)
				}
				if diff := cmp.Diff(s.want, rendered(report)); diff != "" {
					t.Errorf("step %d: files (-want +got):\n%s", i, diff)
				}
				if diff := cmp.Diff(strings.Join(s.problems, "\n"), report.Problems.String()); diff != "" {
					t.Errorf("step %d: problems (-want +got):\n%s", i, diff)
				}
				if err != nil {
					continue
				}
				var want []string
				for _, file := range report.Files {
					for _, h := range file.Hooks {
						want = append(want, h.ID)
					}
				}
				if diff := cmp.Diff(want, ids(set.All())); diff != "" {
					t.Errorf("step %d: Set (-files +set):\n%s", i, diff)
				}
			}
		})
	}
}

func rendered(report hook.Report) []string {
	var list []string
	for _, file := range report.Files {
		line := strings.Join(append([]string{file.File + ":"}, ids(file.Hooks)...), " ")
		if file.Kept {
			line += " (kept)"
		}
		list = append(list, line)
	}
	return list
}

func ids(hooks []*hook.Hook) []string {
	var list []string
	for _, h := range hooks {
		list = append(list, h.ID)
	}
	return list
}

func TestLoaderUnreadableFile(t *testing.T) {
	// A loop of symbolic links, for root reads whatever its mode is.
	t.Chdir(t.TempDir())
	if err := os.WriteFile("hooks.json", []byte(hookFile("a")), 0o644); err != nil {
		t.Fatal(err)
	}
	loader := hook.NewLoader([]string{"hooks.json"}, hook.Options{})
	if _, _, err := loader.Load(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("hooks.json"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("hooks.json", "hooks.json"); err != nil {
		t.Fatal(err)
	}
	set, report, err := loader.Load()
	if err != nil || set.ByID("a") == nil || !report.Files[0].Kept {
		t.Errorf("set %v, files %v, error %v; want the hook to stay", ids(set.All()), rendered(report), err)
	}
	if text := report.Problems.String(); !strings.Contains(text, "cannot read the hook file: ") || !strings.Contains(text, "hooks.json") {
		t.Errorf("problems %q", text)
	}
}
