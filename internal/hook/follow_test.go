package hook_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/hook"
)

// following makes a file of hooks: "a>b" runs b when a has failed, "a+b" when it
// has succeeded.
func following(words string) string {
	text := "!"
	for _, word := range strings.Fields(words) {
		id := strings.FieldsFunc(word, func(c rune) bool { return strings.ContainsRune(">+", c) })
		text += fmt.Sprintf("- id: %s\n  execute-command: x\n", id[0])
		for _, rest := range id[1:] {
			key := "on-failure"
			if strings.Contains(word, "+"+rest) {
				key = "on-success"
			}
			text += fmt.Sprintf("  %s: %s\n", key, rest)
		}
	}
	return text + "\n"
}

// A hook that on-failure or on-success names is looked for in all files. Where
// there is none the hooks work all the same; hooks that start one another in a
// circle are refused.
func TestLoaderFollowers(t *testing.T) {
	tests := []struct {
		name  string
		steps []step
	}{
		{
			name: "in another file",
			steps: []step{{
				change: func(d files) {
					d.write("a.yaml", following("scan>notify+report"))
					d.write("b.yaml", following("notify report"))
				},
				want: []string{"a.yaml: scan", "b.yaml: notify report"},
			}},
		},
		{
			name: "in no file: told, and the hook works",
			steps: []step{
				{
					change: func(d files) { d.write("a.yaml", following("scan>notifi notify")); d.write("b.yaml", following("")) },
					want:   []string{"a.yaml: scan notify", "b.yaml:"},
					problems: []string{
						`a.yaml:3:15: hook "scan": on-failure: there is no hook "notifi" in any hook file (did you mean "notify"?): nothing will run`,
					},
				},
				{
					change: func(d files) { d.write("b.yaml", following("notifi")) },
					want:   []string{"a.yaml: scan notify", "b.yaml: notifi"},
				},
			},
		},
		{
			name: "itself",
			steps: []step{{
				change: func(d files) { d.write("a.yaml", following("a>a")); d.write("b.yaml", following("b")) },
				want:   []string{"a.yaml: (kept)", "b.yaml: b"},
				problems: []string{
					`a.yaml:3:15: hook "a": on-failure leads back to the hook itself: a → a`,
				},
			}},
		},
		{
			name: "a circle over two files at the start: both are refused",
			steps: []step{{
				change: func(d files) { d.write("a.yaml", following("a>b x>a")); d.write("b.yaml", following("b+c c>a")) },
				want:   []string{"a.yaml: (kept)", "b.yaml: (kept)"},
				problems: []string{
					`a.yaml:3:15: hook "a": on-failure leads back to the hook itself: a → b → c → a`,
					`b.yaml:3:15: hook "b": on-success leads back to the hook itself: b → c → a → b`,
					`b.yaml:6:15: hook "c": on-failure leads back to the hook itself: c → a → b → c`,
				},
			}},
		},
		{
			name: "a circle that a reload makes: the file that changed keeps what it had",
			steps: []step{
				{
					change: func(d files) { d.write("a.yaml", following("a>b")); d.write("b.yaml", following("b")) },
					want:   []string{"a.yaml: a", "b.yaml: b"},
				},
				{
					change: func(d files) { d.write("a.yaml", "!{"); d.write("b.yaml", following("b>a new")) },
					want:   []string{"a.yaml: a (kept)", "b.yaml: b (kept)"},
					problems: []string{
						"a.yaml:1:2: cannot read this as JSON or YAML: did not find expected node content",
						`b.yaml:3:15: hook "b": on-failure leads back to the hook itself: b → a → b`,
					},
				},
				{
					change: func(d files) { d.write("a.yaml", following("a")) },
					want:   []string{"a.yaml: a", "b.yaml: b new"},
				},
			},
		},
		{
			name: "a file that falls back has an id that another took meanwhile",
			steps: []step{
				{
					change: func(d files) { d.write("a.yaml", following("a m")); d.write("b.yaml", following("b")) },
					want:   []string{"a.yaml: a m", "b.yaml: b"},
				},
				{
					change: func(d files) { d.write("a.yaml", following("a>a")); d.write("b.yaml", following("b m")) },
					want:   []string{"a.yaml: a m (kept)", "b.yaml: b (kept)"},
					problems: []string{
						`a.yaml:3:15: hook "a": on-failure leads back to the hook itself: a → a`,
						`b.yaml:3:3: hook "m": ` + fmt.Sprintf(same, "a.yaml"),
					},
				},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := files{t, t.TempDir()}
			t.Chdir(d.dir)
			loader := hook.NewLoader([]string{"a.yaml", "b.yaml"}, hook.Options{})
			for i, s := range tt.steps {
				s.change(d)
				_, report, err := loader.Load()
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(s.want, rendered(report)); diff != "" {
					t.Errorf("step %d: files (-want +got):\n%s", i, diff)
				}
				if diff := cmp.Diff(strings.Join(s.problems, "\n"), report.Problems.String()); diff != "" {
					t.Errorf("step %d: problems (-want +got):\n%s", i, diff)
				}
			}
		})
	}
}

// Many hooks that name one that is not there are told of in a moment.
func TestLoaderManyFollowers(t *testing.T) {
	d := files{t, t.TempDir()}
	t.Chdir(d.dir)
	var words strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&words, "hook-%d>notify ", i)
	}
	d.write("a.yaml", following(words.String()))
	began := time.Now()
	_, report, err := hook.NewLoader([]string{"a.yaml"}, hook.Options{}).Load()
	if took := time.Since(began); err != nil || len(report.Problems) != 3000 || took > 20*time.Second {
		t.Errorf("%d problems after %v, error %v", len(report.Problems), took, err)
	}
}
