package delivery

// SenderName is the name of the preset of the hook's sender, "" where the hook
// names none.
func (d *Delivery) SenderName() string {
	if d.options.Sender == nil {
		return ""
	}
	return d.options.Sender.SenderName()
}

// EventType is what the sender calls what happened; "" where that is not known.
func (d *Delivery) EventType() string {
	if d.options.Sender == nil {
		return ""
	}
	return d.options.Sender.EventType(d)
}

// SenderID is the sender's own id of the delivery; "" where it gives none.
func (d *Delivery) SenderID() string {
	if d.options.Sender == nil {
		return ""
	}
	return d.options.Sender.SenderID(d)
}

// Envelope is the delivery as it came, where the sender wraps its message: its
// values are those of the body, read as JSON whatever its content type says.
func (d *Delivery) Envelope() *Delivery {
	return New(d.Delivery, Options{ContentType: "application/json"})
}
