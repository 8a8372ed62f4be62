package server

import (
	"context"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// deliver asks all hooks, submits the runs of those that trigger, and answers
// for the first of them. release is called as soon as nothing here needs the
// body any more.
func (s *Server) deliver(x *exchange, hooks []*hook.Hook, record *run.Delivery, release func()) {
	var triggered []trigger.Verdict
	var words []string        // of those
	var other trigger.Verdict // answers where none triggers
	for i, h := range hooks {
		v := trigger.Ask(h, record, trigger.Mode{Validate: s.options.ValidateJSON})
		x.note(&v)
		if v.Kind == trigger.Handshaken && !s.confirm(x, &v) {
			return
		}
		switch {
		case v.Kind == trigger.Triggered:
			triggered = append(triggered, v)
			if i < len(x.verified) {
				words = append(words, x.verified[i])
			}
		case other.Hook == nil || rank(v.Kind) < rank(other.Kind):
			other = v
		}
	}
	if len(triggered) > 0 {
		record.Verified = verifiedBy(words)
		spoiled := x.spoiled(triggered)
		keep := len(spoiled) > 0 && s.keeps(x)
		if keep {
			release = func() {} // the explanation looks at the body once more
		}
		s.accept(x, record, triggered, release)
		if keep {
			s.keepSpoiled(x, record, spoiled)
		}
		return
	}
	keep := other.Kind != trigger.Handshaken && s.keeps(x)
	s.turnAway(x, &other)
	if keep {
		s.keep(x, record)
	}
}

// spoiled gives the hooks of which elements get no run, and has the answer say how
// many elements that are.
func (x *exchange) spoiled(triggered []trigger.Verdict) (hooks []*hook.Hook) {
	elements := 0
	for i := range triggered {
		if n := len(triggered[i].Spoiled); n > 0 {
			hooks, elements = append(hooks, triggered[i].Hook), elements+n
		}
	}
	if elements > 0 {
		x.Header().Set(spoiledHeader, strconv.Itoa(elements))
	}
	return hooks
}

// rank says who answers where no hook triggers: one whose sender waits for a
// certain answer, then one that would have triggered, before one whose rule does
// not hold, before one that could not tell.
func rank(kind trigger.Kind) int {
	switch kind {
	case trigger.Handshaken:
		return 0
	case trigger.Nothing, trigger.Uninteresting:
		return 1
	case trigger.Refused:
		return 2
	case trigger.Mismatched:
		return 3
	}
	return 4
}

// confirmTime bounds the request by which a subscription is confirmed. Amazon SNS
// gives an endpoint 15 s to answer.
const confirmTime = 5 * time.Second

// confirm does what a handshake asks for besides its answer: it fetches the URL by
// which a subscription is confirmed. That comes before the answer, so that there is
// no success that a stop of Pawl could undo, and a sender that hears of a failure
// asks again. It reports whether to go on; if not, it has answered.
func (s *Server) confirm(x *exchange, v *trigger.Verdict) bool {
	if v.Handshake.Fetch == "" {
		return true
	}
	ctx, cancel := context.WithTimeout(x.request.Context(), confirmTime)
	defer cancel()
	if err := s.options.Confirm(ctx, v.Handshake.Fetch); err != nil {
		x.event(zerolog.ErrorLevel).Err(err).Str("hook", v.Hook.ID).Msg("the subscription could not be confirmed")
		busy(x, "Not confirmed.")
		return false
	}
	x.info().Str("hook", v.Hook.ID).Msg("the subscription was confirmed")
	return true
}

// note logs what a hook says to a delivery, unless it triggers: that is told
// when its runs are accepted.
func (x *exchange) note(v *trigger.Verdict) {
	if v.Problem != nil {
		x.info().Err(v.Problem).Str("hook", v.Hook.ID).Msg("not all of the request could be parsed")
	}
	if n := len(v.Spoiled); n > 0 {
		x.warn().Str("error", trigger.Shown(v.Spoiled[0].Error())).Int("elements", n).Str("hook", v.Hook.ID).Msg("elements that do not fit get no run; this is the first")
	}
	switch v.Kind {
	case trigger.Mismatched:
		if event := x.info(); event != nil {
			event.Str("because", v.Why()).Str("hook", v.Hook.ID).Msg("trigger rule not satisfied")
		}
	case trigger.Nothing:
		if event := x.info(); event != nil {
			event.Str("because", v.Why()).Str("hook", v.Hook.ID).Msg("nothing to run")
		}
	case trigger.Uninteresting:
		if event := x.info(); event != nil {
			event.Str("because", v.Why()).Str("hook", v.Hook.ID).Msg("nothing to run: the hook does not ask for this event")
		}
	case trigger.Handshaken:
		x.info().Str("hook", v.Hook.ID).Msg("a handshake was answered")
	case trigger.Refused:
		if event := x.warn(); event != nil {
			event.Str("error", v.Why()).Str("hook", v.Hook.ID).Msg("refused: the delivery does not fit")
		}
	case trigger.Failed:
		text := "error evaluating the trigger rule"
		if v.Unparsed() {
			text = "cannot parse the body"
		}
		x.warn().Err(v.Err).Str("hook", v.Hook.ID).Msg(text)
	}
}

// turnAway answers a delivery that makes no runs.
func (s *Server) turnAway(x *exchange, v *trigger.Verdict) {
	switch v.Kind {
	case trigger.Handshaken:
		shake(x, v)
		return
	case trigger.Nothing, trigger.Uninteresting:
		x.Header().Set(RunsHeader, "0")
		setAnswerHeaders(x, v.Hook)
	}
	answer(x, v.Answer())
}

// answer answers a delivery that makes no runs.
func answer(x *exchange, a trigger.Answer) { respond(x, a.Status, a.Text) }

// shake answers a handshake.
func shake(x *exchange, v *trigger.Verdict) {
	x.Header().Set(RunsHeader, "0")
	setAnswerHeaders(x, v.Hook)
	kind := v.Handshake.ContentType
	if kind == "" {
		kind = "text/plain; charset=utf-8"
	}
	x.Header().Set("Content-Type", kind)
	x.Header().Set("X-Content-Type-Options", "nosniff")
	respond(x, v.Handshake.Status, v.Handshake.Body)
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
