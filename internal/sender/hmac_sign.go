package sender

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/run"
)

// hashOf is an algorithm of keyed signatures, as hook files spell them.
func hashOf(algorithm string) func() hash.Hash {
	switch algorithm {
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// signatureWords says that a signature of an algorithm passed.
func signatureWords(algorithm string) string {
	switch algorithm {
	case "sha1":
		return "hmac-sha1 signature"
	case "sha512":
		return "hmac-sha512 signature"
	}
	return "hmac-sha256 signature"
}

// piece is one part of what is signed.
type piece struct {
	kind    byte
	literal string
}

const (
	signedText byte = iota
	signedBody
	signedTime
	signedID
)

// parseTemplate takes a template apart: text, {body}, {timestamp}, {id}. The
// error is a *ConfigError.
func parseTemplate(template string) ([]piece, error) {
	var pieces []piece
	rest := template
	for rest != "" {
		open := strings.IndexByte(rest, '{')
		if open != 0 {
			literal := rest
			if open > 0 {
				literal = rest[:open]
			}
			pieces, rest = append(pieces, piece{literal: literal}), rest[len(literal):]
			continue
		}
		name, after, _ := strings.Cut(rest, "}")
		switch name {
		case "{body":
			pieces = append(pieces, piece{kind: signedBody})
		case "{timestamp":
			pieces = append(pieces, piece{kind: signedTime})
		case "{id":
			pieces = append(pieces, piece{kind: signedID})
		default:
			return nil, &ConfigError{"auth.hmac.signed", "only {body}, {timestamp} and {id} can stand in braces"}
		}
		rest = after
	}
	if !slices.Contains(pieces, piece{kind: signedBody}) {
		return nil, &ConfigError{"auth.hmac.signed", "it has no {body}: anyone could change what is sent"}
	}
	for i := range pieces[1:] {
		if a, b := pieces[i].kind, pieces[i+1].kind; a == signedBody && b == signedID || a == signedID && b == signedBody {
			return nil, &ConfigError{"auth.hmac.signed", "something must stand between {id} and {body}: else the end of one could be taken for the beginning of the other, and a delivery come again with another id"}
		}
	}
	return pieces, nil
}

// workspace is what the verification of one delivery works in; it is used again,
// with the keys of the secrets set up.
type workspace struct {
	macs []*keyed
	text []byte // the signature, with its prefix, as a header has it
	item []byte // a signature of the request
	sum  []byte
}

// keyed is a keyed hash that is set up for one secret.
type keyed struct {
	secret, algorithm string
	hash              hash.Hash // nil: the secret is no key
}

// mac gives the keyed hash at place i, set up for a secret and an algorithm; nil
// where the secret is no key.
func (w *workspace) mac(i int, secret, algorithm string, key func(string) (string, bool)) *keyed {
	for len(w.macs) <= i {
		w.macs = append(w.macs, &keyed{})
	}
	m := w.macs[i]
	if m.secret != secret || m.algorithm != algorithm {
		*m = keyed{secret: secret, algorithm: algorithm}
		text, ok := secret, secret != ""
		if key != nil && ok {
			text, ok = key(secret)
		}
		if ok && text != "" {
			m.hash = hmac.New(hashOf(algorithm), []byte(text))
		}
	}
	if m.hash == nil {
		return nil
	}
	return m
}

// content is what is signed: a template, and what its names mean.
type content struct {
	template  []piece
	body      []byte
	stamp, id string
}

// sign makes the signature as a header's text in w.text. The body is not copied.
func (w *workspace) sign(m *keyed, l line, c content) {
	m.hash.Reset()
	for _, p := range c.template {
		switch p.kind {
		case signedBody:
			_, _ = m.hash.Write(c.body)
			continue
		case signedTime:
			w.item = append(w.item[:0], c.stamp...)
		case signedID:
			w.item = append(w.item[:0], c.id...)
		default:
			w.item = append(w.item[:0], p.literal...)
		}
		_, _ = m.hash.Write(w.item)
	}
	w.sum = m.hash.Sum(w.sum[:0])
	w.text = encode(append(w.text[:0], l.prefix...), w.sum, l.encoding)
}

// encode appends a signature as text.
func encode(to, sum []byte, encoding string) []byte {
	switch encoding {
	case "base64":
		return base64.StdEncoding.AppendEncode(to, sum)
	case "base64url":
		return base64.RawURLEncoding.AppendEncode(to, sum)
	}
	return hex.AppendEncode(to, sum)
}

// defaultTolerance is how far a signed time may lie from now where the hook does
// not say: what the libraries of Standard Webhooks, Slack and Stripe allow.
const defaultTolerance = 5 * time.Minute

// clock is the time that a signature covers, against which replays are refused.
type clock struct {
	header    string // canonical; empty: none
	item      string // the prefix that the time has in the signature's own header; empty: it is not there
	separator byte   // between the items there
	unit      time.Duration
	tolerance time.Duration
	future    bool // a time to come passes, however far
}

// newClock makes the clock of a hook's own signature; used says that the
// template has {timestamp}. The error is a *ConfigError.
func newClock(h *HMAC, used bool) (clock, error) {
	c := clock{header: h.TimestampHeader, unit: time.Second, tolerance: h.Tolerance}
	switch h.TimestampUnit {
	case "", "s":
	case "ms":
		c.unit = time.Millisecond
	default:
		return c, &ConfigError{"auth.hmac.timestamp-unit", "write s or ms"}
	}
	if c.tolerance == 0 {
		c.tolerance = defaultTolerance
	}
	switch {
	case used && c.header == "":
		return c, &ConfigError{"auth.hmac.timestamp-header", "signed has {timestamp}: name the header that holds it"}
	case !used && (c.header != "" || h.TimestampUnit != ""):
		return c, &ConfigError{"auth.hmac.timestamp-header", "signed has no {timestamp}, so the time is not covered and anyone can write another"}
	case !used && h.Tolerance != 0:
		return c, &ConfigError{"auth.hmac.tolerance", "signed has no {timestamp}, so there is no time to compare"}
	case h.Tolerance < 0:
		return c, &ConfigError{"auth.hmac.tolerance", "a tolerance is longer than nothing, as in 5m"}
	}
	c.header = http.CanonicalHeaderKey(c.header)
	return c, nil
}

func (c *clock) set() bool { return c.header != "" || c.item != "" }

// read finds the time's text; given is the value of the signature's header.
func (c *clock) read(r *Request, given string) string {
	if c.header != "" {
		text, _ := first(r.Header, c.header)
		return text
	}
	for given != "" {
		var item string
		item, given, _ = strings.Cut(given, string(c.separator))
		if text, ok := strings.CutPrefix(item, c.item); ok {
			return text
		}
	}
	return ""
}

// check reads the time and compares it with that of the delivery. The text is
// returned as it came, as it is a part of what is signed.
func (c *clock) check(r *Request, given string) (string, error) {
	if !c.set() {
		return "", nil
	}
	text := c.read(r, given)
	if text == "" {
		return "", refused("hmac", "there is no time in "+c.place())
	}
	at, ok := c.time(text)
	if !ok {
		return "", refused("hmac", "the time in "+c.place()+" is not a whole number of "+c.units())
	}
	age := r.Received.Sub(at)
	switch {
	case age > c.tolerance:
		return "", refused("hmac", "the signed time is "+round(age)+" ago, and "+c.tolerance.String()+
			" is allowed: it was sent again by somebody, or a clock is wrong")
	case age < -c.tolerance && !c.future:
		return "", refused("hmac", "the signed time is "+round(-age)+" from now, and "+c.tolerance.String()+
			" is allowed: a clock is wrong")
	}
	return text, nil
}

func round(d time.Duration) string { return d.Round(time.Second).String() }

// time reads a time: digits alone.
func (c *clock) time(text string) (time.Time, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return time.Time{}, false
	}
	if c.unit == time.Millisecond {
		return time.UnixMilli(int64(n)), true
	}
	return time.Unix(int64(n), 0), true
}

func (c *clock) units() string {
	if c.unit == time.Millisecond {
		return "milliseconds"
	}
	return "seconds"
}

// place says where the time stands.
func (c *clock) place() string {
	if c.header != "" {
		return "header " + c.header
	}
	return "the signature's header (" + c.item + ")"
}

// stamp writes the time of a request that is to be signed.
func (c *clock) stamp(o *Outgoing) string {
	if !c.set() {
		return ""
	}
	text := strconv.FormatInt(o.Time.UnixNano()/int64(c.unit), 10)
	if c.header != "" {
		o.Header.Set(c.header, text)
	}
	return text
}

// recordOf is a request that is to be signed as a delivery, from which ids and
// fields are read.
func recordOf(o *Outgoing) *run.Delivery {
	d := &run.Delivery{Received: o.Time, Method: "POST", Header: o.Header, Body: o.Body}
	if u, err := url.Parse(o.URL); err == nil {
		d.Path, d.RawQuery, d.Host = u.Path, u.RawQuery, u.Host
	}
	return d
}
