package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
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

func TestWatchNoticesChanges(t *testing.T) {
	ways := map[string]WatchOptions{
		"by events": {Poll: time.Hour, Settle: 10 * time.Millisecond},
		"by poll":   {Poll: 10 * time.Millisecond, Settle: 10 * time.Millisecond, notifier: noEvents},
	}
	for _, c := range watchCases {
		for how, options := range ways {
			t.Run(c.name+" "+how, func(t *testing.T) {
				t.Parallel()
				d := tree{t, t.TempDir()}
				c.before(d)
				listed := c.listed
				if listed == "" {
					listed = "hooks.json"
				}
				w := startWatch(t, options, d.path(listed))
				for i, change := range c.rounds {
					change(d)
					w.awaitState(t, fmt.Sprintf("change %d", i+1))
				}
			})
		}
	}
}

// What careless programs do to a directory beside the hook files (logs, other
// configuration, editors' copies) is no change.
func TestWatchLeavesOtherFilesAlone(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.write("conf/hooks.json", "one")
	d.write("more/a.yaml", "a")
	w := startWatch(t, WatchOptions{Poll: time.Hour, Settle: time.Millisecond}, d.path("conf/hooks.json"), d.path("more"))
	for _, name := range []string{"conf/server.log", "conf/other.json", "conf/hooks.json~", "more/notes.txt", "more/.a.yaml.swp"} {
		d.write(name, "x")
		w.awaitIgnored(t, d.path(name))
	}
	w.stop()
	if n := w.calls.Load(); n != 0 {
		t.Errorf("changed was called %d times for files that are not listed", n)
	}
}

func TestWatchReportsFileThatNeverRests(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.write("hooks.json", "one")
	const settle = 20 * time.Millisecond
	w := startWatch(t, WatchOptions{Poll: time.Hour, Settle: settle}, d.path("hooks.json"))
	for i := 0; w.calls.Load() == 0; i++ {
		if i > 100_000 {
			t.Fatal("a file that is written all the time is never reported")
		}
		d.write("hooks.json", strings.Repeat("x", i%100))
	}
}

func TestWatchReportsWhatChangedSinceTheReading(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.write("hooks.json", "one")
	loaded, err := TakeSnapshot([]string{d.path("hooks.json")})
	if err != nil {
		t.Fatal(err)
	}
	d.write("hooks.json", "two")
	w := startWatch(t, WatchOptions{Poll: time.Hour, Settle: time.Millisecond, Loaded: loaded}, d.path("hooks.json"))
	w.awaitState(t, "the change before the watch")
}

func TestWatchReportsWhatChangesDuringACall(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.write("hooks.json", "one")
	entered, leave := make(chan struct{}), make(chan struct{})
	var inside atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	ended, ready := make(chan error, 1), make(chan struct{})
	options := WatchOptions{Poll: 5 * time.Millisecond, Settle: time.Millisecond, ready: func() { close(ready) }}
	go func() {
		ended <- Watch(ctx, []string{d.path("hooks.json")}, options, func() {
			if inside.Add(1) != 1 {
				t.Error("two calls at a time")
			}
			entered <- struct{}{}
			<-leave
			inside.Add(-1)
		})
	}()
	<-ready
	d.write("hooks.json", "two")
	<-entered
	d.write("hooks.json", "three")
	leave <- struct{}{}
	<-entered
	cancel()
	leave <- struct{}{}
	if err := <-ended; err != nil {
		t.Errorf("the watch ended with %v", err)
	}
}

func TestWatchSaysWhenTheSystemGivesNoEvents(t *testing.T) {
	d := tree{t, t.TempDir()}
	w := startWatch(t, WatchOptions{Poll: 3 * time.Second, notifier: noEvents}, d.path("hooks.json"))
	message := <-w.log
	for _, want := range []string{"too many open files", "every 3s"} {
		if !strings.Contains(message, want) {
			t.Errorf("the log says %q, without %q", message, want)
		}
	}
}

// The system drops events when too many come at once, and says only that.
func TestWatchLooksAgainAfterLostEvents(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.write("hooks.json", "one")
	var notify *fsnotify.Watcher
	options := WatchOptions{Poll: time.Hour, Settle: time.Millisecond}
	options.notifier = func() (w *fsnotify.Watcher, err error) { notify, err = fsnotify.NewWatcher(); return notify, err }
	w := startWatch(t, options, d.path("hooks.json"))
	for _, path := range notify.WatchList() {
		if err := notify.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	d.write("hooks.json", "two") // sends no event now
	notify.Errors <- fsnotify.ErrEventOverflow
	w.awaitState(t, "the change without an event")
}

func TestSnapshotReadsNothingThatCouldBlock(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.link(os.DevNull, "hooks.json") // endless devices and pipes without a writer are alike: no regular file
	s, err := TakeSnapshot([]string{d.path("hooks.json")})
	if err != nil {
		t.Fatal(err)
	}
	if mark := s.stamps[d.path("hooks.json")]; mark.info == nil || mark.sum != (stamp{}).sum {
		t.Errorf("a device was read: %+v", mark)
	}
}

func TestSnapshotEndsInALoopOfLinks(t *testing.T) {
	d := tree{t, t.TempDir()}
	d.link("b.json", "a.json")
	d.link("a.json", "b.json")
	s, err := TakeSnapshot([]string{d.path("a.json")})
	if err != nil {
		t.Fatal(err)
	}
	if s.stamps[d.path("a.json")].info != nil {
		t.Error("a loop of links leads to a file")
	}
	if !s.concerns(d.path("b.json")) {
		t.Error("a change of the loop's second link would go unnoticed")
	}
}

func noEvents() (*fsnotify.Watcher, error) {
	return nil, errors.New("couldn't initialize inotify: too many open files")
}

// watching is a Watch under test.
type watching struct {
	changes chan *Snapshot // what each call found
	ignored chan string
	log     chan string
	calls   atomic.Int64
	stop    func()

	snapshot func() *Snapshot
}

func startWatch(t *testing.T, options WatchOptions, paths ...string) *watching {
	t.Helper()
	w := &watching{changes: make(chan *Snapshot, 1000), ignored: make(chan string, 1000), log: make(chan string, 10)}
	w.snapshot = func() *Snapshot {
		s, err := TakeSnapshot(paths)
		if err != nil {
			t.Error(err)
		}
		return s
	}
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	options.ready = func() { close(ready) }
	options.ignored = func(name string) { w.ignored <- name }
	options.Log = func(message string) { w.log <- message }
	go func() {
		ended <- Watch(ctx, paths, options, func() {
			w.calls.Add(1)
			w.changes <- w.snapshot()
		})
		close(ended)
	}()
	w.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the watch ended with %v", err)
		}
	}
	t.Cleanup(w.stop)
	<-ready
	return w
}

// awaitState waits for a call that finds the files as they are now. A change of
// several steps may be reported in parts; only the last call counts, and a late
// call for an earlier change does not.
func (w *watching) awaitState(t *testing.T, what string) {
	t.Helper()
	now := w.snapshot()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case then := <-w.changes:
			if then.same(now) {
				return
			}
		case <-deadline:
			t.Fatalf("%s was not noticed", what)
		}
	}
}

func (w *watching) awaitIgnored(t *testing.T, path string) {
	t.Helper()
	for {
		select {
		case name := <-w.ignored:
			if name == path {
				return
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("no event of %s arrived", path)
		}
	}
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
