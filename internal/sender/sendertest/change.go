package sendertest

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/sender"
)

// covering are the headers by which a sample is verified: a signature or a
// credential.
func (s *Sample) covering() []string {
	switch s.kind() {
	case "basic", "bearer":
		return []string{"Authorization"}
	case "header":
		return []string{s.Auth.Name}
	case "query", "path", "mtls":
		return nil
	}
	switch s.Sender {
	case "alertmanager", "distribution", "acr", "harbor", "gar":
		return []string{"Authorization"}
	case "jenkins":
		return []string{"Token", "Authorization"}
	case "github", "ghcr":
		return []string{"X-Hub-Signature-256", "X-Hub-Signature"}
	case "bitbucket":
		return []string{"X-Hub-Signature"}
	case "gitea":
		return []string{"X-Gitea-Signature"}
	case "forgejo":
		return []string{"X-Forgejo-Signature"}
	case "gitlab":
		if s.kind() == "signing-token" {
			return []string{"Webhook-Signature"}
		}
		return []string{"X-Gitlab-Token"}
	case "standard-webhooks":
		return []string{"Webhook-Signature"}
	case "slack":
		return []string{"X-Slack-Signature"}
	case "stripe":
		return []string{"Stripe-Signature"}
	case "nexus-repository", "nexus-iq":
		return []string{"X-Nexus-Webhook-Signature"}
	case "generic":
		return []string{s.Auth.Header}
	}
	return nil // ecr: the signature is in the body
}

// stamp is the header that holds the signed time; "" where none is signed, or
// it stands in the signature's own header.
func (s *Sample) stamp() string {
	switch {
	case s.Sender == "standard-webhooks", s.kind() == "signing-token":
		return "Webhook-Timestamp"
	case s.Sender == "slack":
		return "X-Slack-Request-Timestamp"
	case s.Sender == "generic":
		return s.Auth.TimestampHeader
	}
	return ""
}

// coversBody reports whether a change of the body shows. Tokens, passwords, a
// secret path and certificates say nothing about a body, and Pub/Sub's token
// (gar) does not either.
func (s *Sample) coversBody() bool {
	switch s.kind() {
	case "basic", "bearer", "header", "query", "path", "mtls":
		return false
	case "signing-token":
		return true
	}
	switch s.Sender {
	case "alertmanager", "distribution", "acr", "harbor", "jenkins", "gitlab", "gar":
		return false
	}
	return true
}

// changed changes one byte of whatever covers the delivery, and of what is
// covered: each time it must be refused.
func (s *Sample) changed(t *testing.T, g *sender.Gate) {
	t.Helper()
	count := 0
	refused := func(what string, g *sender.Gate, r *sender.Request) {
		t.Helper()
		count++
		if verified, err := pass(g, r); err == nil {
			t.Errorf("it passes (%s) with a change of %s", verified, what)
		}
	}
	if s.coversBody() {
		for _, i := range s.places() {
			r := s.Request(t)
			r.Body[i] ^= 1
			refused("byte "+strconv.Itoa(i)+" of the body", g, r)
		}
	}
	decides := s.decides(t)
	if decides != "" {
		for i := range len(s.Request(t).Header.Get(decides)) {
			if s.blind(decides, s.Request(t).Header.Get(decides), i) {
				continue
			}
			r := s.Request(t)
			value := []byte(r.Header.Get(decides))
			value[i] ^= 1
			r.Header.Set(decides, string(value))
			refused("character "+strconv.Itoa(i)+" of "+decides, g, r)
		}
		r := s.Request(t)
		for _, name := range s.covering() {
			r.Header.Del(name)
		}
		if r.RawQuery == "" {
			refused(decides+" (it is not there)", g, r)
		}
	}
	if name := s.stamp(); name != "" {
		r := s.Request(t)
		n, err := strconv.Atoi(r.Header.Get(name))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set(name, strconv.Itoa(n+1))
		refused("the time by one unit", g, r)
		r = s.Request(t)
		r.Received = r.Received.AddDate(0, 0, 1)
		refused("the receiver's clock by a day", g, r)
	}
	s.changedURL(t, g, refused)
	s.changedSecret(t, refused)
	if count < 2 {
		t.Errorf("only %d changes were tried: that proves nothing", count)
	}
}

// places are the bytes of the body whose change must show: some 64 of them from
// the first to the last, but of an SNS message only what its signature covers.
func (s *Sample) places() []int {
	var places []int
	if s.Sender != "ecr" {
		last := len(s.BodyBase64) - 1
		for i := 0; i < last; i += last/64 + 1 {
			places = append(places, i)
		}
		return append(places, last)
	}
	for _, name := range []string{"Message", "MessageId", "Timestamp", "TopicArn", "Signature", "Token", "SubscribeURL"} {
		if at := bytes.Index(s.BodyBase64, []byte(`"`+name+`"`)); at >= 0 {
			from := at + len(name) + 2
			value := bytes.IndexByte(s.BodyBase64[from:], '"') + 1
			places = append(places, from+value, from+value+5)
		}
	}
	return places
}

// decides is the header that the sample is verified by; "" where it is none.
func (s *Sample) decides(t *testing.T) string {
	t.Helper()
	r := s.Request(t)
	for _, name := range s.covering() {
		if r.Header.Get(name) != "" {
			return http.CanonicalHeaderKey(name)
		}
	}
	return ""
}

// blind reports whether a change of a header's character need not show: names of
// schemes ignore case, signatures that are ignored count for nothing, and one bit
// of a token's last character may mean nothing (RFC 4648, section 3.5).
func (s *Sample) blind(header, value string, i int) bool {
	switch header {
	case "Webhook-Signature":
		// One of several is right; the samples have it last.
		return i < strings.LastIndex(value, " ")+1
	case "Stripe-Signature":
		at := strings.LastIndex(value, "v0=")
		return strings.Count(value, "v1=") > 1 || at >= 0 && i >= at-1
	case "Authorization":
		return s.Sender == "gar" && i == len(value)-1
	}
	return false
}

// changedURL changes what is secret in the URL, and takes the certificate away.
func (s *Sample) changedURL(t *testing.T, g *sender.Gate, refused func(string, *sender.Gate, *sender.Request)) {
	t.Helper()
	r := s.Request(t)
	switch {
	case s.kind() == "mtls":
		r.Certificates = nil
		refused("the certificate (it is not there)", g, r)
		r = s.Request(t)
		r.Received = r.Certificates[0].NotAfter.AddDate(0, 0, 1)
		refused("the time, to one after the certificate's", g, r)
	case r.Rest != "":
		for i := range len(r.Rest) {
			changed := []byte(r.Rest)
			changed[i] ^= 1
			one := s.Request(t)
			one.Rest = string(changed)
			refused("the path", g, one)
		}
		r.Rest += "/"
		refused("the path's end", g, r)
	case r.RawQuery != "":
		from := strings.Index(r.RawQuery, "=") + 1
		for i := from; i < len(r.RawQuery); i++ {
			one := s.Request(t)
			changed := []byte(one.RawQuery)
			changed[i] ^= 1
			one.RawQuery = string(changed)
			refused("the query", g, one)
		}
		r.RawQuery = "token=&" + r.RawQuery
		refused("the query: an empty value first", g, r)
	}
}

// changedSecret changes one byte of all secrets, or the public keys.
func (s *Sample) changedSecret(t *testing.T, refused func(string, *sender.Gate, *sender.Request)) {
	t.Helper()
	secrets := s.secrets()
	for i := 0; secrets != nil && i < len(secrets[0]); i++ {
		changed := make([]string, len(secrets))
		for j, text := range secrets {
			at := i % len(text)
			// The last characters of a key in base64 may hold bits that mean nothing.
			if strings.HasPrefix(text, "whsec_") && at > len(text)-4 {
				at = 8
			}
			b := []byte(text)
			b[at] ^= 2 // not 1: some samples have the secrets n and o
			changed[j] = string(b)
		}
		g, errs := sender.NewGate(s.Config(t, changed))
		if errs != nil {
			continue // it is no key any more
		}
		refused("character "+strconv.Itoa(i)+" of the secret", g, s.Request(t))
	}
	if s.Keys != nil && s.Keys.PublicKeys != nil {
		other := *s
		keys := *s.Keys
		other.Keys = &keys
		b := []byte(keys.PublicKeys[0])
		b[10] ^= 1
		keys.PublicKeys = []string{string(b)}
		if g, errs := sender.NewGate(other.Config(t, nil)); errs == nil {
			refused("the public key", g, s.Request(t))
		}
	}
}
