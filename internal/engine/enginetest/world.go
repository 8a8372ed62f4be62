package enginetest

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// world is all that surrounds an engine in a test: hook files, senders that
// deliver, scripts that run. It knows runs by short names, notes each attempt
// with its times, and complains by itself whenever an engine does what none may
// ever do: two attempts of a run or of a key at once, more at once than limits
// allow, an attempt without a number of its own.
type world struct {
	t      testing.TB
	suite  Suite
	root   string
	engine engine.Engine // nil until something is asked of it
	zero   time.Time     // when the world began

	// To be set before the engine is opened.
	concurrent int
	sync       int
	follow     func(*run.Record) (run.Submission, bool)

	mu         sync.Mutex
	life       int // counts openings; what belongs to an earlier one is dead
	directory  string
	dead       sync.WaitGroup // engines that crashed, on their way out
	hooks      map[string]*hook.Hook
	scripts    map[string]script // by the name of a run, or the id of a hook
	ids        map[string]string // of runs, by name
	names      map[string]string // of runs, by id
	deliveries map[string]string // the id of a run's delivery, by the run's name
	beside     map[string]bool   // ids of runs that take no turn
	attempts   []*attempt        // all, as they began
	going      map[*attempt]bool // those of this life that have not ended
	latest     map[string]int    // the number of a run's newest attempt, by the run's id
	forgotten  []string
	made       uint64 // ids
}

func newWorld(t testing.TB, s Suite, root string) *world {
	return &world{
		t: t, suite: s, root: root, zero: time.Now(),
		concurrent: 1000, sync: 10,
		follow:     func(*run.Record) (run.Submission, bool) { return run.Submission{}, false },
		directory:  filepath.Join(root, "0"),
		hooks:      map[string]*hook.Hook{},
		scripts:    map[string]script{},
		ids:        map[string]string{},
		names:      map[string]string{},
		deliveries: map[string]string{},
		beside:     map[string]bool{},
		going:      map[*attempt]bool{},
		latest:     map[string]int{},
	}
}

// never is a number of a hook that stands for none, where its zero value stands
// for the default.
const never = -1

// hook puts a hook in force, with the defaults that the reader of hook files
// gives it, and such that others may follow its runs. An open engine hears of it
// by reload.
func (w *world) hook(h hook.Hook) {
	h.Queue.Set, h.Retry.Set = true, true
	h.OnFailure, h.OnSuccess = "notify", "notify" // what follows is what follow says
	defaults(&h.Retry.Attempts, 1)
	defaults(&h.Retry.Backoff, hook.DefaultBackoff)
	defaults(&h.Retry.MaxBackoff, hook.DefaultMaxBackoff)
	defaults(&h.Retry.Interruptions, hook.DefaultInterruptions)
	defaults(&h.Keep.Runs, hook.DefaultKeepRuns)
	defaults(&h.Keep.Age, hook.DefaultKeepAge)
	defaults(&h.Keep.Output, hook.DefaultKeepOutput)
	defaults(&h.Keep.Artifacts, hook.DefaultKeepArtifacts)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hooks[h.ID] = &h
}

// plain puts hooks in force that say nothing of their own.
func (w *world) plain(ids ...string) {
	for _, id := range ids {
		w.hook(hook.Hook{ID: id})
	}
}

func defaults[T int | int64 | time.Duration](value *T, otherwise T) {
	switch *value {
	case 0:
		*value = otherwise
	case never:
		*value = 0
	}
}

// gone takes a hook out of force.
func (w *world) gone(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.hooks, id)
}

func (w *world) reload() { w.up().Reload() }

// up gives the engine, and opens it the first time.
func (w *world) up() engine.Engine {
	if w.engine == nil {
		w.open()
	}
	return w.engine
}

func (w *world) open() {
	w.t.Helper()
	w.mu.Lock()
	w.life++
	life, directory := w.life, w.directory
	w.mu.Unlock()
	w.engine = w.suite.Open(w.t, directory, engine.Options{
		Start:      w.start(life),
		Hook:       w.inForce,
		Follow:     w.follow,
		Forgotten:  w.forget(life),
		Concurrent: w.concurrent,
		Sync:       w.sync,
		Log:        zerolog.New(zerolog.NewTestWriter(w.t)).Level(zerolog.ErrorLevel),
	})
}

func (w *world) inForce(id string) *hook.Hook {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.hooks[id]
}

func (w *world) forget(life int) func([]string) {
	return func(ids []string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if life == w.life {
			w.forgotten = append(w.forgotten, ids...)
		}
	}
}

// restart stops the engine, interrupting what runs, and opens its journal again.
func (w *world) restart() {
	w.t.Helper()
	if err := w.up().Stop(w.t.Context(), 0); err != nil {
		w.t.Fatalf("stop: %v", err)
	}
	w.open()
}

// crash opens what a kill -9 leaves at this moment. The scripts that ran do not
// count any more; the engine that ran them goes away.
func (w *world) crash() {
	w.t.Helper()
	old := w.up()
	synctest.Wait()
	w.mu.Lock()
	from := w.directory
	w.directory = filepath.Join(w.root, strconv.Itoa(w.life))
	left := w.directory
	w.mu.Unlock()
	w.suite.Crash(w.t, from, left)
	w.endLife()
	w.dead.Go(func() { _ = old.Stop(context.WithoutCancel(w.t.Context()), 0) })
	w.open()
}

// endLife ends, for the world, all attempts that go on.
func (w *world) endLife() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for a := range w.going {
		a.ended, a.outcome.End = time.Now(), run.Interrupted
	}
	clear(w.going)
	w.life++
}

// stop is the end of the world. It may be called again.
func (w *world) stop() {
	if w.engine != nil {
		if err := w.engine.Stop(context.WithoutCancel(w.t.Context()), 0); err != nil {
			w.t.Errorf("stop at the end: %v", err)
		}
	}
	w.dead.Wait()
}

// pass lets time pass, and waits until all that happens by then has happened.
func (w *world) pass(d time.Duration) {
	w.up()
	time.Sleep(d)
	synctest.Wait()
}

// settle waits until what happens at this moment has happened.
func (w *world) settle() { w.pass(slack) }

// newID makes a UUIDv7 of this moment. The library's own would never go back
// behind the latest that another bubble, whose clock is its own, was given.
func (w *world) newID(at time.Time) string {
	w.made++
	var id uuid.UUID
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x7000|w.made&0xfff)
	binary.BigEndian.PutUint64(id[8:], 1<<63|w.made)
	return id.String()
}

// named gives the id of the run of that name.
func (w *world) named(name string) string {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	id, ok := w.ids[name]
	if !ok {
		w.t.Fatalf("the test knows no run %q", name)
	}
	return id
}

func (w *world) allNamed(names []string) []string {
	w.t.Helper()
	ids := make([]string, len(names))
	for i, name := range names {
		ids[i] = w.named(name)
	}
	return ids
}

// nameOf gives the name of a run by its id, or the id where it has none.
func (w *world) nameOf(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name, ok := w.names[id]; ok {
		return name
	}
	return id
}

func (w *world) namesOf(ids []string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = w.nameOf(id)
	}
	return names
}
