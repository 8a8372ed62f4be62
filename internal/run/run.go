// Package run holds the plain data that everything else shares: a delivery as
// it came, the run that it made, and the run's attempts.
//
// It decides nothing, starts nothing and stores nothing; it imports no other
// package of Pawl.
package run

import (
	"net/http"
	"time"
)

// Delivery is one HTTP request to a hook, kept as it came. It is never changed
// after it was accepted, and everything that a run needs of its request can be
// found again from it.
type Delivery struct {
	ID         string // UUIDv7, given when the request arrived
	Received   time.Time
	Method     string
	Path       string // decoded, as the router saw it
	RawQuery   string // without the question mark
	Host       string // the Host header; net/http keeps it apart from the others
	Header     http.Header
	Body       []byte // whole, undecoded
	RemoteAddr string // "address:port", or "@" on a Unix socket
}

// State is where a run is on its way.
type State string

// The states of a run that has ended.
const (
	Succeeded State = "succeeded"
	Failed    State = "failed"
)

// Run is one execution of a hook's command for a delivery.
type Run struct {
	ID       string // UUIDv7
	Hook     string // the hook's id
	Delivery *Delivery
	Attempt  int // counts from 1
}

// End says how an attempt's process ended.
type End string

// The ends of an attempt.
const (
	Exited      End = "exited"      // by itself, with an exit code
	Signalled   End = "signalled"   // killed by a signal that Pawl did not send
	TimedOut    End = "timed out"   // stopped at process.timeout
	Interrupted End = "interrupted" // stopped because Pawl stops
	NotStarted  End = "not started" // the script could not start
)

// Outcome is what came of one attempt.
type Outcome struct {
	End      End
	ExitCode int    // of the process when End is Exited, else -1
	Signal   string // the signal's name when End is Signalled
	Reason   string // in words an operator can act on; empty when all went well
	Started  time.Time
	Ended    time.Time
	Output   []byte // what was kept of standard output and error together
	Head     int    // Output[:Head] came first, Output[Head:] last
	Omitted  int64  // bytes of output left out between the two
}

// State returns the state of a run whose last attempt ended so.
func (o Outcome) State() State {
	if o.End == Exited && o.ExitCode == 0 {
		return Succeeded
	}
	return Failed
}
