// Package trigger asks hooks about deliveries and makes runs of those that
// trigger: of a request that a sender sent, of a stored delivery that a person
// sends again, of a run's end.
//
// It is pure: it submits nothing, stores nothing and logs nothing, and changes
// no record that it is given. What it makes is what an engine accepts.
package trigger

import (
	"errors"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// Mode says how a hook is asked.
type Mode struct {
	Validate bool // parse the payload even if nobody asks for a value

	// Replayed does not ask again who calls and whether the delivery was there
	// before: it is sent again by hand, or is Pawl's own. See rule.Request.
	Replayed bool
}

// Kind is what a hook says to a delivery.
type Kind int

// The kinds of verdicts.
const (
	Triggered       Kind = iota // Part holds the runs
	Mismatched                  // the trigger rule does not hold
	Nothing                     // the rule holds, and for-each has no element to run for
	Refused                     // authentic, but it does not fit the hook: Err says why
	Failed                      // the rule cannot be evaluated, or a multipart form not be parsed: Err says why
	Unauthenticated             // it is not authentic: Err says why. Whoever asked the hook's Gate says so, not Ask
	Handshaken                  // the sender asks for an answer and no run: Handshake is it
	Uninteresting               // its event type is none of the hook's events
)

// Verdict is what one hook says to one delivery.
type Verdict struct {
	Hook *hook.Hook
	Kind Kind
	Err  error // of Refused, Failed and Unauthenticated

	Handshake *sender.Handshake // of Handshaken

	// Spoiled says which elements of for-each do not fit, and so get no run
	// while others do.
	Spoiled []error

	// Problem says what of the request could not be parsed and so counts as
	// missing; it is for the log, and may be there with any Kind.
	Problem error

	// Part is the hook's part of a submission, of a hook that triggered. Its
	// SenderID is the delivery's as well. The Delivery of its runs is not set.
	Part run.Part

	request *rule.Request
}

// question is what is made for each hook that is asked: at once, for most
// deliveries need no more.
type question struct {
	content delivery.Delivery
	request rule.Request
}

// Ask asks a hook about a delivery. It gives the runs new ids, so whoever asks
// twice has two submissions.
func Ask(h *hook.Hook, d *run.Delivery, mode Mode) Verdict {
	q := &question{content: *delivery.New(d, h.Payload)}
	q.request = rule.Request{Delivery: &q.content, SoftSignatures: h.SoftSignatures, Replayed: mode.Replayed}
	v := Verdict{Hook: h, request: &q.request}
	if v.Err = q.content.Parse(); v.Err != nil {
		v.Kind = Failed
		return v
	}
	ok := true
	if h.Rule != nil {
		ok, v.Err = rule.Decide(h.Rule, &q.request)
	}
	if mode.Validate && v.Err == nil {
		_ = q.content.Validate() // Problem tells
	}
	switch {
	case v.Err != nil:
		v.Kind = Failed
	case !ok:
		v.Kind = Mismatched
	default:
		v.Kind, v.Err = v.runs(&q.content, mode)
	}
	v.Problem = q.content.Problem()
	return v
}

// runs makes the runs of a delivery whose rule holds.
func (v *Verdict) runs(content *delivery.Delivery, mode Mode) (Kind, error) {
	h := v.Hook
	v.Part = run.Part{Hook: h.ID}
	if h.DeliveryID != nil {
		v.Part.SenderID = senderID(h, content)
		if !mode.Replayed && v.Part.SenderID != "" {
			v.Part.Dedupe = h.Dedupe
		}
	}
	elements := []string{""}
	if h.ForEach != nil {
		var err error
		var unfit *delivery.ElementsError
		switch elements, err = content.Elements(*h.ForEach); {
		case errors.As(err, &unfit):
			return Refused, err
		case err != nil:
			return Failed, err
		case len(elements) == 0:
			return Nothing, nil
		}
	}
	v.Part.Runs = make([]run.Run, len(elements))
	for i, element := range elements {
		id, err := uuid.NewV7()
		if err != nil {
			return Failed, err
		}
		r := &v.Part.Runs[i]
		r.ID, r.Hook, r.Attempt = id.String(), h.ID, 1
		if h.ForEach != nil {
			r.Element = copied(element, content)
			content.SetElement(r.Element)
		}
		r.Key = keyOf(h, content)
	}
	return Triggered, nil
}

// Why says in words why no run was made, for a log that somebody reads: it may
// ask the rule again. Of the request it names values, and never tells them.
func (v Verdict) Why() string {
	switch v.Kind {
	case Mismatched:
		return rule.Why(v.Hook.Rule, v.request)
	case Nothing:
		return v.Hook.ForEach.String() + " has no elements to run for"
	case Refused, Failed:
		return v.Err.Error()
	}
	return ""
}
