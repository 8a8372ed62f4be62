package sender

import (
	"mime"
	"slices"
	"strings"

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

// formPayload is the field payload of a form, in which some senders put their
// JSON; its first value, where there are several.
func formPayload(d *run.Delivery) (string, bool) {
	contentType, _ := first(d.Header, "Content-Type")
	if kind, _, _ := mime.ParseMediaType(contentType); kind != "application/x-www-form-urlencoded" {
		return "", false
	}
	return firstQuery(string(d.Body), "payload")
}

// unwrapForm gives the JSON that a form holds in its field payload.
func unwrapForm(d *run.Delivery) (Message, bool) {
	text, ok := formPayload(d)
	if !ok {
		return Message{}, false
	}
	return Message{Body: []byte(text), ContentType: "application/json"}, true
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
	c.lines = slices.DeleteFunc(c.lines, func(l line) bool {
		return l.algorithm != strongest && !slices.Contains(named, l.algorithm)
	})
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
