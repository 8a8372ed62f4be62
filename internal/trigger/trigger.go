// Package trigger asks hooks about deliveries and makes runs of those that
// trigger: of a request that a sender sent, of a stored delivery that a person
// sends again, of a run's end.
//
// It is pure: it submits nothing, stores nothing and logs nothing, and changes
// no record that it is given. What it makes is what an engine accepts.
package trigger

import (
	"fmt"
	"slices"
	"strings"

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
	Mismatched                  // the trigger rule, or when, does not hold; when of no element
	Nothing                     // they hold, and for-each has no element to run for
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
	when    bool  // of Mismatched: it is when that does not hold
	unread  error // what could not be parsed of that which was looked at to decide
}

// question is what is made for each hook that is asked: at once, for most
// deliveries need no more.
type question struct {
	content delivery.Delivery
	request rule.Request
}

// Ask asks a hook about a delivery, in the order of rule 5: handshake, events,
// trigger rule, when, for-each, and what values must be like. It gives the runs
// new ids, so whoever asks twice has two submissions. Who calls it does not ask:
// that is the hook's Gate's to say, before.
func Ask(h *hook.Hook, d *run.Delivery, mode Mode) Verdict {
	q := &question{content: *delivery.New(d, h.Payload)}
	q.request = rule.Request{Delivery: &q.content, SoftSignatures: h.SoftSignatures, Replayed: mode.Replayed}
	v := Verdict{Hook: h, request: &q.request}
	if v.Err = q.content.Parse(); v.Err != nil {
		v.Kind = Failed
		return v
	}
	v.Kind, v.Err = v.decide(&q.content, mode)
	if v.Kind != Triggered && v.Kind != Handshaken {
		v.unread = q.content.Problem() // before more is looked at
	}
	if mode.Validate {
		_ = q.content.Validate() // Problem tells
	}
	v.Problem = q.content.Problem()
	return v
}

// decide asks whether the delivery triggers the hook, and makes the runs.
func (v *Verdict) decide(content *delivery.Delivery, mode Mode) (Kind, error) {
	h := v.Hook
	if h.Sender != nil && !mode.Replayed {
		if v.Handshake = h.Sender.Handshake(content); v.Handshake != nil {
			if !h.Gate.Confirms() {
				v.Handshake.Fetch = "" // nobody vouches for the URL
			}
			return Handshaken, nil
		}
	}
	if len(h.Events) > 0 && !follows(content) && !slices.Contains(h.Events, content.EventType()) {
		return Uninteresting, nil
	}
	if h.Rule != nil {
		switch ok, err := rule.Decide(h.Rule, v.request); {
		case delivery.IsUnfit(err):
			return Refused, err
		case err != nil:
			return Failed, err
		case !ok:
			return Mismatched, nil
		}
	}
	if h.When != nil && !h.When.UsesElement() {
		if ok, err := holds(h, content); err != nil {
			return Refused, err
		} else if !ok {
			v.when = true
			return Mismatched, nil
		}
	}
	if h.ForEach != nil {
		return v.each(content, mode)
	}
	if err := unfit(h, content, mode, always); err != nil {
		return Refused, err
	}
	v.Part = part(h, content, mode)
	v.Part.Runs = make([]run.Run, 1)
	return v.fill(&v.Part.Runs[0], content)
}

// follows reports whether Pawl itself made the delivery of a run's end: its
// sender is nobody whose events a hook lists.
func follows(content *delivery.Delivery) bool {
	return content.Origin.Kind == run.OnFailure || content.Origin.Kind == run.OnSuccess
}

// holds asks the hook's when.
func holds(h *hook.Hook, content *delivery.Delivery) (bool, error) {
	ok, err := h.When.Holds(content)
	if err != nil {
		return false, &delivery.ExpressionError{Expression: h.When.String(), Err: err}
	}
	return ok, nil
}

// part is the hook's part without its runs.
func part(h *hook.Hook, content *delivery.Delivery, mode Mode) run.Part {
	p := run.Part{Hook: h.ID, SenderID: senderID(h, content)}
	if mode.Replayed {
		return p
	}
	if p.SenderID != "" && (h.DeliveryID != nil || h.Sender == nil || !h.Sender.SharesID(content)) {
		p.Dedupe = h.Dedupe
	}
	p.MustAccept = h.Sender != nil && h.Sender.SwitchesOff
	return p
}

// fill makes a run of the present element.
func (v *Verdict) fill(r *run.Run, content *delivery.Delivery) (Kind, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Failed, err
	}
	r.ID, r.Hook, r.Attempt = id.String(), v.Hook.ID, 1
	r.Key = keyOf(v.Hook, content)
	return Triggered, nil
}

// each makes the runs of a hook with for-each: of the elements that fit, and of
// which its when holds.
func (v *Verdict) each(content *delivery.Delivery, mode Mode) (Kind, error) {
	h := v.Hook
	if h.Tells(content, *h.ForEach) {
		return Refused, fmt.Errorf("%s is a credential: no run is made for each of its elements, which would be kept and shown", h.ForEach)
	}
	elements, err := content.Elements(*h.ForEach)
	switch {
	case delivery.IsUnfit(err):
		return Refused, err
	case err != nil:
		return Failed, err
	case len(elements) == 0:
		return Nothing, nil
	}
	if err := unfit(h, content, mode, once); err != nil {
		return Refused, err
	}
	v.Part = part(h, content, mode)
	v.Part.Runs = make([]run.Run, 0, len(elements))
	for i, element := range elements {
		element = copied(element, content)
		content.SetElement(element)
		if ok, err := fits(h, content, mode); err != nil {
			v.Spoiled = append(v.Spoiled, &spoiledError{i + 1, *h.ForEach, err})
			continue
		} else if !ok {
			continue
		}
		r := run.Run{Element: element}
		if kind, err := v.fill(&r, content); err != nil {
			return kind, err
		}
		v.Part.Runs = append(v.Part.Runs, r)
	}
	if len(v.Part.Runs) > 0 {
		return Triggered, nil
	}
	v.Part = run.Part{}
	if len(v.Spoiled) > 0 {
		return Refused, allSpoiled(v.Spoiled)
	}
	v.when = true
	return Mismatched, nil
}

// fits asks whether the present element gets a run.
func fits(h *hook.Hook, content *delivery.Delivery, mode Mode) (bool, error) {
	if h.When != nil && h.When.UsesElement() {
		if ok, err := holds(h, content); err != nil || !ok {
			return false, err
		}
	}
	if err := unfit(h, content, mode, perElement); err != nil {
		return false, err
	}
	return true, nil
}

// spoiledError says which element of for-each does not fit.
type spoiledError struct {
	number int // from 1
	of     delivery.Ref
	err    error
}

func (e *spoiledError) Error() string {
	return fmt.Sprintf("element %d of %s: %s", e.number, e.of, e.err)
}

func (e *spoiledError) Unwrap() error { return e.err }

// allSpoiled is the error of elements none of which gets a run: the first one's,
// and how many there are.
func allSpoiled(spoiled []error) error {
	if len(spoiled) == 1 {
		return spoiled[0]
	}
	return fmt.Errorf("%w (and %d more of its elements do not fit)", spoiled[0], len(spoiled)-1)
}

// Why says in words why no run was made, for a log that somebody reads: it may
// ask the rule again. What could not be read of the request comes first, if it was
// looked at. Of the request it names values, and never tells them, but for the
// event type and the content type.
func (v Verdict) Why() string {
	switch v.Kind {
	case Mismatched:
		switch {
		case !v.when:
			return v.because(rule.Why(v.Hook.Rule, v.request))
		case v.Hook.When.UsesElement():
			return v.because("when holds for none of the elements of " + v.Hook.ForEach.String() + ": " + Shown(v.Hook.When.String()))
		}
		return v.because("when does not hold: " + Shown(v.Hook.When.String()))
	case Nothing:
		return v.because(v.Hook.ForEach.String() + " has no elements to run for")
	case Refused:
		return v.because(Shown(v.Err.Error()))
	case Failed, Unauthenticated:
		return v.Err.Error()
	case Handshaken:
		return "the sender asks for an answer alone: it is set up or tested"
	case Uninteresting:
		return v.because(fmt.Sprintf("the event type %.100q is none of the hook's events %q", v.request.EventType(), v.Hook.Events))
	}
	return ""
}

// because puts before a reason what could not be read of the request.
func (v Verdict) because(reason string) string {
	if v.unread == nil {
		return reason
	}
	return rule.Cut(strings.ReplaceAll(v.unread.Error(), "\n", "; "), rule.MaxShown) + "; so " + reason
}
