package server

import (
	"errors"
	"net/http"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// deliver asks all hooks, submits the runs of those that trigger, and answers
// for the first of them. release is called as soon as nothing here needs the
// body any more.
func (s *Server) deliver(x *exchange, hooks []*hook.Hook, record *run.Delivery, release func()) {
	var triggered []trigger.Verdict
	var other trigger.Verdict // answers where none triggers
	for _, h := range hooks {
		v := trigger.Ask(h, record, trigger.Mode{Validate: s.options.ValidateJSON})
		x.note(&v)
		switch {
		case v.Kind == trigger.Triggered:
			triggered = append(triggered, v)
		case other.Hook == nil || rank(v.Kind) < rank(other.Kind):
			other = v
		}
	}
	if len(triggered) > 0 {
		s.accept(x, record, triggered, release)
		return
	}
	s.turnAway(x, &other)
}

// rank says who answers where no hook triggers: one that would have, before one
// whose rule does not hold, before one that could not tell.
func rank(kind trigger.Kind) int {
	switch kind {
	case trigger.Nothing:
		return 0
	case trigger.Refused:
		return 1
	case trigger.Mismatched:
		return 2
	}
	return 3
}

// note logs what a hook says to a delivery, unless it triggers: that is told
// when its runs are accepted.
func (x *exchange) note(v *trigger.Verdict) {
	if v.Problem != nil {
		x.info().Err(v.Problem).Str("hook", v.Hook.ID).Msg("not all of the request could be parsed")
	}
	switch v.Kind {
	case trigger.Mismatched:
		if event := x.info(); event != nil {
			event.Str("because", v.Why()).Str("hook", v.Hook.ID).Msg("trigger rule not satisfied")
		}
	case trigger.Nothing:
		x.info().Str("hook", v.Hook.ID).Stringer("for-each", v.Hook.ForEach).Msg("nothing to run: for-each has no elements")
	case trigger.Refused:
		x.warn().Err(v.Err).Str("hook", v.Hook.ID).Msg("refused: the delivery does not fit")
	case trigger.Failed:
		text := "error evaluating the trigger rule"
		if isUnparsed(v.Err) {
			text = "cannot parse the body"
		}
		x.warn().Err(v.Err).Str("hook", v.Hook.ID).Msg(text)
	}
}

// turnAway answers a delivery that makes no runs.
func (s *Server) turnAway(x *exchange, v *trigger.Verdict) {
	switch v.Kind {
	case trigger.Nothing:
		code := v.Hook.SuccessCode
		if code < 200 || code > 299 {
			code = http.StatusOK
		}
		x.Header().Set(runsHeader, "0")
		setAnswerHeaders(x, v.Hook)
		respond(x, code, "No runs: "+v.Hook.ForEach.String()+" has no elements.")
	case trigger.Refused:
		respond(x, http.StatusBadRequest, "Refused: "+v.Err.Error()+".")
	case trigger.Mismatched:
		respond(x, v.Hook.MismatchCode, "Hook rules were not satisfied.")
	default:
		text := "Error occurred while evaluating hook rules."
		if isUnparsed(v.Err) {
			text = "Error occurred while parsing multipart form."
		}
		respond(x, http.StatusInternalServerError, text)
	}
}

func isUnparsed(err error) bool {
	var unparsed *delivery.ParseError
	return errors.As(err, &unparsed)
}

// accepted logs what became of the parts of a delivery. first is how many of
// their runs, in order, were told before.
func (x *exchange) accepted(submission *run.Submission, receipt run.Receipt, first int) {
	for i := range submission.Parts {
		part := &submission.Parts[i]
		if of := duplicateOf(receipt, i); of != "" {
			x.info().Str("hook", part.Hook).Str("of", of).Str("sender", part.SenderID).
				Msg("a repeat of a delivery was dropped: that one's runs wait, run or have succeeded")
			continue
		}
		if i < len(receipt.Overfull) && receipt.Overfull[i] {
			x.warn().Str("hook", part.Hook).Msg("accepted beyond queue.max-queued: a sender like this would stop calling for good")
		}
		for j := range part.Runs {
			if first > 0 {
				first--
				continue
			}
			x.triggered(&part.Runs[j])
		}
	}
}

func (x *exchange) triggered(r *run.Run) {
	x.event(zerolog.InfoLevel).Str("hook", r.Hook).Str("run", r.ID).Msg("hook triggered")
}

// duplicateOf is the delivery that a part repeats, or "".
func duplicateOf(receipt run.Receipt, part int) string {
	if part < len(receipt.DuplicateOf) {
		return receipt.DuplicateOf[part]
	}
	return ""
}
