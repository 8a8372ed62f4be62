package explain

import (
	"errors"
	"fmt"
	"slices"
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
		n.Text, n.Result = "the trigger rule asks: "+strings.Join(words, ", "), string(passed)
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
		result := fails
		if v.Kind == trigger.Triggered || v.Kind == trigger.Handshaken {
			result = passed // it decides nothing
		}
		for line := range strings.Lines(v.Problem.Error()) {
			q.add(Node{What: "body", Result: string(result), Why: q.masks.text(strings.TrimSpace(line))})
		}
	}
}

// decided adds the steps of rule 5, each as far as it was come to.
func (q *question) decided(v *trigger.Verdict) {
	if err := q.content.Parse(); err != nil {
		return
	}
	decided := false
	step := func(idle Node, ask func() Node) {
		if decided {
			q.add(skipped(idle))
			return
		}
		q.add(ask())
		decided = q.last().Result != string(holds)
	}
	if q.Handshake != nil {
		q.add(Node{What: "handshake", Text: v.Why(), Result: string(holds)})
		decided = true
	}
	h := q.hook
	if len(h.Events) > 0 {
		step(Node{What: "events", Text: strings.Join(h.Events, ", ")}, func() Node { return q.events(v) })
	}
	if h.Rule != nil {
		step(Node{What: "trigger-rule"}, q.rule)
	}
	if h.When != nil && !h.When.UsesElement() {
		step(Node{What: "when", Text: trigger.Shown(h.When.String())}, q.when)
	}
	switch {
	case h.ForEach != nil && !decided:
		q.each(v)
		return
	case h.ForEach != nil:
		q.add(Node{What: "for-each", Text: h.ForEach.String(), Result: string(passed)})
	}
	if q.asksValues() || v.Kind == trigger.Refused && !decided {
		step(Node{What: "values"}, func() Node { return q.values(v) })
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
	n := q.node(rule.Explain(q.hook.Rule, q.ruled()))
	return Node{What: "trigger-rule", Result: n.Result, Why: n.Why, Parts: []Node{n}}
}

// ruled is what a rule is asked about.
func (q *question) ruled() *rule.Request {
	return &rule.Request{Delivery: q.content, SoftSignatures: q.hook.SoftSignatures, Replayed: q.options.Replayed}
}

// node is a trace as an explanation has it.
func (q *question) node(t rule.Trace) Node {
	n := Node{What: t.Kind, Text: t.Text, Result: string(t.Result), Why: t.Why}
	for _, saw := range t.Saw {
		if q.masks.hides(q.content, saw.Ref) && !saw.Missing {
			saw.Value, n.Text = rule.Masked, rule.DescribeSecret(saw.Ref, strings.HasPrefix(n.Text, saw.Ref.String()+" matches "))
			if n.Why != "" {
				n.Why = saw.Ref.String() + " is not what is asked for"
			}
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

// when asks the hook's expression, of the present element where it names one.
func (q *question) when() Node {
	n := Node{What: "when", Text: trigger.Shown(q.hook.When.String()), Result: string(holds)}
	ok, err := q.hook.When.Holds(q.content)
	switch {
	case err != nil:
		n.Result, n.Why = string(failed), trigger.Shown(q.masks.text(err.Error()))
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

// each tells what becomes of the elements. What they share is looked at after they
// were counted, and before each of them is.
func (q *question) each(v *trigger.Verdict) {
	n := Node{What: "for-each", Text: q.hook.ForEach.String(), Result: string(holds)}
	elements, ok := q.counted(&n, v)
	values := Node{What: "values", Result: string(passed)}
	if ok {
		if values = q.values(v); values.Result == string(holds) {
			q.elements(&n, elements, v)
		}
	}
	q.add(n)
	if q.asksValues() {
		q.add(values)
	}
}

// counted says how many elements there are, and reports whether they are looked at.
func (q *question) counted(n *Node, v *trigger.Verdict) (elements []string, ok bool) {
	of := *q.hook.ForEach
	elements, err := q.content.Elements(of)
	switch {
	case q.hook.Tells(q.content, of):
		n.Result, n.Why = string(fails), q.Reason
	case err != nil:
		n.Result, n.Why = string(failed), q.masks.text(err.Error())
	case len(elements) == 0:
		n.Result, n.Why = string(fails), v.Why()
	default:
		n.Text += ": " + count(len(elements), "element")
		return elements, true
	}
	return nil, false
}

// elements tells what becomes of each.
func (q *question) elements(n *Node, elements []string, v *trigger.Verdict) {
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
}

// element tells what becomes of the present element.
func (q *question) element(element string) Node {
	n := Node{What: "element", Text: cut(element), Result: string(holds)}
	if q.hook.When != nil && q.hook.When.UsesElement() {
		when := q.when()
		n.Parts = append(n.Parts, when)
		n.Result, n.Why = when.Result, when.Why
	}
	if n.Result == string(holds) {
		q.looked(&n, func(ref delivery.Ref) bool { return trigger.OfElement(q.hook, ref) })
	}
	return n
}

// shared reports whether a value is looked at once, and not for each element.
func (q *question) shared(ref delivery.Ref) bool {
	return q.hook.ForEach == nil || !trigger.OfElement(q.hook, ref)
}

// asksValues reports whether values are looked at but for elements' own.
func (q *question) asksValues() bool {
	n := Node{}
	return slices.ContainsFunc(q.hook.Bounds, func(b hook.Bound) bool { return q.shared(b.Ref) }) || q.computed(&n, q.shared)
}

// values tells which values are not as they must be, or cannot be worked out.
func (q *question) values(v *trigger.Verdict) Node {
	n := Node{What: "values", Result: string(holds)}
	q.looked(&n, q.shared)
	if v.Kind == trigger.Refused && q.hook.ForEach == nil {
		n.Result, n.Why = string(fails), q.Reason
	}
	return n
}

// looked adds to a step the values that are looked at.
func (q *question) looked(n *Node, which func(delivery.Ref) bool) {
	for i := range q.hook.Bounds {
		if bound := &q.hook.Bounds[i]; which(bound.Ref) {
			n.Parts = append(n.Parts, q.bound(bound))
		}
	}
	q.computed(n, which)
	for i := range n.Parts {
		if part := &n.Parts[i]; part.Result != string(holds) && n.Result == string(holds) {
			n.Result, n.Why = string(fails), part.Why
		}
	}
}

// computed adds to a step the values that expressions give and that no bound
// tells of, and reports whether there are any.
func (q *question) computed(n *Node, which func(delivery.Ref) bool) (some bool) {
	for ref := range trigger.Computations(q.hook) {
		told := slices.ContainsFunc(q.hook.Bounds, func(b hook.Bound) bool { return b.Ref == ref })
		if told || !which(ref) {
			continue
		}
		some = true
		part := Node{What: "computed", Text: ref.String(), Result: string(holds), Saw: []Seen{q.see(ref)}}
		if _, err := q.content.Value(ref); err != nil && !delivery.IsMissing(err) {
			part.Result, part.Why = string(failed), q.masks.text(err.Error())
		}
		n.Parts = append(n.Parts, part)
	}
	return some
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
	var bound *trigger.BoundError
	switch err := trigger.OutOf(b, q.content, trigger.Mode{Replayed: q.options.Replayed}); {
	case errors.As(err, &bound):
		n.Result, n.Why = string(fails), q.masks.text(err.Error())
	case err != nil: // it cannot be worked out
		n.Result, n.Why = string(failed), q.masks.text(err.Error())
	}
	return n
}
