package explain

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/trigger"
)

// What a step comes to, as rules have it.
const (
	holds  = rule.Holds
	fails  = rule.Fails
	failed = rule.Errs
	passed = rule.NotAsked // over, for what came before it decided
)

// unguarded is the step of a hook whose callers no Gate asks anything.
func (q *question) unguarded() Node {
	n := Node{What: "auth", Result: string(holds)}
	guards := rule.Guards(q.hook.Rule)
	switch {
	case q.hook.Open:
		n.Text = "none: the hook says that anyone may call"
	case len(guards) == 0:
		n.Text = "nothing is asked: anyone may call"
	default:
		words := make([]string, len(guards))
		for i, guard := range guards {
			words[i] = string(guard)
		}
		n.Text = "the trigger rule asks: " + strings.Join(words, ", ")
	}
	return n
}

// parsed tells what of the request could not be parsed.
func (q *question) parsed(v *trigger.Verdict) {
	var unparsed *delivery.ParseError
	switch {
	case errors.As(v.Err, &unparsed):
		q.add(Node{What: "body", Result: string(failed), Why: q.masks.text(unparsed.Error())})
	case v.Problem != nil:
		for line := range strings.Lines(v.Problem.Error()) {
			q.add(Node{What: "body", Result: string(fails), Why: q.masks.text(strings.TrimSpace(line))})
		}
	}
}

// decided adds the steps of rule 5, each as far as it was come to.
func (q *question) decided(v *trigger.Verdict) {
	if err := q.content.Parse(); err != nil {
		return
	}
	decided := false
	step := func(n Node) {
		if decided {
			n = skipped(n)
		}
		decided = decided || n.Result != string(holds)
		q.add(n)
	}
	if q.Handshake != nil {
		q.add(Node{What: "handshake", Text: v.Why(), Result: string(holds)})
		decided = true
	}
	h := q.hook
	if len(h.Events) > 0 {
		step(q.events(v))
	}
	if h.Rule != nil {
		if decided {
			step(Node{What: "trigger-rule"})
		} else {
			step(q.rule())
		}
	}
	if h.When != nil && !h.When.UsesElement() {
		if decided {
			step(Node{What: "when", Text: h.When.String()})
		} else {
			step(q.when("when"))
		}
	}
	if h.ForEach != nil {
		if decided {
			step(Node{What: "for-each", Text: h.ForEach.String()})
		} else {
			step(q.each(v))
		}
	}
	if len(h.Bounds) > 0 || v.Kind == trigger.Refused && !decided {
		if decided {
			step(Node{What: "values"})
		} else {
			step(q.bounds(v))
		}
	}
}

// skipped is a step that was not come to.
func skipped(n Node) Node { return Node{What: n.What, Text: n.Text, Result: string(passed)} }

func (q *question) events(v *trigger.Verdict) Node {
	n := Node{What: "events", Text: strings.Join(q.hook.Events, ", "), Result: string(holds)}
	n.Saw = []Seen{{Name: "event", Value: q.Event, Missing: q.Event == ""}}
	if v.Kind == trigger.Uninteresting {
		n.Result, n.Why = string(fails), v.Why()
		if q.Event == "" {
			n.Why = "the delivery has no event type"
		}
	}
	return n
}

// rule asks the trigger rule for what each part of it comes to.
func (q *question) rule() Node {
	request := &rule.Request{Delivery: q.content, SoftSignatures: q.hook.SoftSignatures, Replayed: q.options.Replayed}
	trace := rule.Explain(q.hook.Rule, request)
	n := q.node(trace)
	return Node{What: "trigger-rule", Result: n.Result, Why: n.Why, Parts: []Node{n}}
}

// node is a trace as an explanation has it.
func (q *question) node(t rule.Trace) Node {
	n := Node{What: t.Kind, Text: t.Text, Result: string(t.Result), Why: t.Why}
	for _, saw := range t.Saw {
		if q.masks.hides(q.content, saw.Ref) && !saw.Missing {
			saw.Value, n.Text, n.Why = rule.Masked, masked(saw.Ref, n.Text), masked(saw.Ref, n.Why)
		}
		n.Saw = append(n.Saw, Seen{Value: saw.Value, Name: saw.Ref.String(), Missing: saw.Missing})
	}
	for _, hint := range t.Hints {
		q.hint(hint)
	}
	for _, part := range t.Parts {
		n.Parts = append(n.Parts, q.node(part))
	}
	return n
}

// hint adds a hint that is not there yet.
func (q *question) hint(text string) {
	for _, known := range q.Hints {
		if known == text {
			return
		}
	}
	q.Hints = append(q.Hints, text)
}

// masked leaves of a text about a value only whose it is.
func masked(ref delivery.Ref, text string) string {
	if text == "" {
		return ""
	}
	return ref.String() + " is " + rule.Masked
}

// when asks the hook's expression, of the present element where it names one.
func (q *question) when(what string) Node {
	n := Node{What: what, Text: q.hook.When.String(), Result: string(holds)}
	ok, err := q.hook.When.Holds(q.content)
	switch {
	case err != nil:
		n.Result, n.Why = string(failed), q.masks.text(err.Error())
	case !ok:
		n.Result, n.Why = string(fails), "it is false"
	}
	for _, field := range q.hook.When.Fields() {
		n.Saw = append(n.Saw, q.see(delivery.Ref{Source: delivery.Payload, Name: field}))
	}
	if q.hook.When.UsesElement() {
		n.Saw = append(n.Saw, q.see(delivery.Ref{Source: delivery.Element}))
	}
	return n
}

// see looks a value up.
func (q *question) see(ref delivery.Ref) Seen {
	value, err := q.content.Value(ref)
	switch {
	case err != nil:
		return Seen{Name: ref.String(), Missing: true}
	case q.masks.hides(q.content, ref):
		value = rule.Masked
	}
	return Seen{Name: ref.String(), Value: cut(value)}
}

// maxElements is how many elements of for-each are explained.
const maxElements = 20

// each tells what becomes of the elements.
func (q *question) each(v *trigger.Verdict) Node {
	h := q.hook
	n := Node{What: "for-each", Text: h.ForEach.String(), Result: string(holds)}
	elements, err := q.content.Elements(*h.ForEach)
	switch {
	case err != nil:
		n.Result, n.Why = string(failed), q.masks.text(err.Error())
		return n
	case len(elements) == 0:
		n.Result, n.Why = string(fails), v.Why()
		return n
	}
	n.Text += fmt.Sprintf(": %s", count(len(elements), "element"))
	for i, element := range elements {
		if i == maxElements {
			n.Parts = append(n.Parts, Node{What: "element", Text: fmt.Sprintf("and %d more", len(elements)-i), Result: string(passed)})
			break
		}
		q.content.SetElement(element)
		n.Parts = append(n.Parts, q.element(element))
	}
	if v.Kind != trigger.Triggered {
		n.Result, n.Why = string(fails), "no element makes a run"
	}
	return n
}

// element tells what becomes of the present element.
func (q *question) element(element string) Node {
	n := Node{What: "element", Text: cut(element), Result: string(holds)}
	if q.hook.When != nil && q.hook.When.UsesElement() {
		when := q.when("when")
		n.Parts = append(n.Parts, when)
		n.Result, n.Why = when.Result, when.Why
	}
	if n.Result != string(holds) {
		return n
	}
	for i := range q.hook.Bounds {
		bound := &q.hook.Bounds[i]
		if bound.Source != delivery.Element {
			continue
		}
		part := q.bound(bound)
		n.Parts = append(n.Parts, part)
		if part.Result != string(holds) {
			n.Result, n.Why = part.Result, part.Why
		}
	}
	return n
}

// bounds tells which values are not as they must be.
func (q *question) bounds(v *trigger.Verdict) Node {
	n := Node{What: "values", Result: string(holds)}
	for i := range q.hook.Bounds {
		if bound := &q.hook.Bounds[i]; bound.Source != delivery.Element || q.hook.ForEach == nil {
			n.Parts = append(n.Parts, q.bound(bound))
		}
	}
	if v.Kind == trigger.Refused {
		n.Result, n.Why = string(fails), q.masks.text(v.Err.Error())
	}
	return n
}

// bound asks whether a value is as it must be, as trigger does.
func (q *question) bound(b *hook.Bound) Node {
	n := Node{What: "pattern", Text: b.Ref.String(), Result: string(holds)}
	if b.Pattern != nil {
		n.Text += " is like " + b.Written
	}
	if b.MaxLength > 0 {
		n.Text += fmt.Sprintf(", at most %s", count(b.MaxLength, "character"))
	}
	n.Saw = []Seen{q.see(b.Ref)}
	if err := trigger.OutOf(b, q.content, trigger.Mode{Replayed: q.options.Replayed}); err != nil {
		n.Result, n.Why = string(fails), q.masks.text(err.Error())
	}
	return n
}
