package sender

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

// hmacCheck wants a keyed signature (RFC 2104) in a header. What senders do
// differently is data: which header, what is signed, how the key is written.
type hmacCheck struct {
	secret *secret.Set
	title  string // of the preset; empty: the hook describes it itself

	// lines are the signatures that count, the strongest first. The first of
	// their headers that a request has decides: a strong signature that is wrong
	// is final. Lines of one header are alternatives.
	lines []line

	// weaker are those that the preset knows and the hook does not take.
	weaker []line

	// separator parts several signatures in one header; those with another prefix
	// than the line's are ignored. 0: the header's whole value is one.
	separator byte

	template []piece
	clock    clock

	// idHeader is the header, canonical, that holds what {id} means; id finds it
	// where it is no header's. Without both the template has none.
	idHeader string
	id       func(*run.Delivery) string

	// key makes the key of a secret's text; false where the text is none for this
	// signature. nil: the text is the key.
	key func(text string) (string, bool)

	// bodies gives what {body} may mean, any of which may be what was signed. nil,
	// both the func and what it returns: the body as it came.
	bodies func(*run.Delivery) [][]byte

	spaces sync.Pool // of *workspace
}

// line is one signature that counts.
type line struct {
	header    string // canonical
	algorithm string // sha1, sha256, sha512
	encoding  string // hex, base64, base64url
	prefix    string // before the encoded signature; case counts
}

// newHMAC makes the check that a hook describes itself.
func newHMAC(s *secret.Set, h *HMAC, id *delivery.Ref) (check, error) {
	if h.Header == "" {
		return nil, &ConfigError{"auth.hmac.header", "name the header that holds the signature"}
	}
	c := &hmacCheck{secret: s}
	algorithms := h.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{"sha256"}
	}
	encoding := h.Encoding
	if encoding == "" {
		encoding = "hex"
	}
	if !slices.Contains([]string{"hex", "base64", "base64url"}, encoding) {
		return nil, &ConfigError{"auth.hmac.encoding", "write hex, base64 or base64url (without padding)"}
	}
	for _, algorithm := range algorithms {
		if hashOf(algorithm) == nil {
			return nil, &ConfigError{"auth.hmac.algorithms", "write sha256, sha512 or sha1 (only if the sender has nothing better)"}
		}
		c.lines = append(c.lines, line{http.CanonicalHeaderKey(h.Header), algorithm, encoding, h.Prefix})
	}
	signed := h.Signed
	if signed == "" {
		signed = "{body}"
	}
	var err error
	if c.template, err = parseTemplate(signed); err != nil {
		return nil, err
	}
	if c.clock, err = newClock(h, slices.Contains(c.template, piece{kind: signedTime})); err != nil {
		return nil, err
	}
	if !slices.Contains(c.template, piece{kind: signedID}) {
		return c, nil
	}
	if id == nil {
		return nil, &ConfigError{"auth.hmac.signed", "{id} is the hook's delivery-id: say where it is, as in delivery-id: {source: header, name: X-Delivery}"}
	}
	if id.Source == delivery.Header {
		c.idHeader = http.CanonicalHeaderKey(id.Name)
		return c, nil
	}
	c.id = func(d *run.Delivery) string {
		value, _ := delivery.New(d, delivery.Options{}).Value(*id) // missing: ""
		return value
	}
	return c, nil
}

// readID finds what {id} means; false where the request has none, though it is a
// part of what is signed.
func (c *hmacCheck) readID(d *run.Delivery) (string, bool) {
	switch {
	case c.idHeader != "":
		id, _ := first(d.Header, c.idHeader)
		return id, id != ""
	case c.id != nil:
		id := c.id(d)
		return id, id != ""
	}
	return "", true
}

func (*hmacCheck) early() bool { return false }

func (c *hmacCheck) verify(_ context.Context, r *Request) (string, error) {
	return c.verifyWith(r, c.secret.Values())
}

// verifyWith verifies with some secrets.
func (c *hmacCheck) verifyWith(r *Request, secrets []secret.Value) (string, error) {
	lines, given := c.choose(r.Header)
	if lines == nil {
		return "", refused("hmac", "there is no header "+c.headers())
	}
	stamp, err := c.clock.check(r, given)
	if err != nil {
		return "", err
	}
	id, ok := c.readID(r.Delivery)
	if !ok {
		return "", refused("hmac", "the delivery has no id, which is a part of what is signed")
	}
	space, _ := c.spaces.Get().(*workspace)
	if space == nil {
		space = &workspace{}
	}
	defer c.spaces.Put(space)

	signed := content{c.template, r.Body, stamp, id}
	bodies := c.alternatives(r.Delivery)
	number, algorithm := 0, ""
	usable := false
	for i, s := range secrets {
		for j, line := range lines {
			mac := space.mac(i*len(lines)+j, s.Reveal(), line.algorithm, c.key)
			if mac == nil {
				continue
			}
			usable = true
			// All are tried, whichever passes.
			found := 0
			if bodies == nil {
				found = space.compare(mac, line, signed, given, c.separator)
			}
			for _, signed.body = range bodies {
				found |= space.compare(mac, line, signed, given, c.separator)
			}
			if found == 1 && number == 0 {
				number, algorithm = i+1, line.algorithm
			}
		}
	}
	switch {
	case number > 0:
		return passed(signatureWords(algorithm), number, len(secrets)), nil
	case !usable:
		return "", refused("hmac", "the secret is no key for this signature")
	case given == "" || given == lines[0].prefix:
		return "", refused("hmac", "the signature in header "+lines[0].header+" is empty: has the sender no secret?")
	}
	return "", refused("hmac", "the signature in header "+lines[0].header+" is wrong: another secret, or the body is not as it was sent")
}

// alternatives is what {body} may mean; nil: the body as it came.
func (c *hmacCheck) alternatives(d *run.Delivery) [][]byte {
	if c.bodies == nil {
		return nil
	}
	return c.bodies(d)
}

// compare makes a signature and compares it with those of a header, which a
// separator parts: 1 where it is one of them.
func (w *workspace) compare(m *keyed, l line, c content, given string, separator byte) int {
	w.sign(m, l, c)
	if separator == 0 {
		w.item = append(w.item[:0], given...)
		return subtle.ConstantTimeCompare(w.item, w.text)
	}
	found := 0
	for given != "" {
		item := given
		if i := strings.IndexByte(given, separator); i >= 0 {
			item, given = given[:i], given[i+1:]
		} else {
			given = ""
		}
		w.item = append(w.item[:0], item...)
		found |= subtle.ConstantTimeCompare(w.item, w.text)
	}
	return found
}

// choose finds the header that decides: its lines and its first value.
func (c *hmacCheck) choose(h http.Header) ([]line, string) {
	for i := range c.lines {
		given, ok := first(h, c.lines[i].header)
		if !ok {
			continue
		}
		end := i + 1
		for end < len(c.lines) && c.lines[end].header == c.lines[i].header {
			end++
		}
		return c.lines[i:end], given
	}
	return nil, ""
}

// headers names the headers that a signature may stand in.
func (c *hmacCheck) headers() string {
	var names []string
	for _, line := range c.lines {
		if !slices.Contains(names, line.header) {
			names = append(names, line.header)
		}
	}
	return strings.Join(names, " or ")
}

// A signature lets in only what it signs.
func (*hmacCheck) credential(delivery.Source, string) bool { return false }

func (c *hmacCheck) sign(o *Outgoing) error {
	for _, s := range c.secret.Values() {
		w := &workspace{}
		line := c.lines[0]
		mac := w.mac(0, s.Reveal(), line.algorithm, c.key)
		if mac == nil {
			continue
		}
		stamp := c.clock.stamp(o)
		if c.idHeader != "" && o.Header.Get(c.idHeader) == "" {
			o.Header.Set(c.idHeader, o.ID)
		}
		record := recordOf(o)
		id, ok := c.readID(record)
		if !ok {
			return errors.New("the delivery has no id, which is a part of what is signed")
		}
		body := o.Body
		if bodies := c.alternatives(record); bodies != nil {
			body = bodies[0]
		}
		w.sign(mac, line, content{c.template, body, stamp, id})
		text := string(w.text)
		if c.clock.item != "" {
			text = c.clock.item + stamp + string(c.separator) + text
		}
		o.Header.Set(line.header, text)
		return nil
	}
	_, err := newest(c.secret)
	if err == nil {
		err = errors.New("the secret is no key for this signature")
	}
	return err
}

func (c *hmacCheck) String() string {
	var names []string
	for _, algorithm := range algorithmsOf(c.lines) {
		names = append(names, "HMAC-"+strings.ToUpper(algorithm))
	}
	text := "an " + strings.Join(names, " or ") + " signature in header " + c.headers()
	if c.clock.set() {
		text += ", not older than " + c.clock.tolerance.String()
	}
	return text
}
