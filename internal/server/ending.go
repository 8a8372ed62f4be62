package server

import (
	"net/http"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// ending is how a run ended, as far as an answer tells of it.
type ending struct {
	status int  // of the answer; 0: 200
	failed bool // the command did not do what it should
	named  bool // the hook's exit-status names the status
	later  bool // a newer run does its work
}

// endOf judges an exit code; -1 stands for what has none: a signal, a time-out,
// a script that could not start. The * of exit-status is for failures alone: who
// writes "*": 500 does not mean success.
func endOf(h *hook.Hook, succeeded bool, code int) ending {
	status, named := h.Answer.ExitStatus[code]
	switch {
	case named:
		return ending{status: status, failed: !succeeded, named: true}
	case succeeded:
		return ending{status: h.SuccessCode}
	case h.Answer.OtherExit != 0:
		return ending{status: h.Answer.OtherExit, failed: true, named: true}
	}
	return ending{status: http.StatusInternalServerError, failed: true}
}

// endOfAttempt judges an attempt.
func endOfAttempt(h *hook.Hook, o run.Outcome) ending {
	code := o.ExitCode
	if o.End != run.Exited {
		code = -1
	}
	return endOf(h, o.State() == run.Succeeded, code)
}

// endOfRun judges a run that has ended: one that failed by its last attempt. If
// that one did not fail (a run that a person tried again, and that expired), or
// there is none, it has no exit code; neither has a run that was cancelled.
func endOfRun(h *hook.Hook, r *run.Record) ending {
	switch {
	case r.State == run.Superseded:
		return ending{status: http.StatusAccepted, later: true}
	case r.State == run.Succeeded:
		return endOf(h, true, 0)
	case r.State == run.Failed && len(r.Attempts) > 0:
		last := r.Attempts[len(r.Attempts)-1]
		if last.End == run.Exited && last.State() == run.Failed {
			return endOf(h, false, last.ExitCode)
		}
	}
	return endOf(h, false, -1)
}

// worse tells whether an ending counts more than another in an answer to both: a
// failure more than a run that was superseded, and that more than success; of
// two alike the one with the higher status.
func (e ending) worse(than ending) bool {
	weight := func(e ending) int {
		switch {
		case e.failed:
			return 2
		case e.later:
			return 1
		}
		return 0
	}
	if a, b := weight(e), weight(than); a != b {
		return a > b
	}
	return e.status > than.status
}
