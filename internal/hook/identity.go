package hook

import (
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// identity reads deliveries as a hook's sender writes them: as the preset knows,
// but where the hook itself says. It is a delivery.Sender.
type identity struct {
	preset    *sender.Sender // nil: the hook names none
	id, event *delivery.Ref  // delivery-id, event-type; nil: the preset knows
}

func (i identity) SenderName() string {
	if i.preset == nil {
		return ""
	}
	return i.preset.Name
}

func (i identity) Message(d *run.Delivery) (body []byte, contentType string, wrapped bool) {
	if i.preset == nil {
		return nil, "", false
	}
	message, ok := i.preset.Unwrap(d)
	return message.Body, message.ContentType, ok
}

func (i identity) EventType(d *delivery.Delivery) string {
	switch {
	case i.event != nil:
		value, _ := d.Value(*i.event) // missing: ""
		return value
	case i.preset != nil:
		return i.preset.Event(d)
	}
	return ""
}

func (i identity) SenderID(d *delivery.Delivery) string {
	switch {
	case i.id != nil:
		value, _ := d.Value(*i.id)
		return value
	case i.preset != nil:
		return i.preset.ID(d)
	}
	return ""
}
