package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	defaultPoll   = 5 * time.Second
	defaultSettle = 50 * time.Millisecond

	// patience is how many times Settle a file may go on changing before it is
	// reported all the same: one that is written without a pause must not put
	// the reload off for ever.
	patience = 10
)

// WatchOptions says how a watch goes about it. The zero value is useful.
type WatchOptions struct {
	// Poll is how often everything is looked at without any event, for what
	// sends none: bind mounts of single files, network and FUSE file systems,
	// directories that were away. 5 seconds when 0.
	Poll time.Duration

	// Settle is how long the files must have been at rest before a change is
	// reported, so that a file that is truncated and then written, or a
	// directory of several, is reported once and whole. 50 ms when 0. A file
	// that does not come to rest is reported after ten times as long.
	Settle time.Duration

	// Loaded is what the hooks in force were read from. What differs from it
	// when the watch begins is reported at once, so that nothing written between
	// the reading and the watching is missed. Without it the watch begins with
	// what is there.
	Loaded *Snapshot

	// Awaited gives files that are no hook files and that those in force wait for
	// (Loaded.Awaited): when one of them is another than it was seen to be, that is
	// a change too. It is asked at each look, from Watch's goroutine; it may be nil.
	Awaited func() []Awaited

	// Log is told, in words for the operator, what makes the watch slower than
	// it should be. May be nil.
	Log func(string)

	// notifier replaces the file system's events in tests.
	notifier func() (*fsnotify.Watcher, error)
	// ignored is told of each event that concerns no hook file, in tests.
	ignored func(name string)
	// ready is called when the watch has begun, in tests.
	ready func()
}

// Watch calls changed after any of the listed hook files changed, until ctx
// ends; then it returns nil. A path is that of a file or of a directory, whose
// *.json, *.yaml and *.yml count. It need not exist: its coming and going are
// changes too.
//
// Noticed are writes, files renamed over others, removal and return, and links
// that point elsewhere now (also those of Kubernetes, which swaps a link to a
// directory). Events of the directories make it quick; a slow poll beside them
// finds what sends no event, and does the work alone where the system refuses
// events.
//
// The calls come one at a time, from the goroutine that called Watch, and none
// after ctx has ended. What changes during a call is reported by the next. An
// error means that the watch could not begin.
func Watch(ctx context.Context, paths []string, options WatchOptions, changed func()) error {
	w, err := newWatcher(paths, options, changed)
	if err != nil {
		return err
	}
	defer w.close()
	w.loop(ctx)
	return nil
}

// watcher is the state of one Watch. Only its goroutine touches it.
type watcher struct {
	options WatchOptions
	changed func()
	paths   []string // absolute

	notify   *fsnotify.Watcher      // nil where the system gives no events
	watched  map[string]fs.FileInfo // the directories with events, as they were when added
	told     map[string]bool        // what was said to Log, to say it once
	reported *Snapshot              // what changed was last called for
	pending  *Snapshot              // a difference that a poll found and that may not be at rest yet
	settle   *time.Timer
	stirred  time.Time // when the present burst of changes began; zero at rest
}

func newWatcher(paths []string, options WatchOptions, changed func()) (*watcher, error) {
	if options.Poll <= 0 {
		options.Poll = defaultPoll
	}
	if options.Settle <= 0 {
		options.Settle = defaultSettle
	}
	if options.Log == nil {
		options.Log = func(string) {}
	}
	if options.notifier == nil {
		options.notifier = fsnotify.NewWatcher
	}
	absolute, err := absolutePaths(paths)
	if err != nil {
		return nil, err
	}
	w := &watcher{
		options: options, changed: changed, paths: absolute, reported: options.Loaded,
		watched: map[string]fs.FileInfo{}, told: map[string]bool{}, settle: time.NewTimer(time.Hour),
	}
	w.settle.Stop()
	if w.notify, err = options.notifier(); err != nil {
		w.notify = nil
		w.tell(fmt.Sprintf("the system gives no events of changed files (%v): hook files are looked at every %s instead",
			err, options.Poll))
	}
	return w, nil
}

func absolutePaths(paths []string) ([]string, error) {
	absolute := make([]string, 0, len(paths))
	for _, path := range paths {
		full, err := filepath.Abs(path)
		if err != nil {
			return nil, fmt.Errorf("find the place of hook file %s: %w", path, err)
		}
		absolute = append(absolute, full)
	}
	return absolute, nil
}

func (w *watcher) close() {
	w.settle.Stop()
	if w.notify != nil {
		_ = w.notify.Close() // it only ends; there is nothing to do about a failure
	}
}

func (w *watcher) loop(ctx context.Context) {
	var events chan fsnotify.Event // stays nil, and so silent, without events
	var failures chan error
	if w.notify != nil {
		events, failures = w.notify.Events, w.notify.Errors
	}
	poll := time.NewTicker(w.options.Poll)
	defer poll.Stop()

	w.begin()
	for {
		select {
		case <-ctx.Done():
			return
		case event, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			w.event(event)
		case err, ok := <-failures:
			if !ok {
				failures = nil
				continue
			}
			w.failure(err)
		case <-w.settle.C:
			w.look(ctx, w.pending == nil)
		case <-poll.C:
			w.look(ctx, false)
		}
	}
}

// begin sets the watches and finds what changed since the hooks were read.
func (w *watcher) begin() {
	w.renew()
	if w.options.ready != nil {
		w.options.ready()
	}
}

// renew looks at what is watched now, which another load may have changed.
func (w *watcher) renew() {
	now := w.survey()
	if w.reported == nil {
		w.reported = now
	}
	if now.same(w.reported) && !now.due {
		w.calm(now)
		return
	}
	w.stir()
}

// event takes one event of a watched directory.
func (w *watcher) event(event fsnotify.Event) {
	name := filepath.Clean(event.Name)
	if _, ok := w.watched[name]; ok && event.Has(fsnotify.Remove|fsnotify.Rename) {
		// The watch went with the directory. Its file info must go too: what is
		// made in its place may well get the same inode number.
		w.drop(name)
	} else if !ok && !w.reported.concerns(name) && (w.pending == nil || !w.pending.concerns(name)) {
		if w.options.ignored != nil {
			w.options.ignored(name)
		}
		return
	}
	w.stir()
}

// failure takes an error of the events.
func (w *watcher) failure(err error) {
	if !errors.Is(err, fsnotify.ErrEventOverflow) { // then events were lost, and a look finds their cause
		w.tell(fmt.Sprintf("events of changed hook files may be missing (%v): they are also looked at every %s",
			err, w.options.Poll))
	}
	w.stir()
}

// stir notes that something moves and puts the look at it off until it rests.
func (w *watcher) stir() {
	now := time.Now()
	if w.stirred.IsZero() {
		w.stirred = now
	}
	rest := time.Until(w.stirred.Add(patience * w.options.Settle))
	w.settle.Reset(max(0, min(rest, w.options.Settle)))
}

// look compares the files with what was reported. rested says that no event
// came for as long as Settle; a poll cannot know that, and waits until it has
// seen the same twice.
func (w *watcher) look(ctx context.Context, rested bool) {
	now := w.survey()
	if now.same(w.reported) && !now.due {
		w.calm(now)
		return
	}
	overdue := !w.stirred.IsZero() && time.Since(w.stirred) >= patience*w.options.Settle
	if !rested && !overdue && (w.pending == nil || !now.same(w.pending)) {
		w.pending = now
		w.stir()
		return
	}
	w.calm(now)
	if ctx.Err() == nil {
		w.changed()
		if w.options.Awaited != nil {
			w.renew()
		}
	}
}

// calm makes now the state that is known.
func (w *watcher) calm(now *Snapshot) {
	w.reported, w.pending, w.stirred = now, nil, time.Time{}
	w.settle.Stop()
}

// survey looks at the files. It sets the watches first: what changes after the
// look then sends an event, or is found by the next look.
func (w *watcher) survey() *Snapshot {
	known := w.reported
	if !w.stirred.IsZero() {
		known = nil // something moved: read all again, whatever sizes and times say
	}
	awaited := w.awaited()
	now := snapshot(w.paths, awaited, known, time.Now())
	// A new watch may show a file that came before it, in a directory that has
	// to be watched in turn. More than a few rounds mean that things move just
	// now; the events of that lead back here.
	for round := 0; round < 5 && w.rewatch(now.directories); round++ {
		now = snapshot(w.paths, awaited, known, time.Now())
	}
	return now
}

func (w *watcher) awaited() []Awaited {
	if w.options.Awaited == nil {
		return nil
	}
	return w.options.Awaited()
}

// rewatch sets watches on the directories and takes them from others. It
// returns whether there is a new one.
func (w *watcher) rewatch(directories map[string]bool) bool {
	if w.notify == nil {
		return false
	}
	alive := map[string]bool{}
	for _, path := range w.notify.WatchList() {
		alive[path] = true
	}
	for path := range w.watched {
		if !directories[path] || !alive[path] {
			w.drop(path)
		}
	}
	added := false
	for path := range directories {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			w.drop(path)
			continue
		}
		if before, ok := w.watched[path]; ok {
			if os.SameFile(before, info) {
				continue
			}
			w.drop(path)
		}
		if err := w.notify.Add(path); err != nil {
			w.refused(path, err)
			continue
		}
		w.watched[path] = info
		added = true
	}
	return added
}

// refused notes that a directory got no watch. The next look tries again.
func (w *watcher) refused(path string, err error) {
	if errors.Is(err, fs.ErrNotExist) { // it went just now
		return
	}
	w.tell(fmt.Sprintf("no events of changed hook files from %s (%v): it is looked at every %s instead",
		path, err, w.options.Poll))
}

func (w *watcher) drop(path string) {
	if _, ok := w.watched[path]; !ok {
		return
	}
	delete(w.watched, path)
	_ = w.notify.Remove(path) // it may be gone already, and its watch with it
}

// tell passes a message to the log, each once.
func (w *watcher) tell(message string) {
	if !w.told[message] {
		w.told[message] = true
		w.options.Log(message)
	}
}
