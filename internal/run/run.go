// Package run holds the plain data that everything else shares: a delivery as
// it came, the runs that it made, their attempts and their ends.
//
// It decides nothing, starts nothing and stores nothing; it imports no other
// package of Pawl.
package run

import "time"

// State is where a run is on its way.
type State string

// The states of a run.
const (
	Queued     State = "queued"     // waits for its turn
	Retrying   State = "retrying"   // waits, not before a time, after a failed attempt
	Held       State = "held"       // waits, for its hook is in no hook file
	Running    State = "running"    // an attempt is going on
	Succeeded  State = "succeeded"  // its last attempt ended well
	Failed     State = "failed"     // its last attempt did not, and no other follows
	Cancelled  State = "cancelled"  // by a person
	Superseded State = "superseded" // a newer run took its place while it waited
)

// States lists all states, in the order of a run's way.
func States() []State {
	return []State{Queued, Retrying, Held, Running, Succeeded, Failed, Cancelled, Superseded}
}

// Final reports whether a run of this state has ended.
func (s State) Final() bool {
	switch s {
	case Succeeded, Failed, Cancelled, Superseded:
		return true
	}
	return false
}

// Run is one execution of a hook's command for a delivery: what an attempt
// needs to know of it.
type Run struct {
	ID       string // UUIDv7
	Hook     string // the hook's id
	Delivery *Delivery
	Element  string // the element of for-each as JSON; empty where the hook has none
	Key      Key
	Attempt  int // counts from 1, over all attempts of the run
	Depth    int // how many runs stand between it and a delivery from outside, by on-failure or on-success
}

// Key groups runs of one hook that must not overlap. The zero value is none:
// such runs run side by side.
type Key struct {
	Text       string // its values, joined unambiguously; for people as well
	Set        bool   // the hook has a queue.key
	Incomplete bool   // a value was missing: such a run is never superseded
}

// Origin says why there is a delivery or a run that no sender sent.
type Origin struct {
	Kind   OriginKind // empty: a sender sent it
	Of     string     // the id of the delivery replayed, or of the run that ended
	Edited bool       // a replayed payload was changed: nobody signed it
}

// OriginKind is a kind of Origin.
type OriginKind string

// The kinds of origins.
const (
	Replay    OriginKind = "replay"     // a person sent a stored delivery again
	OnFailure OriginKind = "on-failure" // a run failed
	OnSuccess OriginKind = "on-success" // a run succeeded
)

// Record is all that an engine remembers of a run.
type Record struct {
	Run // its Delivery is nil where only a list was asked for

	DeliveryID string // Pawl's id of the delivery
	Origin     Origin
	State      State
	Sequence   int64     // given when it was accepted: newer runs have higher ones
	Accepted   time.Time // when it was accepted
	NotBefore  time.Time // of a run that backs off or rests; else zero
	Started    time.Time // of the last attempt; zero before the first
	Ended      time.Time // of the run; zero until then
	Reason     string    // why it ended so or waits again, in words an operator can act on

	Interruptions int    // attempts cut off by a crash or a stop
	SupersededBy  string // the id of the run that took its place
	Attempts      []Attempt
}

// Took is how long its last attempt took, or has taken until now.
func (r *Record) Took(now time.Time) time.Duration {
	switch {
	case r.Started.IsZero():
		return 0
	case r.State == Running:
		return now.Sub(r.Started)
	case len(r.Attempts) > 0:
		last := r.Attempts[len(r.Attempts)-1]
		return last.Ended.Sub(last.Started)
	}
	return max(0, r.Ended.Sub(r.Started)) // it waits again, and its attempts were not asked for
}
