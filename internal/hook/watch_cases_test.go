package hook

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The ways in which a hook file changes. Each is made more than once, for a
// watch must outlive a change, and each is noticed by events alone and by the
// poll alone.
var watchCases = []struct {
	name   string
	listed string // below the case's directory; "hooks.json" when empty
	before func(d tree)
	rounds []func(d tree)
}{
	{
		name:   "a file is truncated and written",
		before: func(d tree) { d.write("hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.write("hooks.json", "two") },
			func(d tree) { d.write("hooks.json", "three") },
		},
	},
	{
		name:   "a file is written in place, with the same size and time",
		before: func(d tree) { d.write("hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.overwrite("hooks.json", "two") },
			func(d tree) { d.overwrite("hooks.json", "six") },
		},
	},
	{
		name:   "another file is renamed over it",
		before: func(d tree) { d.write("hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.write("new", "two"); d.rename("new", "hooks.json") },
			func(d tree) { d.write("new", "three"); d.rename("new", "hooks.json") },
			func(d tree) { d.write("hooks.json", "four") },
		},
	},
	{
		name:   "a file is moved away and written anew",
		before: func(d tree) { d.write("hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.rename("hooks.json", "hooks.json~"); d.write("hooks.json", "two") },
			func(d tree) { d.rename("hooks.json", "hooks.json~"); d.write("hooks.json", "three") },
		},
	},
	{
		name:   "a file is removed and comes back",
		before: func(d tree) { d.write("hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.remove("hooks.json") },
			func(d tree) { d.write("hooks.json", "one") },
			func(d tree) { d.remove("hooks.json") },
		},
	},
	{
		name:   "a file was absent at the start",
		before: func(tree) {},
		rounds: []func(d tree){
			func(d tree) { d.write("hooks.json", "one") },
			func(d tree) { d.write("hooks.json", "two") },
		},
	},
	{
		name:   "its directories were absent at the start",
		listed: "a/b/hooks.json",
		before: func(tree) {},
		rounds: []func(d tree){
			func(d tree) { d.write("a/b/hooks.json", "one") },
			func(d tree) { d.write("a/b/hooks.json", "two") },
		},
	},
	{
		name:   "its directory is removed and comes back",
		listed: "conf/hooks.json",
		before: func(d tree) { d.write("conf/hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.remove("conf") },
			func(d tree) { d.write("conf/hooks.json", "one") },
			func(d tree) { d.write("conf/hooks.json", "two") },
		},
	},
	{
		name:   "its directory is removed and made again at once",
		listed: "conf/hooks.json",
		before: func(d tree) { d.write("conf/hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.remove("conf"); d.write("conf/hooks.json", "two") },
			func(d tree) { d.write("conf/hooks.json", "three") },
			func(d tree) { d.remove("conf"); d.write("conf/hooks.json", "four") },
			func(d tree) { d.write("conf/hooks.json", "five") },
		},
	},
	{
		name:   "its directory is exchanged for another",
		listed: "conf/hooks.json",
		before: func(d tree) { d.write("conf/hooks.json", "one") },
		rounds: []func(d tree){
			func(d tree) { d.write("next/hooks.json", "two"); d.rename("conf", "old"); d.rename("next", "conf") },
			func(d tree) { d.write("conf/hooks.json", "three") },
		},
	},
	{
		name:   "hook files of a directory come, change and go",
		listed: "conf",
		before: func(d tree) { d.write("conf/a.json", "a") },
		rounds: []func(d tree){
			func(d tree) { d.write("conf/b.yaml", "b") },
			func(d tree) { d.write("conf/c.yml", "c") },
			func(d tree) { d.write("conf/a.json", "aa") },
			func(d tree) { d.remove("conf/b.yaml") },
			func(d tree) { d.rename("conf/c.yml", "conf/d.json") },
		},
	},
	{
		name:   "a listed directory is removed and comes back",
		listed: "conf",
		before: func(d tree) { d.write("conf/a.json", "a") },
		rounds: []func(d tree){
			func(d tree) { d.remove("conf") },
			func(d tree) { d.write("conf/a.json", "a") },
			func(d tree) { d.write("conf/b.json", "b") },
		},
	},
	{
		name:   "a link is pointed at another file",
		before: func(d tree) { d.write("1/h", "one"); d.write("2/h", "two"); d.link("1/h", "hooks.json") },
		rounds: []func(d tree){
			func(d tree) { d.link("2/h", "new"); d.rename("new", "hooks.json") },
			func(d tree) { d.write("2/h", "three") },
			func(d tree) { d.remove("hooks.json"); d.link("1/h", "hooks.json") },
		},
	},
	{
		name: "a link in the middle of a row is pointed elsewhere",
		before: func(d tree) {
			d.write("1/h", "same")
			d.write("2/h", "same")
			d.link("1", "now")
			d.link("x/../now/h", "hooks.json")
			d.mkdir("x")
		},
		rounds: []func(d tree){
			func(d tree) { d.link("2", "new"); d.rename("new", "now") },
			func(d tree) { d.write("2/h", "new") },
		},
	},
	{
		name:   "a file of a Kubernetes ConfigMap",
		before: func(d tree) { d.configMap(1) },
		rounds: []func(d tree){
			func(d tree) { d.configMap(2) },
			func(d tree) { d.configMap(3) },
		},
	},
	{
		name:   "the directory of a Kubernetes ConfigMap",
		listed: ".",
		before: func(d tree) { d.configMap(1) },
		rounds: []func(d tree){
			func(d tree) { d.configMap(2) },
			func(d tree) { d.configMap(3) },
		},
	},
}

// tree changes files below a directory. A failure ends the test.
type tree struct {
	t    *testing.T
	root string
}

func (d tree) path(name string) string { return filepath.Join(d.root, name) }

func (d tree) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d tree) mkdir(name string) { d.must(os.MkdirAll(d.path(name), 0o755)) }

func (d tree) write(name, text string) {
	d.mkdir(filepath.Dir(name))
	d.must(os.WriteFile(d.path(name), []byte(text), 0o644))
}

// overwrite keeps the file, its size where text has the same, and its time.
func (d tree) overwrite(name, text string) {
	info, err := os.Stat(d.path(name))
	d.must(err)
	file, err := os.OpenFile(d.path(name), os.O_WRONLY, 0)
	d.must(err)
	_, err = file.WriteString(text)
	d.must(err)
	d.must(file.Close())
	d.must(os.Chtimes(d.path(name), time.Time{}, info.ModTime()))
}

func (d tree) rename(from, to string) { d.must(os.Rename(d.path(from), d.path(to))) }
func (d tree) remove(name string)     { d.must(os.RemoveAll(d.path(name))) }
func (d tree) link(target, name string) {
	d.must(os.Symlink(filepath.FromSlash(target), d.path(name)))
}

// configMap does what the kubelet does for a volume's first or next content.
func (d tree) configMap(version int) {
	data := fmt.Sprintf("..2026_%d", version)
	d.write(data+"/hooks.json", fmt.Sprintf("[%d]", version))
	d.link(data, "..data_tmp")
	d.rename("..data_tmp", "..data")
	if version == 1 {
		d.link("..data/hooks.json", "hooks.json")
		return
	}
	d.remove(fmt.Sprintf("..2026_%d", version-1))
}
