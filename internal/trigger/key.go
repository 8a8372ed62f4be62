package trigger

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// maxKey is how many bytes a key or a sender's id of a delivery may have. They
// are kept with each run, compared and shown, and a sender chooses them: of a
// longer one stand the beginning and a sum of all.
const maxKey = 1024

// keyOf makes the key of the run of a delivery and its present element.
//
// One value is the key as it is. Several are joined by commas, with a backslash
// before each comma and backslash of their own, so that no two lists of values
// make one key.
func keyOf(h *hook.Hook, content *delivery.Delivery) run.Key {
	if len(h.Queue.Key) == 0 {
		return run.Key{}
	}
	key := run.Key{Set: true}
	values := make([]string, len(h.Queue.Key))
	for i, ref := range h.Queue.Key {
		value, err := content.Value(ref)
		if err != nil {
			key.Incomplete = true
			continue
		}
		values[i] = shown(h, content, ref, value)
	}
	if len(values) == 1 {
		key.Text = copied(bounded(values[0]), content)
		return key
	}
	for i, value := range values {
		values[i] = strings.ReplaceAll(strings.ReplaceAll(value, `\`, `\\`), `,`, `\,`)
	}
	key.Text = bounded(strings.Join(values, ","))
	return key
}

// senderID is the sender's own id of a delivery, empty where it gives none.
func senderID(h *hook.Hook, content *delivery.Delivery) string {
	id := content.SenderID()
	if h.DeliveryID == nil {
		return copied(bounded(id), content)
	}
	if id == "" {
		id, _ = content.Value(*h.DeliveryID) // missing: ""
	}
	return copied(bounded(shown(h, content, *h.DeliveryID, id)), content)
}

// shown puts the sum of what is a credential, or may hold one, in its place: keys
// and ids are for people to see.
func shown(h *hook.Hook, content *delivery.Delivery, ref delivery.Ref, value string) string {
	if value == "" {
		return value
	}
	switch ref.Source {
	case delivery.EntireHeaders, delivery.EntireQuery: // they may hold any
	default:
		if !h.Tells(content, ref) {
			return value
		}
	}
	return "withheld:" + sumOf(value)[:16]
}

// bounded gives a text of at most maxKey bytes that stands for all of a text.
func bounded(text string) string {
	if len(text) <= maxKey {
		return text
	}
	sum := sumOf(text)
	head := text[:maxKey-len(sum)-1]
	for len(head) > 0 && !utf8.RuneStart(text[len(head)]) {
		head = head[:len(head)-1]
	}
	return head + "#" + sum
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// copied copies a text that may be a part of the body, which must not live as
// long as a run for the sake of a few bytes.
func copied(text string, content *delivery.Delivery) string {
	if len(text) < len(content.Body) {
		return strings.Clone(text)
	}
	return text
}
