package hook

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

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
	const settle = 100 * time.Millisecond // a pause as long would be a rest
	w := startWatch(t, WatchOptions{Poll: time.Hour, Settle: settle}, d.path("hooks.json"))
	deadline := time.Now().Add(10 * patience * settle)
	for i := 0; w.calls.Load() == 0; i++ {
		if time.Now().After(deadline) {
			t.Fatal("a file that is written all the time is not reported")
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

// A hook file waits for the file of its secret: the watch reports when that is
// there, and not before.
func TestWatchReportsWhatIsAwaited(t *testing.T) {
	ways := map[string]WatchOptions{
		"by events": {Poll: time.Hour, Settle: 10 * time.Millisecond},
		"by poll":   {Poll: 10 * time.Millisecond, Settle: 10 * time.Millisecond, notifier: noEvents},
	}
	for how, options := range ways {
		t.Run(how, func(t *testing.T) {
			d := tree{t, t.TempDir()}
			d.write("hooks.json", "one")
			d.write("secrets/other", "x")
			wanted := Awaited{Path: d.path("secrets/h.secret")}
			var loads atomic.Int32
			options.Awaited = func() []Awaited {
				if loads.Load() > 0 {
					return nil // a load found it
				}
				return []Awaited{wanted}
			}
			called := make(chan struct{}, 100)
			ctx, cancel := context.WithCancel(t.Context())
			ended, ready := make(chan error, 1), make(chan struct{})
			options.ready = func() { close(ready) }
			go func() {
				ended <- Watch(ctx, []string{d.path("hooks.json")}, options, func() { loads.Add(1); called <- struct{}{} })
			}()
			<-ready
			d.write("secrets/h.secret", "s3cr3t")
			select {
			case <-called:
			case <-time.After(20 * time.Second):
				t.Error("the secret's file was not noticed")
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if n := loads.Load(); n != 1 {
				t.Errorf("changed was called %d times", n)
			}
		})
	}
}
