package sender

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
)

// mac is a reference: the HMAC as the standard library has it.
func mac(algorithm, key, text string) []byte {
	h := hmac.New(map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}[algorithm], []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexOf(algorithm, key, text string) string { return hex.EncodeToString(mac(algorithm, key, text)) }

func body(text string) func(*Request) { return func(r *Request) { r.Body = []byte(text) } }

// The vectors of RFC 4231 (SHA-256 and SHA-512) and RFC 2202 (SHA-1) whose keys
// a hook file can hold.
func TestPublishedHMACs(t *testing.T) {
	const what = "what do ya want for nothing?"
	long := strings.Repeat("\xaa", 131)
	for _, c := range []struct{ algorithm, key, text, want string }{
		{"sha256", "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19", strings.Repeat("\xcd", 50), "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
		{"sha256", "Jefe", what, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"sha256", long, "Test Using Larger Than Block-Size Key - Hash Key First", "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"sha512", "Jefe", what, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
		{"sha1", "Jefe", what, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
	} {
		g := mustGate(t, Config{Secret: secrets(c.key), Auth: &Auth{HMAC: &HMAC{Header: "X-S", Algorithms: []string{c.algorithm}}}})
		r := request("X-S: " + c.want).with(body(c.text))
		if words, err := g.Verify(context.Background(), r); err != nil || words != "hmac-"+c.algorithm+" signature" {
			t.Errorf("%s of %q: %q, %v", c.algorithm, c.text, words, err)
		}
		r.Body = append(r.Body, 0)
		if _, err := g.Verify(context.Background(), r); err == nil {
			t.Errorf("%s of %q: a longer body passes", c.algorithm, c.text)
		}
	}
}

// What a hook can say of a signature, and what passes then.
func TestSignatures(t *testing.T) {
	const key, text = "s3cret", `{"a":1}`
	now := fmt.Sprint(request().Received.Unix())
	ago := func(d time.Duration) string { return fmt.Sprint(request().Received.Add(-d).Unix()) }
	std := base64.StdEncoding.EncodeToString
	timed := HMAC{Header: "X-S", Signed: "{timestamp}.{body}", TimestampHeader: "x-t"}
	loose := timed
	loose.Tolerance = time.Hour
	ms := timed
	ms.TimestampUnit = "ms"
	for _, c := range []struct {
		name  string
		hmac  HMAC
		lines []string
		want  string // the words; with ! before them those of the refusal
	}{
		{"the default is SHA-256, hex, the body", HMAC{Header: "X-S"}, []string{"x-s: " + hexOf("sha256", key, text)}, "hmac-sha256 signature"},
		{"upper case", HMAC{Header: "X-S"}, []string{"X-S: " + strings.ToUpper(hexOf("sha256", key, text))}, "!is wrong"},
		{"none", HMAC{Header: "X-S"}, nil, "!there is no header X-S"},
		{"empty", HMAC{Header: "X-S"}, []string{"X-S: "}, "!is empty"},
		{"the prefix alone", HMAC{Header: "X-S", Prefix: "v1="}, []string{"X-S: v1="}, "!is empty"},
		{"a prefix", HMAC{Header: "X-S", Prefix: "v1="}, []string{"X-S: v1=" + hexOf("sha256", key, text)}, "hmac-sha256 signature"},
		{"a prefix in another case", HMAC{Header: "X-S", Prefix: "v1="}, []string{"X-S: V1=" + hexOf("sha256", key, text)}, "!is wrong"},
		{"a prefix that is not wanted", HMAC{Header: "X-S"}, []string{"X-S: v1=" + hexOf("sha256", key, text)}, "!is wrong"},
		{"the first counts", HMAC{Header: "X-S"}, []string{"X-S: 00", "X-S: " + hexOf("sha256", key, text)}, "!is wrong"},
		{"cut short", HMAC{Header: "X-S"}, []string{"X-S: " + hexOf("sha256", key, text)[:40]}, "!is wrong"},
		{"base64", HMAC{Header: "X-S", Encoding: "base64"}, []string{"X-S: " + std(mac("sha256", key, text))}, "hmac-sha256 signature"},
		{"base64 in place of hex", HMAC{Header: "X-S"}, []string{"X-S: " + std(mac("sha256", key, text))}, "!is wrong"},
		{"base64url", HMAC{Header: "X-S", Encoding: "base64url"}, []string{"X-S: " + base64.RawURLEncoding.EncodeToString(mac("sha256", key, text))}, "hmac-sha256 signature"},
		{"SHA-1 where it is not named", HMAC{Header: "X-S"}, []string{"X-S: " + hexOf("sha1", key, text)}, "!is wrong"},
		{"either of two algorithms", HMAC{Header: "X-S", Algorithms: []string{"sha512", "sha1"}}, []string{"X-S: " + hexOf("sha1", key, text)}, "hmac-sha1 signature"},
		{"neither of two", HMAC{Header: "X-S", Algorithms: []string{"sha512", "sha1"}}, []string{"X-S: " + hexOf("sha256", key, text)}, "!is wrong"},
		{"text around the body", HMAC{Header: "X-S", Signed: "a{body}b{body}"}, []string{"X-S: " + hexOf("sha256", key, "a"+text+"b"+text)}, "hmac-sha256 signature"},

		{"a time", timed, []string{"X-S: " + hexOf("sha256", key, now+"."+text), "X-T: " + now}, "hmac-sha256 signature"},
		{"a time of 299 s ago", timed, []string{"X-S: " + hexOf("sha256", key, ago(299*time.Second)+"."+text), "X-T: " + ago(299*time.Second)}, "hmac-sha256 signature"},
		{"a time of 301 s ago", timed, []string{"X-S: " + hexOf("sha256", key, ago(301*time.Second)+"."+text), "X-T: " + ago(301*time.Second)}, "!5m1s ago"},
		{"a time in 299 s", timed, []string{"X-S: " + hexOf("sha256", key, ago(-299*time.Second)+"."+text), "X-T: " + ago(-299*time.Second)}, "hmac-sha256 signature"},
		{"a time in 301 s", timed, []string{"X-S: " + hexOf("sha256", key, ago(-301*time.Second)+"."+text), "X-T: " + ago(-301*time.Second)}, "!5m1s from now"},
		{"a tolerance of an hour", loose, []string{"X-S: " + hexOf("sha256", key, ago(50*time.Minute)+"."+text), "X-T: " + ago(50*time.Minute)}, "hmac-sha256 signature"},
		{"another time than is signed", timed, []string{"X-S: " + hexOf("sha256", key, ago(time.Hour)+"."+text), "X-T: " + now}, "!is wrong"},
		{"no time", timed, []string{"X-S: " + hexOf("sha256", key, "."+text)}, "!no time"},
		{"a time with a sign", timed, []string{"X-S: " + hexOf("sha256", key, "+"+now+"."+text), "X-T: +" + now}, "!whole number"},
		{"a time with a fraction", timed, []string{"X-S: " + hexOf("sha256", key, now+".5."+text), "X-T: " + now + ".5"}, "!whole number"},
		{"a time beyond all times", timed, []string{"X-S: 00", "X-T: 99999999999999999999999"}, "!whole number"},
		{"a time far away", timed, []string{"X-S: 00", "X-T: 9223372036854775807"}, "!allowed"},
		{"milliseconds", ms, []string{"X-S: " + hexOf("sha256", key, now+"000."+text), "X-T: " + now + "000"}, "hmac-sha256 signature"},
		{"milliseconds where seconds are meant", timed, []string{"X-S: " + hexOf("sha256", key, now+"000."+text), "X-T: " + now + "000"}, "!from now"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := mustGate(t, Config{Secret: secrets(key), Auth: &Auth{HMAC: &c.hmac}})
			words, err := g.Verify(context.Background(), request(c.lines...).with(body(text)))
			want, refusal := strings.CutPrefix(c.want, "!")
			if refusal && (err == nil || !strings.Contains(err.Error(), want)) || !refusal && (err != nil || words != want) {
				t.Errorf("%q, %v; want %q", words, err, c.want)
			}
		})
	}
}

// {id} is the hook's delivery-id, in a header or in the body.
func TestSignedIDs(t *testing.T) {
	const key, text = "s3cret", `{"event":{"id":"e-7"}}`
	signed := &Auth{HMAC: &HMAC{Header: "X-S", Signed: "{id}:{body}"}}
	for _, c := range []struct {
		at   delivery.Ref
		id   string
		pass bool
	}{
		{delivery.Ref{Source: delivery.Header, Name: "x-id"}, "h-1", true},
		{delivery.Ref{Source: delivery.Payload, Name: "event.id"}, "e-7", true},
		{delivery.Ref{Source: delivery.Payload, Name: "event.none"}, "", false},
		{delivery.Ref{Source: delivery.Header, Name: "X-None"}, "", false},
		{delivery.Ref{Source: delivery.Header, Name: "X-Id"}, "h-2", false},
	} {
		g := mustGate(t, Config{Secret: secrets(key), Auth: signed, DeliveryID: &c.at})
		r := request("X-Id: h-1", "Content-Type: application/json", "X-S: "+hexOf("sha256", key, c.id+":"+text)).with(body(text))
		if _, err := g.Verify(context.Background(), r); (err == nil) != c.pass {
			t.Errorf("%v: %v", c.at, err)
		}
	}
}

// Every secret is tried with every algorithm, whichever passes, and texts of any
// length are compared whole: nothing ends early that could be timed.
func TestAllAreTried(t *testing.T) {
	for _, key := range []string{"one", "three", "none"} {
		g := mustGate(t, Config{Secret: secrets("one", "two", "three"), Auth: &Auth{HMAC: &HMAC{Header: "X-S", Algorithms: []string{"sha256", "sha1"}}}})
		c := g.parts[0].check.(*hmacCheck)
		space := &workspace{}
		c.spaces.New = func() any { return space }
		r := request("X-S: " + hexOf("sha256", key, "x")).with(body("x"))
		_, _ = c.verifyWith(r, c.secret.Values())
		made := 0
		for _, m := range space.macs {
			if m.hash != nil {
				made++
			}
		}
		if made != 6 {
			t.Errorf("with secret %s %d signatures are made, want 3 secrets by 2 algorithms", key, made)
		}
	}
	long := strings.Repeat("a", 5000)
	for _, given := range []string{"", "a", "s3cre", "s3cret", "s3cret7", long} {
		for _, want := range []string{"", "s3cret", long} {
			if same(given, want) != (given == want && want != "") {
				t.Errorf("%d bytes are the same as %d", len(given), len(want))
			}
		}
	}
	if sum("s3cret") != sha256.Sum256([]byte("s3cret")) || sum(long) != sha256.Sum256([]byte(long)) {
		t.Error("texts are not compared by their sums")
	}
	if n := which("b", secrets("a", "b", "b").Values()); n != 2 {
		t.Errorf("the first that passes is told: %d", n)
	}
}

// The headers of a form whose JSON is in field payload: GitHub signs the form,
// Gitea the field's value.
func TestForms(t *testing.T) {
	const key, inner = "s3cret", `{"ref":"main"}`
	form := "payload=" + url.QueryEscape(inner)
	for _, c := range []struct {
		sender, header, prefix, signed string
		pass                           bool
	}{
		{"github", "X-Hub-Signature-256", "sha256=", form, true},
		{"github", "X-Hub-Signature-256", "sha256=", inner, false},
		{"gitea", "X-Gitea-Signature", "", inner, true},
		{"gitea", "X-Gitea-Signature", "", form, true},
		{"gitea", "X-Gitea-Signature", "", "{}", false},
		{"forgejo", "X-Forgejo-Signature", "", inner, true},
		{"forgejo", "X-Gitea-Signature", "", inner, false},
	} {
		s := Named(c.sender)
		g := mustGate(t, Config{Sender: s, Secret: secrets(key)})
		r := request("Content-Type: application/x-www-form-urlencoded; charset=utf-8",
			c.header+": "+c.prefix+hexOf("sha256", key, c.signed)).with(body(form))
		if _, err := g.Verify(context.Background(), r); (err == nil) != c.pass {
			t.Errorf("%s, %s of %s: %v", c.sender, c.header, c.signed, err)
		}
		if message, ok := s.Unwrap(r.Delivery); !ok || string(message.Body) != inner || message.ContentType != "application/json" {
			t.Errorf("%s: the message is %q, %v", c.sender, message.Body, ok)
		}
	}
}

// A key that is exchanged counts at once, and the old one no more.
func TestKeysAreNotKept(t *testing.T) {
	c := &hmacCheck{lines: []line{{"X-S", "sha256", "hex", ""}}, template: []piece{{kind: signedBody}}}
	for _, key := range []string{"one", "two", "one"} {
		for _, given := range []string{"one", "two"} {
			r := request("X-S: " + hexOf("sha256", given, "x")).with(body("x"))
			if _, err := c.verifyWith(r, secrets(key).Values()); (err == nil) != (key == given) {
				t.Errorf("%s with %s: %v", given, key, err)
			}
		}
	}
}

func TestTemplates(t *testing.T) {
	for template, want := range map[string][]piece{
		"{body}":                  {{kind: signedBody}},
		"v0:{timestamp}:{body}":   {{literal: "v0:"}, {kind: signedTime}, {literal: ":"}, {kind: signedBody}},
		"{id}.{timestamp}.{body}": {{kind: signedID}, {literal: "."}, {kind: signedTime}, {literal: "."}, {kind: signedBody}},
		"}{body}":                 {{literal: "}"}, {kind: signedBody}},
	} {
		if got, err := parseTemplate(template); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v", template, got, err)
		}
	}
}

// No sender signs its Content-Type, so it does not decide what a signed body means:
// whoever has one could send it again with another, and have what stands in its
// values read as fields.
func TestContentTypeIsNotSigned(t *testing.T) {
	const text = `{"ref":"dev","x":"&ref=main&payload=%7B%22ref%22%3A%22main%22%7D&y="}`
	types := []string{"application/json", "application/x-www-form-urlencoded", "text/x-www-form-urlencoded", "text/xml", "text/plain", "multipart/form-data; boundary=x", ""}
	senders := 0
	for _, s := range All() {
		if !s.signs && s.Name != "generic" {
			continue
		}
		senders++
		for _, contentType := range types {
			r := request("Content-Type: " + contentType).with(body(text))
			if got := payload(delivery.New(r.Delivery, delivery.Options{Sender: named{s}}), "ref"); got != "dev" {
				t.Errorf("%s, %s: ref is %q", s.Name, contentType, got)
			}
		}
		// A form has the one field; what else is in one was not made by the sender.
		form := request("Content-Type: application/x-www-form-urlencoded").with(body("payload=%7B%22ref%22%3A%22dev%22%7D&ref=main"))
		if message, wrapped := s.Unwrap(form.Delivery); wrapped {
			t.Errorf("%s: a form of several fields is unwrapped: %s", s.Name, message.Body)
		}
	}
	if senders < 10 {
		t.Errorf("only %d senders sign", senders)
	}
}

// Where id and body touch, what is signed can be read in two ways.
func TestTemplatesThatCanBeReadInTwoWays(t *testing.T) {
	for template, good := range map[string]bool{
		"{id}{body}": false, "{body}{id}": false, "{timestamp}{body}{id}": false, "{id}.{body}": true, "{id}{timestamp}{body}": true, "{timestamp}{body}": true, "{body}": true,
	} {
		if _, err := parseTemplate(template); (err == nil) != good {
			t.Errorf("%s: %v", template, err)
		}
	}
}
