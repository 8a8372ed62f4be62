package sender

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxHinted is the largest body of which mistakes are tried, in bytes: each hashes
// it again, for whoever sends it.
const maxHinted = 1 << 20

// maxShown bounds what is tried of what looks like a signature in the headers.
const maxShown = 64

// hints tries what else the signature could be of, and names the nearest that it
// is.
func (c *hmacCheck) hints(r *Request) []string {
	lines, given := c.choose(r.Header)
	if len(r.Body) > maxHinted {
		if lines != nil {
			return nil
		}
	} else if _, err := c.verify(context.Background(), r); err == nil {
		return nil
	}
	var hints []string
	if lines != nil {
		hints = timeHints(&c.clock, r, given)
	}
	if found, ok := c.search(r); ok {
		return append(hints, found)
	}
	if lines != nil {
		if len(hints) == 0 && len(given) > len(lines[0].prefix) {
			hints = []string{"no usual mistake makes this signature: the sender has another secret, or something on the way changed the body"}
		}
		return hints
	}
	hints = append(hints, otherHeaders(r.Header)...)
	if sender := looksLike(r.Header); sender != "" && sender != c.title {
		hints = append(hints, "the headers are those of "+sender+": is the hook's sender right?")
	}
	return hints
}

// mark is the beginning of headers that one sender alone has.
type mark struct{ prefix, title string }

// marks lists them; Forgejo sends Gitea's headers too, and both send GitHub's.
func marks() []mark {
	return []mark{
		{"X-Forgejo-", "Forgejo"}, {"X-Gitea-", "Gitea"}, {"X-Gitlab-", "GitLab"}, {"X-Nexus-Webhook-", "Sonatype Nexus"},
		{"X-Event-Key", "Bitbucket"}, {"X-Slack-", "Slack"}, {"Stripe-Signature", "Stripe"},
		{"X-Amz-Sns-", "Amazon SNS"}, {"X-Github-", "GitHub"}, {webhookSignature, "Standard Webhooks"},
	}
}

// looksLike names the sender whose headers a request has; "" where none's are
// known.
func looksLike(h http.Header) string {
	for _, mark := range marks() {
		for name := range h {
			if strings.HasPrefix(name, mark.prefix) {
				return mark.title
			}
		}
	}
	return ""
}

// otherHeaders names the headers that look like a signature or a token.
func otherHeaders(h http.Header) []string {
	var names []string
	for name := range h {
		lower := strings.ToLower(name)
		for _, word := range []string{"signature", "hmac", "token", "authorization", "digest"} {
			if strings.Contains(lower, word) {
				names = append(names, name)
				break
			}
		}
	}
	if len(names) == 0 {
		return []string{"no header looks like a signature or a token: has the sender been given the secret?"}
	}
	slices.Sort(names)
	return []string{"what looks like a signature or a token is in " + strings.Join(names, ", ")}
}

// shown is a signature that a request carries in some header.
type shown struct {
	header, prefix, encoding string
	sum                      []byte
}

// shownIn finds whatever could be a signature: a text of the length of one, with
// or without something before it.
func shownIn(h http.Header) []shown {
	var found []shown
	for name, values := range h {
		for _, value := range values {
			items := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' || r == ';' })
			for _, item := range items {
				if len(found) >= maxShown {
					return found
				}
				prefix, rest, ok := strings.Cut(item, "=")
				if ok && rest != "" {
					found = append(found, decoded(name, prefix+"=", rest)...)
				}
				found = append(found, decoded(name, "", item)...)
			}
		}
	}
	slices.SortFunc(found, func(a, b shown) int { return strings.Compare(a.header+a.prefix, b.header+b.prefix) })
	return found
}

// decoded reads a text in all encodings.
func decoded(header, prefix, text string) []shown {
	var found []shown
	add := func(encoding string, sum []byte, err error) {
		if err == nil && (len(sum) == 20 || len(sum) == 32 || len(sum) == 64) {
			found = append(found, shown{header, prefix, encoding, sum})
		}
	}
	sum, err := hex.DecodeString(text)
	encoding := "hex"
	if text != strings.ToLower(text) {
		encoding = "hexadecimal in upper case"
	}
	add(encoding, sum, err)
	sum, err = base64.StdEncoding.DecodeString(text)
	add("base64", sum, err)
	sum, err = base64.RawURLEncoding.DecodeString(text)
	add("base64url", sum, err)
	return found
}

// odd is a text or a body, and what is odd about it; "" where it is as it should
// be.
type odd struct {
	value []byte
	what  string
}

// search makes the signature in many ways and compares it with all that the
// request carries. It tells the way with the fewest oddities.
func (c *hmacCheck) search(r *Request) (string, bool) {
	if len(r.Body) > maxHinted {
		return "", false
	}
	carried := shownIn(r.Header)
	if len(carried) == 0 {
		return "", false
	}
	usual := c.lines[0]
	if lines, _ := c.choose(r.Header); lines != nil {
		usual = lines[0]
	}
	id, _ := c.readID(r.Delivery)
	stamp := ""
	if c.clock.set() {
		given, _ := first(r.Header, usual.header)
		stamp = c.clock.read(r, given)
	}
	templates := []odd{{what: ""}, {what: "covers the body alone"}}
	if slices.Equal(c.template, []piece{{kind: signedBody}}) {
		templates = templates[:1]
	}
	var best []string
	bodies := c.oddBodies(r)
	algorithms := slices.DeleteFunc([]string{"sha256", "sha1", "sha512"}, func(algorithm string) bool {
		size := hashOf(algorithm)().Size()
		return !slices.ContainsFunc(carried, func(s shown) bool { return len(s.sum) == size })
	})
	for _, secret := range c.secret.Values() {
		for _, key := range c.oddKeys(secret.Reveal()) {
			for _, algorithm := range algorithms {
				for _, body := range bodies {
					for _, way := range templates {
						sum := c.sumOf(key.value, algorithm, body.value, stamp, id, way.what == "")
						for _, s := range carried {
							if !hmac.Equal(sum, s.sum) {
								continue
							}
							oddities := c.oddities(usual, algorithm, s, key.what, body.what, way.what)
							if best == nil || len(oddities) < len(best) {
								best = oddities
							}
						}
					}
				}
			}
		}
	}
	switch {
	case best == nil:
		return "", false
	case len(best) == 0:
		return "the signature itself is right", true
	}
	return "there is a signature that is made with the hook's secret, but it " + strings.Join(best, ", and it "), true
}

func (c *hmacCheck) sumOf(key []byte, algorithm string, body []byte, stamp, id string, whole bool) []byte {
	w := &workspace{}
	m := &keyed{hash: hmac.New(hashOf(algorithm), key)}
	template := c.template
	if !whole {
		template = []piece{{kind: signedBody}}
	}
	w.sign(m, line{}, content{template, body, stamp, id})
	return w.sum
}

// oddities says in what a signature that was found differs from what is wanted.
func (c *hmacCheck) oddities(usual line, algorithm string, s shown, more ...string) []string {
	oddities := []string{}
	if slices.Contains(c.weaker, line{s.header, algorithm, s.encoding, s.prefix}) {
		return []string{"is the weaker one, of algorithm " + algorithm + ", in header " + s.header + ", and there is no header " + c.lines[0].header +
			": let the sender send that too, or take this one by auth: {hmac: {algorithms: [" + algorithm + "]}}"}
	}
	if !slices.Contains(algorithmsOf(c.lines), algorithm) {
		oddities = append(oddities, "is of algorithm "+algorithm+", which auth.hmac.algorithms would have to name")
	}
	if !slices.ContainsFunc(c.lines, func(l line) bool { return l.header == s.header }) {
		oddities = append(oddities, "stands in header "+s.header)
	}
	if c.separator == 0 && s.prefix != usual.prefix {
		switch {
		case s.prefix == "":
			oddities = append(oddities, "has nothing before it where "+usual.prefix+" is wanted")
		default:
			oddities = append(oddities, "has "+s.prefix+" before it")
		}
	}
	if s.encoding != usual.encoding {
		oddities = append(oddities, "is written in "+s.encoding)
	}
	for _, what := range more {
		if what != "" {
			oddities = append(oddities, what)
		}
	}
	return oddities
}

// oddKeys are the keys that a sender may have made of the secret by mistake, the
// right one first.
func (c *hmacCheck) oddKeys(text string) []odd {
	var keys []odd
	add := func(key, what string) {
		if key != "" && !slices.ContainsFunc(keys, func(k odd) bool { return string(k.value) == key }) {
			keys = append(keys, odd{[]byte(key), what})
		}
	}
	if c.key == nil {
		add(text, "")
	} else if key, ok := c.key(text); ok {
		add(key, "")
	}
	add(text+"\n", "is made with the secret and a line end after it (\\n)")
	add(text+"\r\n", "is made with the secret and a line end after it (\\r\\n)")
	if trimmed := strings.TrimSpace(text); trimmed != text {
		add(trimmed, "is made with the secret without the white space around it")
	}
	bare, isWhsec := strings.CutPrefix(text, "whsec_")
	if isWhsec {
		add(text, "is made with the whole text whsec_…")
		add(bare, "is made with the text after whsec_ as it stands")
	} else {
		add(text, "is made with the secret's text as it stands")
	}
	if key, err := base64.StdEncoding.DecodeString(bare); err == nil {
		add(string(key), "is made with what the secret means in base64")
	}
	if key, err := hex.DecodeString(text); err == nil {
		add(string(key), "is made with what the secret means in hexadecimal")
	}
	return keys
}

// oddBodies are what may have been signed in place of the body, which is first.
func (c *hmacCheck) oddBodies(r *Request) []odd {
	bodies := []odd{{r.Body, ""}}
	for i, body := range c.alternatives(r.Delivery) {
		if i == 0 {
			bodies = nil
		}
		bodies = append(bodies, odd{body, ""})
	}
	add := func(body []byte, what string) {
		if !slices.ContainsFunc(bodies, func(b odd) bool { return bytes.Equal(b.value, body) }) {
			bodies = append(bodies, odd{body, what})
		}
	}
	if text, ok := formPayload(r.Delivery); ok {
		add(text, "is of the form's field payload, not of the form")
	}
	add(bytes.TrimRight(r.Body, "\r\n"), "is of the body without the line end at its end")
	add(append(bytes.Clone(r.Body), '\n'), "is of the body with a line end at its end")
	var compact bytes.Buffer
	if json.Compact(&compact, r.Body) == nil {
		add(compact.Bytes(), "is of the JSON without white space: something on the way wrote the body anew")
	}
	return bodies
}

// timeHints says what is odd about a signed time.
func timeHints(c *clock, r *Request, given string) []string {
	if !c.set() {
		return nil
	}
	text := c.read(r, given)
	at, ok := c.time(text)
	if !ok {
		if _, err := time.Parse(time.RFC3339, text); err == nil {
			return []string{"the time is a date in text, where a number of " + c.units() + " is wanted"}
		}
		return nil
	}
	other := *c
	wrong := "milliseconds, where seconds are wanted"
	other.unit = time.Millisecond
	if c.unit == time.Millisecond {
		other.unit, wrong = time.Second, "seconds, where milliseconds are wanted"
	}
	if near, ok := other.time(text); ok && near.Sub(r.Received).Abs() < 24*time.Hour && at.Sub(r.Received).Abs() > 24*time.Hour {
		return []string{"the time is in " + wrong + " (timestamp-unit)"}
	}
	return nil
}
