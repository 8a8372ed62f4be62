package sender

import (
	"bytes"
	"encoding/json"

	"github.com/pawlhq/pawl/internal/run"
)

// nexusSignature is the check of Sonatype's servers: a bare hexadecimal
// HMAC-SHA1. bodies gives what may have been signed; nil: the body as it came.
func nexusSignature(o own, title string, bodies func(*run.Delivery) [][]byte) (check, error) {
	c := &hmacCheck{
		secret:   o.secret,
		lines:    []line{{header: "X-Nexus-Webhook-Signature", algorithm: "sha1", encoding: "hex"}},
		template: []piece{{kind: signedBody}},
		bodies:   bodies,
	}
	return c.configured(o, title)
}

// compacted is what Nexus Repository may have signed besides the body as it
// came: its JSON without white space between tokens. It is also how it is sent,
// unless something on the way writes it anew.
func compacted(d *run.Delivery) [][]byte {
	var compact bytes.Buffer
	if json.Compact(&compact, d.Body) != nil || bytes.Equal(compact.Bytes(), d.Body) {
		return nil
	}
	return [][]byte{d.Body, compact.Bytes()}
}
