// Package engine says what an engine is: what keeps deliveries and runs
// durably, and decides when each run starts.
//
// The contract is the interface Engine, and the conformance suite in package
// enginetest tries every rule of it. The engines are packages below this one.
// An engine starts no processes and answers no requests: the caller hands it a
// Start func, and asks it.
package engine

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// Engine keeps deliveries and runs, and starts runs when it is their turn.
//
// All methods may be called from any goroutine, also while the engine stops and
// after it: then they fail with ErrStopped, or read what there is.
//
// # What it promises
//
//   - What Submit accepted is on disk, and survives the death of the process and
//     of the machine at any moment after it.
//   - A run is attempted at least once and never twice at the same time. The end
//     of an attempt that is no longer the current one is refused and changes
//     nothing.
//   - Runs of one key are attempted one at a time, in the order in which they
//     were accepted; one that backs off keeps its place and its key.
//   - Among hooks of one priority turns are fair; one blocked key or paused hook
//     holds up no other.
//   - A run's end is remembered together with all that follows from it: the next
//     of its key, the runs of on-failure and on-success, the pause of its hook.
type Engine interface {
	// Submit accepts a delivery and its runs, all or none, and returns when they
	// are on disk. The error is ErrFull, ErrStopped, ErrUnavailable or the
	// context's; with the last the submission may have been accepted.
	Submit(ctx context.Context, s run.Submission) (run.Receipt, error)

	// Attend submits like Submit, for a caller who reads what the first attempt
	// of the first run prints, and returns that attempt's outcome. Without
	// Live.Turn the run starts at once, beside the limits of queued runs and
	// without waiting for the disk, as soon as one of Options.Sync places is
	// free. With an error nothing was accepted, unless Live.Accepted was called.
	// After that the end of ctx changes nothing but that Attend returns early.
	//
	// A run whose part is a duplicate is not run: the receipt says so, and
	// outcome and error are empty.
	Attend(ctx context.Context, s run.Submission, live Live) (run.Receipt, run.Outcome, error)

	// Await returns the records of runs, without output, when all have ended, or
	// those that there are when ctx ends, with the context's error.
	Await(ctx context.Context, ids ...string) ([]run.Record, error)

	// Cancel ends runs for good: a waiting one at once, a running one by
	// interrupting its attempt. It gives the ids of those that had not ended.
	Cancel(ctx context.Context, ids ...string) ([]string, error)

	// Rerun puts ended runs at the end of their lines once more, with a fresh
	// count of attempts; of a run that waits to be tried again it ends the wait.
	// It gives the ids of those that it could.
	Rerun(ctx context.Context, ids ...string) ([]string, error)

	// Pause keeps runs of a hook from starting, until Resume. Accepting goes on.
	// Both survive a restart, and may be said again.
	Pause(ctx context.Context, hook, reason string) error
	Resume(ctx context.Context, hook string) error

	// Prune forgets ended runs that match a filter, and gives their number.
	Prune(ctx context.Context, f Filter) (int, error)

	// Reload says that the hooks in force have changed: held runs of a hook that
	// is back wait again, those of one that is gone are held, new limits count.
	Reload()

	History

	// Status tells how the engine is.
	Status() Status

	// Close accepts and starts nothing more. It gives the number of attempts
	// that still run, and the ids of the runs that are lost with the engine:
	// none, where it is durable. It may be called again.
	Close() (running int, lost []string)

	// Stop closes the engine, waits until what runs has ended, interrupts it
	// when grace is over or ctx ends, and returns when nothing runs and all is
	// on disk. It may be called again.
	Stop(ctx context.Context, grace time.Duration) error
}

// History is what can be asked about runs. Answers may be older than a change
// that is being made at that moment, never older than one that has returned.
type History interface {
	// List gives runs, the newest first, without deliveries and attempts.
	List(ctx context.Context, f Filter, page Page) (Listing, error)

	// Find gives the one run whose id begins so, with its attempts and its
	// delivery. The error is ErrNotFound, or an *AmbiguousError.
	Find(ctx context.Context, prefix string) (*run.Record, error)

	// Output gives what an attempt printed, as far as it was kept: the bytes up
	// to head came first, then omitted bytes were left out. It is empty while
	// the attempt goes on.
	Output(ctx context.Context, id string, attempt int) (output []byte, head int, omitted int64, err error)

	// Delivery gives a stored delivery by its id. The error is ErrNotFound.
	Delivery(ctx context.Context, id string) (*run.Delivery, error)

	// Why says in words what a run that waits is waiting for, with the id of the
	// run that it stands behind, where it is one: a run of its key, a limit, a
	// rate, a pause, a time. It is empty for a run that does not wait.
	Why(ctx context.Context, id string) (text, behind string, err error)
}

// Start runs one attempt to its end. The cause of ctx says why it is
// interrupted: ErrCancelled, or that Pawl stops. output is nil where nobody
// reads along.
type Start func(ctx context.Context, r run.Run, output io.Writer) run.Outcome

// Options is what every engine is made of.
type Options struct {
	Start Start

	// Hook gives the hook of that id that is in force, or nil. The engine reads
	// its Queue, Retry, Keep, OnFailure and OnSuccess.
	Hook func(id string) *hook.Hook

	// Follow makes the delivery and the runs that follow from the end of a run
	// (on-failure, on-success); false where none does. It must be pure: it may
	// be asked again about the same end.
	Follow func(r *run.Record) (run.Submission, bool)

	// Forgotten hears of runs that are forgotten, after the fact, so that what
	// was kept of them elsewhere goes too. nil: nobody needs to.
	Forgotten func(ids []string)

	Concurrent int // attempts of queued runs at a time
	Sync       int // attempts at a time for callers of Attend that do not take their turn

	Log zerolog.Logger
}

// Live is how a caller of Attend reads along.
type Live struct {
	Turn     bool      // take the run's turn, like any other
	Output   io.Writer // gets all that the first attempt prints
	Accepted func()    // called once, before the attempt starts; may be nil

	// Stays says that the caller waits for the end of the attempt even if its
	// context ends, so that the attempt may go on in its goroutine: that saves
	// handing it over. Without effect on a run that takes its turn.
	Stays bool
}

// Filter chooses runs. Its zero value chooses all.
type Filter struct {
	Hook  string
	State run.State
	Key   *string // the Text of a Key
	Since time.Time

	// Before chooses runs that were accepted before it, as Since does those that
	// were accepted then or later; zero: no bound.
	Before time.Time
}

// Page is a part of a list.
type Page struct {
	Limit int    // 1 to MaxPage; 0: 50
	After string // the Next of the page before; empty: from the newest on
}

// MaxPage is the most that one Page can ask for.
const MaxPage = 1000

// Listing is one page of a list.
type Listing struct {
	Runs []run.Record
	Next string // for the page after; empty: there is none
}

// Status is how an engine is.
type Status struct {
	Durable   bool   // what it accepts outlives this process
	Accepting bool   // false: Submit fails with ErrUnavailable or ErrStopped
	Problem   string // what an operator must look after, in words; empty: nothing
	Waiting   int    // runs that wait
	Running   int    // attempts that go on
	Bytes     int64  // of the journal and what is kept with it
	Reserve   int64  // bytes of the journal's reserve that are left
	Wanted    int64  // bytes that the reserve should have
	Hooks     map[string]HookStatus
}

// HookStatus is how the runs of one hook are.
type HookStatus struct {
	Waiting  int
	Running  int
	Failures int    // final failures in a row
	Paused   string // why and by whom, not empty while it is paused
}

var (
	// ErrFull says that no more can wait, in memory or in a hook's queue. The
	// sender should try again later.
	ErrFull = errors.New("too many runs wait already")
	// ErrStopped says that Pawl stops, and nothing is accepted any more.
	ErrStopped = errors.New("stopping: nothing is accepted any more")
	// ErrUnavailable says that the journal cannot be written. What is wrong is
	// wrapped beside it, and in Status.
	ErrUnavailable = errors.New("the journal cannot be written")
	// ErrNotFound says that there is no such run, attempt or delivery.
	ErrNotFound = errors.New("not found")
	// ErrCancelled is the cause for which a cancelled attempt is interrupted.
	ErrCancelled = errors.New("cancelled by hand")
)

// AmbiguousError says that several runs' ids begin so.
type AmbiguousError struct {
	Prefix string
	IDs    []string // some of them
}

func (e *AmbiguousError) Error() string {
	return "several runs' ids begin with " + e.Prefix + "; give more of it"
}
