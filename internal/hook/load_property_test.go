package hook_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pawlhq/pawl/internal/hook"
)

// TestLoaderProperty changes files at random and loads after each change. No Set
// has an id twice, a file that can be loaded has the hooks that it says, and one
// that fails keeps exactly its last good ones.
func TestLoaderProperty(t *testing.T) {
	d := files{t, t.TempDir()}
	t.Chdir(d.dir)
	names := []string{"a.json", "b.json", "d/a.json", "d/b.json", "d/c.json"}
	rapid.Check(t, func(t *rapid.T) {
		for _, name := range append(names, "d") {
			d.remove(name)
		}
		if err := os.Mkdir("d", 0o755); err != nil {
			t.Fatal(err)
		}
		content := map[string][]string{} // what each file says; nil: it cannot be loaded
		good := map[string][]string{}
		loader := hook.NewLoader([]string{"a.json", "d", "b.json"}, hook.Options{})
		for range rapid.IntRange(1, 8).Draw(t, "loads") {
			for range rapid.IntRange(0, 4).Draw(t, "changes") {
				name := rapid.SampledFrom(names).Draw(t, "file")
				switch rapid.IntRange(0, 5).Draw(t, "change") {
				case 0:
					d.remove(name)
					delete(content, name)
				case 1:
					d.write(name, "!{")
					content[name] = nil
				default:
					said := rapid.SliceOfNDistinct(rapid.SampledFrom(strings.Split("uvwxyz", "")), 0, 3, rapid.ID).Draw(t, "ids")
					d.write(name, strings.Join(said, " "))
					content[name] = append([]string{}, said...)
				}
			}
			set, report, err := loader.Load()
			if errors.Is(err, hook.ErrSameID) {
				return // only a first load may fail; then nothing is in force
			}
			checkLoad(t, set, report, content, good)
			clear(good)
			for _, file := range report.Files {
				good[file.File] = ids(file.Hooks)
			}
		}
	})
}

func checkLoad(t *rapid.T, set *hook.Set, report hook.Report, content, good map[string][]string) {
	seen := map[string]bool{}
	for _, file := range report.Files {
		now := ids(file.Hooks)
		for _, id := range now {
			if seen[id] {
				t.Fatalf("the id %q is in force twice: %v", id, rendered(report))
			}
			seen[id] = true
		}
		said, there := content[file.File]
		switch {
		case file.Kept && !slices.Equal(now, good[file.File]):
			t.Fatalf("%s failed and has %v, not its last good %v", file.File, now, good[file.File])
		case !file.Kept && (!there || said == nil || !slices.Equal(now, said)):
			t.Fatalf("%s has %v, but says %v", file.File, now, said)
		case file.Kept && said != nil && !collides(said, file.File, report, content):
			t.Fatalf("%s was refused, but nothing is wrong with %v: %v", file.File, said, rendered(report))
		}
	}
	if set.Len() != len(seen) {
		t.Fatalf("%d hooks in the Set, %d in the files", set.Len(), len(seen))
	}
}

// collides reports whether one of the ids is in force in another file, or said by
// one.
func collides(said []string, name string, report hook.Report, content map[string][]string) bool {
	return slices.ContainsFunc(report.Files, func(file hook.Loaded) bool {
		theirs := slices.Concat(ids(file.Hooks), content[file.File])
		return file.File != name && slices.ContainsFunc(said, func(id string) bool { return slices.Contains(theirs, id) })
	})
}
