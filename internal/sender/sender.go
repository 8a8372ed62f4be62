// Package sender knows the systems that call: how each authenticates its
// deliveries, which id and event type it gives them, how it wraps its message,
// what it asks when it is set up (a ping, a challenge), and what it does when a
// delivery fails.
//
// A Sender is a preset, one file each. A Gate is the authentication of one hook:
// made when its file is loaded, of the preset and of what the hook says about
// auth and secret, and asked about each delivery. Comparisons take a time that
// does not depend on how much is right; signatures are of the body as it came.
//
// The package is the only one that asks other machines anything: keys and
// certificates of senders that sign with them, from hosts that they are
// documented to use, never where a delivery says. It does not decide whether a
// delivery triggers a hook, and answers nothing by itself.
package sender

import (
	"cmp"
	"slices"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// Sender is a preset: what is known of one system that calls.
type Sender struct {
	Name  string // as hook files spell it
	Title string // as people do: "Red Hat Quay"

	// Repeats says that it gives each delivery an id and sends one again by
	// itself, so that a hook drops repeats unless it says otherwise.
	Repeats bool

	// SwitchesOff says that it stops calling after a few failures. An answer
	// about content must not cost them.
	SwitchesOff bool

	// IssuesSecret says that it makes the secret itself and shows it; others take
	// the one that they are given.
	IssuesSecret bool

	// Events lists the event types that are known of it, the most usual first;
	// others may come.
	Events []string

	About About
	Start Start

	// own makes the check that the sender's own way of authentication is, of a
	// hook that says nothing of auth, or gives hmac's tolerance or algorithms
	// alone. nil: it has none that a secret alone could check, and why says what
	// to write.
	own func(own) (check, error)
	why string

	// signs says that own is a keyed signature, of which a hook may set hmac's
	// tolerance and algorithms.
	signs bool

	// What is known of its bodies and headers, for advice about names (samples.go).
	keys      []string // outermost ones of bodies that have many more keys than the samples; only these are looked at. nil: the samples show them
	free      []string // keys below which the keys are the operators' own, or differ by what they are about
	anyBody   bool     // bodies are the operator's own
	anyHeader bool     // headers too

	event     func(*delivery.Delivery) string     // nil: only the hook can know (event-type)
	id        func(*delivery.Delivery) string     // nil: it gives none, or only the hook knows
	shared    func(*delivery.Delivery) bool       // whether others may have the same id; nil: none has
	unwrap    func(*run.Delivery) (Message, bool) // nil: it does not wrap
	handshake func(*delivery.Delivery) *Handshake // nil: it has none
}

// About is what an operator wants to know before pointing a sender at Pawl.
type About struct {
	Auth      string   // how its deliveries are authenticated, in a sentence or two
	Brief     string   // the same in a few words; empty: as a Gate of it says
	Settings  []string // what to enter where, a step each; {url}, {secret}, {topic}, {audience}, {email} stand for the hook's
	Timeout   string   // how long it waits for an answer
	Failure   string   // what counts as one, and what it does then: tries, pauses
	Tries     string   // the further tries in a few words
	GivesUp   string   // when it stops for good; empty: not known to
	Remarks   []string // what surprises
	Sources   []string // URLs of the documentation that says so
	Uncertain []string // which of this was found in no source
}

// Message is what a sender wrapped, and how to parse it.
type Message struct {
	Body        []byte
	ContentType string
}

// Handshake is what a sender asks when it is set up or tested: it is answered at
// once and runs nothing.
type Handshake struct {
	Status      int
	Body        string
	ContentType string // empty: text/plain
	Fetch       string // a URL to GET once, which was checked; empty: none
}

// Named gives the preset of that name, or nil.
func Named(name string) *Sender {
	for _, s := range All() {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// All lists the presets in the order of their names.
func All() []*Sender {
	all := []*Sender{
		generic(), standardWebhooks(), stripe(), slack(), alertmanager(), jenkins(),
		github(), ghcr(), gitlab(), gitea(), forgejo(), bitbucket(),
		acr(), distribution(), dockerhub(), ecr(), gar(), harbor(), nexusIQ(), nexusRepository(), quay(),
	}
	slices.SortFunc(all, func(a, b *Sender) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// TakesSecret reports whether a secret alone is enough for a hook of this sender:
// where it is not, auth must say more.
func (s *Sender) TakesSecret() bool { return s.own != nil }

// GivesID reports whether its deliveries carry an id.
func (s *Sender) GivesID() bool { return s.id != nil }

// KnowsEvents reports whether the preset itself finds the event type.
func (s *Sender) KnowsEvents() bool { return s.event != nil }

// Event finds the event type; "" where there is none.
func (s *Sender) Event(d *delivery.Delivery) string {
	if s.event == nil {
		return ""
	}
	return s.event(d)
}

// ID finds the sender's own id of a delivery; "" where there is none.
func (s *Sender) ID(d *delivery.Delivery) string {
	if s.id == nil {
		return ""
	}
	return s.id(d)
}

// SharesID reports whether other deliveries than a repetition may carry the same
// id, so that it tells nothing about what was seen before.
func (s *Sender) SharesID(d *delivery.Delivery) bool { return s.shared != nil && s.shared(d) }

// Unwrap gives the message that a delivery wraps; false where the body itself is
// the payload.
func (s *Sender) Unwrap(d *run.Delivery) (Message, bool) {
	if s.unwrap == nil {
		return Message{}, false
	}
	return s.unwrap(d)
}

// Handshake tells what an authentic delivery asks for in place of a run, or nil.
func (s *Sender) Handshake(d *delivery.Delivery) *Handshake {
	if s.handshake == nil {
		return nil
	}
	return s.handshake(d)
}
