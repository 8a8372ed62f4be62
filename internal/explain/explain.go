// Package explain tells why: what a hook makes of one delivery and for what
// reasons, step by step, and what its runs would be given. It asks the same
// functions that decide about real deliveries, runs nothing, and shows no
// secret.
//
// Recent keeps the explanations of deliveries that were turned away.
package explain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/trigger"
)

// Explanation is what a hook makes of a delivery. It is also what the API and
// pawl explain -o json give.
type Explanation struct {
	Hook          string     `json:"hook"`
	At            string     `json:"at,omitempty"` // of the hook: file:line:column
	Outcome       Outcome    `json:"outcome"`
	Authenticated bool       `json:"authenticated"`      // what is asked about who calls holds; true where nothing is
	Verified      string     `json:"verified,omitempty"` // what authenticated it
	Reason        string     `json:"reason,omitempty"`   // why it, or some element, makes no run, in words
	Hints         []string   `json:"hints,omitempty"`    // usual mistakes that it shows signs of
	Sender        string     `json:"sender,omitempty"`
	Event         string     `json:"event"`
	DeliveryID    string     `json:"delivery_id"`
	Handshake     *Handshake `json:"handshake"`
	Triggered     bool       `json:"triggered"`
	Decision      *Node      `json:"decision"` // nil where it was not come to
	Runs          []Run      `json:"runs"`
	Answer        *Answer    `json:"answer,omitempty"` // as far as it is known without running
}

// Outcome is what becomes of a delivery.
type Outcome string

// The outcomes.
const (
	Triggered       Outcome = "triggered"
	Handshaken      Outcome = "handshake"
	Unauthenticated Outcome = "unauthenticated"
	Unmatched       Outcome = "unmatched" // events, rule, when, or nothing to run for
	Refused         Outcome = "refused"   // it does not fit
	Failed          Outcome = "failed"    // the rule cannot be evaluated, or who calls not be told
	NotAllowed      Outcome = "method not allowed"
)

// Handshake is an answer that the sender asks for.
type Handshake struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Fetch  string `json:"fetch,omitempty"`
}

// Node is one step of a decision, or one rule of a trigger rule.
type Node struct {
	What   string `json:"what"`           // "method", "auth", "events", "trigger-rule", "and", "match", "when", "for-each", "pattern"…
	Text   string `json:"text,omitempty"` // what it asks
	Result string `json:"result"`         // a rule.Result
	Why    string `json:"why,omitempty"`  // of one that does not hold
	Saw    []Seen `json:"saw,omitempty"`
	Parts  []Node `json:"parts,omitempty"`
}

// Seen is a value that was looked at.
type Seen struct {
	Value   string `json:"value"`
	Name    string `json:"name"` // "payload \"ref\""
	Missing bool   `json:"missing,omitempty"`
}

// Run is what one run would be given.
type Run struct {
	Element string   `json:"element,omitempty"`
	Argv    []string `json:"argv"`              // secrets are masked
	Env     []string `json:"env"`               // besides what is inherited
	Inherit string   `json:"inherit,omitempty"` // what is, in words
	Files   []File   `json:"files"`
	Stdin   string   `json:"stdin,omitempty"`
	Dir     string   `json:"dir"`
	Key     *string  `json:"key"`
	Missing []string `json:"missing,omitempty"` // values that the delivery does not have
	Problem string   `json:"problem,omitempty"` // why the command cannot be made
}

// File is a value that is handed over in a file.
type File struct {
	Variable string `json:"variable"`
	Size     int    `json:"size"`
	Content  string `json:"content"` // its beginning
}

// Answer is what the sender gets.
type Answer struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Then   string `json:"then,omitempty"` // where it depends on the run: how
}

// Options says how to explain.
type Options struct {
	Methods  []string // of the server, where the hook names none
	Replayed bool     // who calls is not asked: the delivery is a stored one
}

// question is a hook that is being asked.
type question struct {
	hook    *hook.Hook
	request *sender.Request
	options Options
	content *delivery.Delivery // of the request
	masks   masks

	refusal error            // of Unauthenticated
	stray   bool             // the URL is not the hook's
	verdict *trigger.Verdict // nil: it was not come to

	Explanation
}

// Explain asks a hook about a delivery.
func Explain(ctx context.Context, h *hook.Hook, r *sender.Request, o Options) Explanation {
	if o.Replayed {
		whole := *r
		whole.Delivery = r.Delivery.Whole()
		r = &whole
	}
	q := &question{hook: h, request: r, options: o, content: delivery.New(r.Delivery, h.Payload)}
	q.masks = masksOf(h, r)
	q.Explanation = Explanation{Hook: h.ID, At: h.At.String(), Runs: []Run{}, Decision: &Node{What: "hook", Text: h.ID, Result: string(holds)}}
	if h.Sender != nil {
		q.Sender = h.Sender.Name
	}
	q.ask(ctx)
	q.settle()
	return q.Explanation
}

// ask goes the way of a delivery, as far as it comes.
func (q *question) ask(ctx context.Context) {
	if !q.method() {
		q.Outcome, q.Reason = NotAllowed, q.last().Why
		return
	}
	if !q.authentic(ctx) {
		return
	}
	q.Event, q.DeliveryID = q.content.EventType(), q.content.SenderID()
	if q.hook.Gate == nil && !q.hook.Open {
		q.Authenticated = rule.Vouches(q.hook.Rule, q.ruled())
	}
	verdict := trigger.Ask(q.hook, q.request.Delivery, trigger.Mode{Validate: true, Replayed: q.options.Replayed})
	q.Outcome = outcomeOf(verdict.Kind)
	if verdict.Kind != trigger.Triggered {
		q.Reason = q.masks.text(verdict.Why())
	} else if n := len(verdict.Spoiled); n > 0 {
		q.Reason = trigger.Shown(q.masks.text(fmt.Sprintf("%s without a run: %v", count(n, "element"), verdict.Spoiled[0])))
	}
	if verdict.Handshake != nil {
		q.Handshake = &Handshake{verdict.Handshake.Status, verdict.Handshake.Body, verdict.Handshake.Fetch}
	}
	q.verdict = &verdict
	q.parsed(&verdict)
	q.decided(&verdict)
	for i := range verdict.Part.Runs {
		q.Runs = append(q.Runs, q.run(verdict.Part.Runs[i]))
	}
	q.Triggered = q.Outcome == Triggered
}

// outcomeOf names a verdict.
func outcomeOf(kind trigger.Kind) Outcome {
	switch kind {
	case trigger.Triggered:
		return Triggered
	case trigger.Handshaken:
		return Handshaken
	case trigger.Refused:
		return Refused
	case trigger.Failed:
		return Failed
	case trigger.Unauthenticated:
		return Unauthenticated
	}
	return Unmatched
}

// add puts a step at the end of the decision.
func (q *question) add(n Node) { q.Decision.Parts = append(q.Decision.Parts, n) }

func (q *question) last() *Node { return &q.Decision.Parts[len(q.Decision.Parts)-1] }

// method asks whether the hook takes the request's method.
func (q *question) method() bool {
	allowed := q.hook.Methods
	if len(allowed) == 0 {
		allowed = q.options.Methods
	}
	if len(allowed) == 0 {
		return true // nobody asks
	}
	n := Node{What: "method", Text: strings.Join(allowed, ", "), Result: string(holds), Saw: []Seen{{Value: q.request.Method, Name: "method"}}}
	if !slices.Contains(allowed, q.request.Method) {
		n.Result, n.Why = string(fails), "it is "+q.request.Method+"; the hook takes "+n.Text
	}
	q.add(n)
	return n.Result == string(holds)
}

// authentic asks who calls.
func (q *question) authentic(ctx context.Context) bool {
	q.Authenticated = true
	gate := q.hook.Gate
	switch {
	case q.options.Replayed:
		q.add(Node{What: "auth", Text: "not asked again of a stored delivery", Result: string(holds)})
		q.Verified = q.request.Verified
		return true
	case q.request.Rest != "" && (gate == nil || !gate.UsesPath()):
		q.strayed()
		return false
	case gate == nil:
		q.add(q.unguarded())
		return true
	}
	n := Node{What: "auth", Text: strings.Join(gate.Words(), "; "), Result: string(holds)}
	err := gate.Early(q.request)
	if err == nil {
		q.Verified, err = gate.Verify(ctx, q.request)
	}
	if err == nil {
		n.Text = q.Verified
		q.add(n)
		return true
	}
	q.Authenticated, q.Outcome = false, Unauthenticated
	n.Result = string(fails)
	var refused *sender.RefusedError
	if !errors.As(err, &refused) {
		q.Outcome, n.Result = Failed, string(failed)
	} else {
		q.Hints = append(q.Hints, gate.Hints(q.request)...)
	}
	if len(q.request.Body) <= maxLooked {
		q.DeliveryID = cut(q.content.SenderID()) // by which the sender's pages call it
	}
	q.refusal, q.Reason = err, q.masks.text(err.Error())
	n.Why = q.Reason
	q.add(n)
	return false
}

// maxLooked is the largest body that is looked into though nobody vouches for it,
// in bytes.
const maxLooked = 1 << 20

// strayed says that what stands behind the hook's path is no secret of it.
func (q *question) strayed() {
	q.Authenticated, q.Outcome, q.stray = false, Unauthenticated, true
	q.Reason = "more stands behind the hook's path, and the hook has no secret there (auth: {path: {}}): no hook is at this path"
	q.add(Node{What: "path", Text: q.hook.Path, Result: string(fails), Why: q.Reason})
}

// replayed makes a request of a stored delivery.
func replayed(d *run.Delivery) *sender.Request { return &sender.Request{Delivery: d} }

// Stored asks a hook about a delivery that was stored: who sent it is not asked
// again, and what was withheld from it is not there.
func Stored(ctx context.Context, h *hook.Hook, d *run.Delivery, o Options) Explanation {
	o.Replayed = true
	return Explain(ctx, h, replayed(d), o)
}
