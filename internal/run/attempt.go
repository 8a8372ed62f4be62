package run

import "time"

// End says how an attempt ended.
type End string

// The ends of an attempt.
const (
	Exited      End = "exited"      // by itself, with an exit code
	Signalled   End = "signalled"   // killed by a signal that Pawl did not send
	TimedOut    End = "timed out"   // stopped at process.timeout
	Overflowed  End = "overflowed"  // stopped because its artifacts outgrew keep.artifacts
	Interrupted End = "interrupted" // cut off by a crash or a stop of Pawl
	Stopped     End = "cancelled"   // stopped because a person cancelled the run
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

	Results   []Result // what the script wrote to PAWL_OUTPUT, in its order
	Artifacts int64    // bytes of artifacts and summary that are kept with the run
	HookHash  string   // of the hook as it was in force at the start
}

// Result is one line name=value of what a script wrote to PAWL_OUTPUT.
type Result struct{ Name, Value string }

// State returns the state of a run whose last attempt ended so.
func (o Outcome) State() State {
	if o.End == Exited && o.ExitCode == 0 {
		return Succeeded
	}
	return Failed
}

// Attempt is one started process of a run, as it is remembered. Its Outcome's
// Output is empty in lists: it is asked for by itself.
type Attempt struct {
	Number int // from 1
	Outcome
	OutputSize int64 // bytes of output that are kept
}
