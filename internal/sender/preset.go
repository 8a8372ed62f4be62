package sender

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"unsafe"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// This file holds what presets are made of. Each preset is in a file of its own.

// header is the first value of a header; "" where there is none.
func header(d *delivery.Delivery, name string) string { return d.Header.Get(name) }

// payload is a value of the message; "" where it has none.
func payload(d *delivery.Delivery, name string) string {
	value, err := d.Value(delivery.Ref{Source: delivery.Payload, Name: name})
	if err != nil {
		return ""
	}
	return value
}

// fromHeader finds an event or an id in the first of some headers that is there.
func fromHeader(names ...string) func(*delivery.Delivery) string {
	return func(d *delivery.Delivery) string {
		for _, name := range names {
			if value := header(d, name); value != "" {
				return value
			}
		}
		return ""
	}
}

// fromPayload finds an event or an id in the message.
func fromPayload(name string) func(*delivery.Delivery) string {
	return func(d *delivery.Delivery) string { return payloadText(d, name) }
}

// ping answers an event that a sender sends to try a hook.
func ping(event func(*delivery.Delivery) string, name string) func(*delivery.Delivery) *Handshake {
	return func(d *delivery.Delivery) *Handshake {
		if event(d) != name {
			return nil
		}
		return &Handshake{Status: 200, Body: "pong"}
	}
}

// formPayload is the field payload of a form of that one field, in which some
// senders put their JSON. The body tells it, not its Content-Type: no sender signs
// that header, so whoever has a signed body could send it again with another, and
// have what stands in its values read as fields.
//
// It is asked before anybody knows who calls, so it makes one copy of the body and
// no more; none, where nothing in it is escaped. Nothing changes what it gives.
func formPayload(d *run.Delivery) ([]byte, bool) {
	value, found := bytes.CutPrefix(d.Body, []byte("payload="))
	if !found || bytes.ContainsAny(value, "&;") {
		return nil, false
	}
	text, err := url.QueryUnescape(unsafe.String(unsafe.SliceData(value), len(value)))
	if err != nil {
		return nil, false
	}
	return unsafe.Slice(unsafe.StringData(text), len(text)), true
}

// unwrapForm gives the JSON of a sender that signs a body of JSON, or a form with
// JSON in its field payload.
func unwrapForm(d *run.Delivery) (Message, bool) {
	if text, ok := formPayload(d); ok {
		return Message{Body: text, ContentType: contentJSON}, true
	}
	return unwrapJSON(d)
}

const contentJSON = "application/json"

// unwrapJSON gives a signed body that begins as JSON does as JSON, whatever its
// Content-Type says: see formPayload. One that is said to be JSON needs no help.
func unwrapJSON(d *run.Delivery) (Message, bool) {
	begin := bytes.TrimLeft(d.Body[:min(len(d.Body), 64)], " \t\r\n")
	if len(begin) == 0 || begin[0] != '{' && begin[0] != '[' {
		return Message{}, false
	}
	if kind, _ := first(d.Header, "Content-Type"); strings.HasPrefix(kind, contentJSON) {
		return Message{}, false
	}
	return Message{Body: d.Body, ContentType: contentJSON}, true
}

// configured gives a preset's signature what the hook sets of it: the tolerance
// where it signs a time, and algorithms, of which the preset's first is always
// in force and the others only if they are named.
func (c *hmacCheck) configured(o own, title string) (check, error) {
	c.title = title
	known := algorithmsOf(c.lines)
	var named []string
	if o.hmac != nil {
		named = o.hmac.Algorithms
		switch {
		case o.hmac.Tolerance != 0 && !c.clock.set():
			return nil, &ConfigError{"auth.hmac.tolerance", title + " signs no time, so there is nothing to compare"}
		case o.hmac.Tolerance < 0:
			return nil, &ConfigError{"auth.hmac.tolerance", "a tolerance is longer than nothing, as in 5m"}
		case o.hmac.Tolerance > 0:
			c.clock.tolerance = o.hmac.Tolerance
		}
	}
	for _, algorithm := range named {
		if !slices.Contains(known, algorithm) {
			return nil, &ConfigError{"auth.hmac.algorithms", title + " signs with " + strings.Join(known, " or ")}
		}
	}
	strongest := c.lines[0].algorithm
	all := c.lines
	c.lines, c.weaker = nil, nil
	for _, l := range all {
		if l.algorithm == strongest || slices.Contains(named, l.algorithm) {
			c.lines = append(c.lines, l)
		} else {
			c.weaker = append(c.weaker, l)
		}
	}
	return c, nil
}

// algorithmsOf lists the algorithms of some lines, each once.
func algorithmsOf(lines []line) []string {
	var algorithms []string
	for _, l := range lines {
		if !slices.Contains(algorithms, l.algorithm) {
			algorithms = append(algorithms, l.algorithm)
		}
	}
	return algorithms
}
