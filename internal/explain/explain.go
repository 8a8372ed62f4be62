// Package explain tells why: what a hook makes of one delivery and for what
// reasons, step by step, and what its runs would be given. It asks the same
// functions that decide about real deliveries, runs nothing, and shows no
// secret.
//
// Recent keeps the explanations of deliveries that were turned away.
package explain

import (
	"context"
	"time"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
)

// Explanation is what a hook makes of a delivery. It is also what the API and
// pawl explain -o json give.
type Explanation struct {
	Hook          string     `json:"hook"`
	At            string     `json:"at,omitempty"` // of the hook: file:line:column
	Outcome       Outcome    `json:"outcome"`
	Authenticated bool       `json:"authenticated"`      // true where nobody is asked as well
	Verified      string     `json:"verified,omitempty"` // what authenticated it
	Reason        string     `json:"reason,omitempty"`   // why it makes no run, in words
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
	Failed          Outcome = "failed"    // the rule cannot be evaluated
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

// Explain asks a hook about a delivery.
func Explain(ctx context.Context, h *hook.Hook, r *sender.Request, o Options) Explanation {
	return Explanation{Hook: h.ID}
}

// TurnedAway is a delivery that made no run, as Recent keeps it.
type TurnedAway struct {
	ID           string        `json:"id"` // of the delivery
	Received     time.Time     `json:"received"`
	Method       string        `json:"method"`
	Path         string        `json:"path"` // secrets are masked
	RemoteAddr   string        `json:"remote_addr"`
	Size         int           `json:"body_bytes"`
	Status       int           `json:"status"`       // that was answered
	Explanations []Explanation `json:"explanations"` // of each hook at the path that takes the method
}

// Recent keeps the last deliveries that made no run, in memory. It may be used
// from several goroutines.
type Recent struct{}

// NewRecent makes a Recent of at most so many.
func NewRecent(most int) *Recent { return &Recent{} }

// Allow reports whether there is time to explain another now: of a flood only
// some are kept, and Skipped counts the others.
func (*Recent) Allow(now time.Time) bool { return false }

// Add keeps one, and forgets the oldest where there are too many.
func (*Recent) Add(t TurnedAway) {}

// List gives them, the newest first; of one hook where hook is not "".
func (*Recent) List(hook string) []TurnedAway { return nil }

// Find gives the one whose id begins so, if only one does.
func (*Recent) Find(id string) (TurnedAway, bool) { return TurnedAway{}, false }

// Skipped is how many were not kept for want of time.
func (*Recent) Skipped() int64 { return 0 }
