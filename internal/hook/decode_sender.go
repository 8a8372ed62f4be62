package hook

import (
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
	"github.com/pawlhq/pawl/internal/sender"
)

// DefaultDedupe is how long a hook drops repeats whose sender repeats deliveries
// by itself.
const DefaultDedupe = 24 * time.Hour

// caller is what a hook says about who may call.
type caller struct {
	secret    *secret.Set
	auth      *sender.Auth // nil: nothing, or the word none
	unsound   bool         // something in it is wrong and told
	elsewhere bool         // it names files that are not on this machine
	unset     int          // problems of secrets whose values cannot be had: all else can still be judged
}

// vital reads a key without which no Gate can be made.
func (r *reader) vital(read func(field)) func(field) {
	return func(f field) {
		before := len(r.problems) - r.caller.unset
		read(f)
		r.caller.unsound = r.caller.unsound || len(r.problems)-r.caller.unset > before
	}
}

// sender reads the name of a preset.
func (r *reader) sender(f field) *sender.Sender {
	name := r.text(f)
	if f.value.Kind != yaml.ScalarNode {
		return nil // told
	}
	preset := sender.Named(name)
	if preset == nil {
		var known []string
		for _, one := range sender.All() {
			known = append(known, one.Name)
		}
		r.wrong(f.value, "unknown sender %q%s; pawl senders lists them, and generic is any other", name, Suggestion(strings.ToLower(name), known))
	}
	return preset
}

// callerTogether makes the hook's Gate of sender, auth and secret.
func (r *reader) callerTogether(h *Hook) {
	secretAt := r.places["secret"]
	named := r.places["sender"] != nil || r.places["auth"] != nil
	switch {
	case !named && secretAt != nil:
		r.wrong(secretAt, "nothing uses the secret: name the sender (sender: github), or say how it is shown, as in auth: {bearer: {}}")
		return
	case !named:
		return
	case h.Sender == nil && r.places["sender"] == nil:
		h.Sender = sender.Unnamed()
	}
	if h.Open && secretAt != nil {
		r.wrong(secretAt, "auth: none lets anyone call, and the secret is not asked for: leave out one of them")
	}
	if h.Open || r.caller.unsound || r.caller.elsewhere || h.Sender == nil {
		return
	}
	gate, errs := sender.NewGate(sender.Config{Sender: h.Sender, Secret: r.caller.secret, Auth: r.caller.auth, DeliveryID: h.DeliveryID})
	for _, err := range errs {
		r.gateError(err)
	}
	h.Gate = gate
	if gate != nil && gate.UsesPath() && r.caller.secret != nil && !r.options.Elsewhere {
		r.pathSecrets(secretAt)
	}
}

// pathSecrets tells of a secret that no URL could have behind a hook's path: the
// server answers one with an empty, . or .. part by the path that it comes to, and
// a client takes those out by itself. Of a secret that is written anew later
// nothing is told.
func (r *reader) pathSecrets(at *yaml.Node) {
	for i, value := range r.caller.secret.Values() {
		if !reachable(strings.TrimSuffix(value.Reveal(), "/")) {
			r.wrong(at, "secret %d can stand in no URL: there, no part between slashes is empty, . or ..; make another, as by openssl rand -hex 32", i+1)
		}
	}
}

// gateError places what keeps a Gate from being made at the key that it is about,
// or at the nearest one around it.
func (r *reader) gateError(err error) {
	key := "auth"
	if of, ok := asConfigError(err); ok {
		key = of.Key
	}
	for ; key != ""; key = key[:max(0, strings.LastIndexByte(key, '.'))] {
		if node := r.places[key]; node != nil {
			r.wrong(node, "%v", err)
			return
		}
	}
	for _, key := range []string{"sender", "auth", "secret"} {
		if node := r.places[key]; node != nil {
			r.wrong(node, "%v", err)
			return
		}
	}
}

// identityTogether says how the hook's deliveries name themselves, and which of
// them are repeats.
func (r *reader) identityTogether(h *Hook) {
	if h.Sender != nil || h.EventType != nil || h.DeliveryID != nil {
		h.Payload.Sender = identity{preset: h.Sender, id: h.DeliveryID, event: h.EventType}
	}
	givesID := h.DeliveryID != nil || h.Sender != nil && h.Sender.GivesID()
	switch node := r.places["dedupe"]; {
	case node != nil && h.Dedupe > 0 && !givesID && !r.caller.unsound:
		r.wrong(node, "dedupe needs delivery-id: it says what tells a repeated delivery from a new one")
	case node == nil && givesID && h.Sender != nil && h.Sender.Repeats:
		h.Dedupe = DefaultDedupe
	}
	r.eventsTogether(h)
}

// eventsTogether tells of events that cannot be known, or are not known.
func (r *reader) eventsTogether(h *Hook) {
	node := r.places["events"]
	if node == nil || r.caller.unsound {
		return
	}
	knows := h.Sender != nil && h.Sender.KnowsEvents()
	if h.EventType == nil && !knows {
		r.wrong(node, "events needs to know a delivery's event type: name the sender, or say where it stands, as in event-type: {source: header, name: X-Event}")
		return
	}
	if h.EventType != nil || len(h.Sender.Events) == 0 || node.Kind != yaml.SequenceNode {
		return
	}
	known := map[string]bool{}
	for _, event := range h.Sender.Events {
		known[event] = true
	}
	for i, item := range node.Content {
		if i < len(h.Events) && h.Events[i] != "" && !known[h.Events[i]] {
			r.advise(item, "%s is not known to send the event %q%s", h.Sender.Title, h.Events[i], Suggestion(h.Events[i], h.Sender.Events))
		}
	}
}

// eventType reads where the event type of a delivery stands.
func (r *reader) eventType(f field) *delivery.Ref {
	ref := r.single(f)
	if ref == nil || ref.Source != delivery.CEL {
		return ref
	}
	if program := r.expressions[ref.Name]; program != nil && program.UsesEvent() {
		r.wrong(f.value, "event-type cannot be worked out of event, which is what it says")
	}
	return ref
}
