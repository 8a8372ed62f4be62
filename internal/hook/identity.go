package hook

import (
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// identity reads deliveries as a hook's sender writes them: as the preset knows,
// but where the hook itself says. It is a delivery.Sender.
type identity struct {
	preset    *sender.Sender
	id, event *delivery.Ref // delivery-id, event-type; nil: the preset knows
}

func (i identity) SenderName() string { return i.preset.Name }

func (i identity) Message(d *run.Delivery) (body []byte, contentType string, wrapped bool) {
	message, ok := i.preset.Unwrap(d)
	return message.Body, message.ContentType, ok
}

func (i identity) EventType(d *delivery.Delivery) string {
	if i.event == nil {
		return i.preset.Event(d)
	}
	value, _ := d.Value(*i.event) // missing: ""
	return value
}

func (i identity) SenderID(d *delivery.Delivery) string {
	if i.id == nil {
		return i.preset.ID(d)
	}
	value, _ := d.Value(*i.id)
	return value
}
