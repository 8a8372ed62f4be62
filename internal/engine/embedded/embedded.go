// Package embedded is the engine of one machine: a journal in one SQLite file,
// and a scheduler in memory.
//
// # What it owns
//
// One goroutine, the loop, owns the write transaction and the scheduler. It
// gathers what others ask of it, does all of that in one transaction, decides
// in the same transaction which runs start, and commits: one fsync for all who
// wait. Then it answers them and starts the attempts. While the disk is busy
// the next batch gathers. Nothing polls; there is one timer, for the next thing
// that is due.
//
// # What is durable
//
// The journal alone. The scheduler is a cache of it: a window of the next runs
// of each hook, counts, turns. When a commit fails, all who wait are told so,
// the cache is thrown away and read again. Only what runs at that moment is
// remembered in memory alone, and the ends of attempts that could not be
// written are kept, at most as many as there are places for attempts, until
// they can be. Runs that start at once, for a caller of Attend that takes no
// turn, are written a few milliseconds later.
//
// # What it is not
//
// It starts no processes and answers no requests. It knows nothing of the file
// below it, which is package database's.
package embedded

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pawlhq/pawl/internal/database"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options is what the embedded engine is made of.
type Options struct {
	engine.Options

	Directory string // of the journal; unused with Memory
	Memory    bool   // the journal lies in memory, in at most 256 MiB
	Reserve   int64  // bytes that the journal keeps free for itself on the disk
	DataMax   int64  // bytes of journal and artifacts together, above which history goes; 0: no bound
	Repair    bool   // a damaged journal is set aside, and a new one begun
	VFS       string // of SQLite; tests have one that fails

	// Recover is called by Open, before anything starts, with the ids of runs
	// that were running when Pawl or the machine died: it stops what is left of
	// them. nil: nobody needs to.
	Recover func(ids []string)

	// Kept gives the ids of runs of which something is kept elsewhere. Open asks
	// it after Recover, and Forgotten hears of those that are not remembered: they
	// were forgotten when Pawl or the machine died. nil: nothing is kept.
	Kept func() []string

	memory int64 // bytes of a journal in memory; 0: memoryMax
}

// memoryMax is how much a journal in memory may hold, in bytes.
const memoryMax = 256 << 20

func (o *Options) validate() error {
	switch {
	case o.Start == nil:
		return errors.New("embedded engine: no Start")
	case o.Hook == nil:
		return errors.New("embedded engine: no Hook")
	case o.Concurrent < 0: // 0 starts nothing, which a measurement of accepting wants
		return fmt.Errorf("embedded engine: Concurrent is %d and must not be negative", o.Concurrent)
	case o.Sync <= 0:
		return fmt.Errorf("embedded engine: Sync is %d and must be positive", o.Sync)
	case !o.Memory && o.Directory == "":
		return errors.New("embedded engine: no Directory")
	}
	if o.memory == 0 {
		o.memory = memoryMax
	}
	if o.Follow == nil {
		o.Follow = func(*run.Record) (run.Submission, bool) { return run.Submission{}, false }
	}
	return nil
}

// Engine is an engine.Engine.
type Engine struct {
	options Options
	db      *database.DB
	codec   *codec
	began   time.Time // the clock's zero

	base      context.Context // of all attempts
	interrupt context.CancelCauseFunc

	ops      chan op
	wake     chan struct{} // the loop should look at what is under mu
	stopping chan struct{} // closed by Close
	finish   chan struct{} // closed by Stop when no attempt is left
	done     chan struct{} // closed when the loop has ended
	workers  workers
	tokens   chan struct{} // one for each caller of Attend that takes no turn
	writing  writing
	inHand   atomic.Int64 // submissions that wait to be accepted
	inLine   atomic.Int64 // callers who wait for a token

	closeOnce  sync.Once
	finishOnce sync.Once
	closed     atomic.Bool
	attempts   sync.WaitGroup // goroutines of attempts
	hearers    sync.WaitGroup // of those who hear of runs that are forgotten
	loose      atomic.Int64   // changes that have happened and that no reader can see yet
	stopError  error          // set before done is closed

	shared shared
	loop   loop
}

// shared is what the loop and others share.
type shared struct {
	mu      sync.Mutex
	lazy    []*attempt                 // begun beside all limits, not yet written
	beside  map[string]*attempt        // all that run so, by the run's id
	ofHook  map[string]int             // how many of them, by hook
	hooks   map[string]shownLane       // as of the newest commit
	waiters map[string][]chan struct{} // who waits for a run's end
	running int                        // attempts of queued runs
	broken  error                      // why nothing can be written; nil: it can
	since   time.Time                  // when that began
	alarm   string                     // what an operator should know besides
	waiting int                        // runs that wait, in all
	kept    int64                      // bytes of artifacts; of the journal too where it lies in memory
	reload  bool                       // the hooks in force have changed
}

// errStale says that the end of an attempt was refused, since the attempt is no
// longer the run's current one. It is logged, and nobody's caller sees it.
var errStale = errors.New("the attempt is no longer the run's current one")

// errStops is the cause for which attempts are interrupted when Pawl stops.
var errStops = errors.New("it stops")

var _ engine.Engine = (*Engine)(nil)

// Open opens the journal of a directory, ends what was running when it was last
// used, and starts what waits. ctx bounds the attempts: when it ends they are
// interrupted, and no other begins. The error is one of package database's, or
// of the options.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	d := database.Options{Directory: o.Directory, Name: "journal.db", Migrations: files, Reserve: o.Reserve, Repair: o.Repair, VFS: o.VFS, Log: o.Log}
	if o.Memory {
		d.Memory, d.Directory, d.Reserve = o.memory, "", 0
	}
	db, err := database.Open(ctx, d)
	if err != nil {
		return nil, err // it says which file
	}
	codec, err := newCodec()
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	e := &Engine{
		options: o, db: db, codec: codec, began: time.Now(),
		ops: make(chan op, maxBatch), wake: make(chan struct{}, 1), stopping: make(chan struct{}),
		finish: make(chan struct{}), done: make(chan struct{}), tokens: make(chan struct{}, o.Sync),
		shared: shared{beside: map[string]*attempt{}, ofHook: map[string]int{}, hooks: map[string]shownLane{}, waiters: map[string][]chan struct{}{}},
		loop:   loop{active: map[int64]*attempt{}, lives: map[int64]*live{}},
	}
	e.workers = newWorkers(e.done)
	e.base, e.interrupt = context.WithCancelCause(ctx)
	if err := e.recover(ctx); err != nil {
		e.interrupt(errStops)
		return nil, errors.Join(fmt.Errorf("read it: %w", err), db.Close())
	}
	go e.run()
	return e, nil
}

// now is the time that waits are counted by: it begins as the wall clock's and
// goes on evenly, however that one is set.
func (e *Engine) now() time.Time { return e.began.Add(time.Since(e.began)) }

// hookOf gives the hook in force; a hook is in none file where it is nil.
func (e *Engine) hookOf(id string) *hook.Hook { return e.options.Hook(id) }

// send hands something to the loop, and gives ErrStopped when there is none any
// more.
func (e *Engine) send(ctx context.Context, o op) error {
	select {
	case e.ops <- o:
		return nil
	default:
	}
	select {
	case e.ops <- o:
		return nil
	case <-e.done:
		return engine.ErrStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// request is what the loop does for a caller who waits.
type request struct {
	do     func(*tx) error // an error of the journal undoes the whole batch
	refuse error           // set by do: the caller's own error, which undoes nothing
	result chan error
}

func newRequest(do func(*tx, *request) error) *request {
	r := &request{result: make(chan error, 1)}
	r.do = func(t *tx) error { return do(t, r) }
	return r
}

func (r *request) apply(t *tx) error { return r.do(t) }

func (r *request) answer(err error) {
	if err == nil {
		err = r.refuse
	}
	r.result <- err
}

// ask has the loop do something, and waits until it is on disk.
func (e *Engine) ask(ctx context.Context, do func(*tx, *request) error) error {
	r := newRequest(do)
	if err := e.send(ctx, r); err != nil {
		return err
	}
	return e.wait(ctx, r.result)
}

// wait waits for the answer of the loop.
func (e *Engine) wait(ctx context.Context, result chan error) error {
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-e.done:
	}
	select {
	case err := <-result: // it came with the end
		return err
	default:
		return engine.ErrStopped
	}
}
