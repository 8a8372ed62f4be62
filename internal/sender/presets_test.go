package sender

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// passes reports whether a request passes, and asserts that early checks agree.
func passes(t *testing.T, g *Gate, r *Request) bool {
	t.Helper()
	words, err := g.Verify(context.Background(), r)
	if early := g.Early(r); early != nil && err == nil {
		t.Errorf("refused early (%v), though it passes (%s)", early, words)
	}
	return err == nil
}

// A secret of GitLab's that begins with whsec_ is a signing token, others are
// secret tokens; both may be there while one takes the other's place.
func TestGitLabsTwoKinds(t *testing.T) {
	const signing, token = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "glt-1"
	at := fmt.Sprint(request().Received.Unix())
	signed := func(key string) []string {
		sum := mac("sha256", key, "id-1."+at+".{}")
		return []string{"Webhook-Id: id-1", "Webhook-Timestamp: " + at, "Webhook-Signature: v1," + base64.StdEncoding.EncodeToString(sum)}
	}
	right, wrong := signed("0123456789abcdef0123456789abcdef"), signed("other")
	with := func(lines []string, more ...string) *Request {
		return request(append(slices.Clone(lines), more...)...).with(body("{}"))
	}
	for _, c := range []struct {
		name    string
		secrets []string
		hmac    *HMAC
		r       *Request
		pass    bool
	}{
		{"token", []string{token}, nil, with(nil, "X-Gitlab-Token: glt-1"), true},
		{"token, and a signature that nobody can verify", []string{token}, nil, with(wrong, "X-Gitlab-Token: glt-1"), true},
		{"signature", []string{signing}, nil, with(right), true},
		{"signature, and a token that nobody knows", []string{signing}, nil, with(right, "X-Gitlab-Token: x"), true},
		{"wrong signature", []string{signing}, nil, with(wrong), false},
		{"the signing token as token", []string{signing}, nil, with(nil, "X-Gitlab-Token: "+signing), false},
		{"both, signed", []string{token, signing}, nil, with(right), true},
		{"both, token", []string{token, signing}, nil, with(nil, "X-Gitlab-Token: glt-1"), true},
		{"both, a wrong signature beside a right token", []string{token, signing}, nil, with(wrong, "X-Gitlab-Token: glt-1"), false},
		{"both, the signing token as token", []string{token, signing}, nil, with(nil, "X-Gitlab-Token: "+signing), false},
		{"auth.hmac: only signatures", []string{signing}, &HMAC{Tolerance: time.Minute}, with(right), true},
		{"auth.hmac: no token", []string{signing}, &HMAC{Tolerance: time.Minute}, with(nil, "X-Gitlab-Token: "+signing), false},
		{"auth.hmac: without whsec_", []string{strings.TrimPrefix(signing, "whsec_")}, &HMAC{Tolerance: time.Minute}, with(right), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Config{Sender: gitlab(), Secret: secrets(c.secrets...)}
			if c.hmac != nil {
				config.Auth = &Auth{HMAC: c.hmac}
			}
			if got := passes(t, mustGate(t, config), c.r); got != c.pass {
				t.Errorf("it passes: %v", got)
			}
		})
	}
	// A wrong token needs no body to be refused.
	g := mustGate(t, Config{Sender: gitlab(), Secret: secrets(token)})
	if g.Early(request("X-Gitlab-Token: no")) == nil || g.Early(request("X-Gitlab-Token: glt-1")) != nil {
		t.Error("tokens are not compared before the body is read")
	}
}

// Stripe's libraries compare the age alone; Slack's time may lie neither way.
func TestTimesToCome(t *testing.T) {
	in := func(d time.Duration) string { return fmt.Sprint(request().Received.Add(d).Unix()) }
	for offset, want := range map[time.Duration][2]bool{
		0: {true, true}, -299 * time.Second: {true, true}, -301 * time.Second: {false, false}, time.Hour: {true, false},
	} {
		at := in(offset)
		one := mustGate(t, Config{Sender: stripe(), Secret: secrets("k")})
		if got := passes(t, one, request("Stripe-Signature: v0=00,t="+at+",v1=00,v1="+hexOf("sha256", "k", at+".{}")).with(body("{}"))); got != want[0] {
			t.Errorf("stripe, %v: %v", offset, got)
		}
		other := mustGate(t, Config{Sender: slack(), Secret: secrets("k")})
		if got := passes(t, other, request("X-Slack-Request-Timestamp: "+at, "X-Slack-Signature: v0="+hexOf("sha256", "k", "v0:"+at+":{}")).with(body("{}"))); got != want[1] {
			t.Errorf("slack, %v: %v", offset, got)
		}
	}
}

// The first place that has a token decides, as Jenkins' plugin has it: query,
// header token, Bearer.
func TestJenkinsTokens(t *testing.T) {
	g := mustGate(t, Config{Sender: jenkins(), Secret: secrets("k")})
	for _, c := range []struct {
		query string
		lines []string
		pass  bool
	}{
		{"token=k", nil, true},
		{"token=k", []string{"Token: no", "Authorization: Bearer no"}, true},
		{"token=no", []string{"Token: k"}, false},
		{"", []string{"token: k", "Authorization: Basic eDp5"}, true},
		{"", []string{"Token: no", "Authorization: Bearer k"}, false},
		{"", []string{"Authorization: bearer k"}, true},
		{"", []string{"Authorization: k"}, false},
		{"token=", nil, false},
	} {
		r := request(c.lines...).with(func(r *Request) { r.RawQuery = c.query })
		if got := passes(t, g, r); got != c.pass {
			t.Errorf("%q %q: %v", c.query, c.lines, got)
		}
	}
}

// reader reads deliveries as a preset knows them.
type reader struct{ *Sender }

func (r reader) SenderName() string                    { return r.Name }
func (r reader) EventType(d *delivery.Delivery) string { return r.Event(d) }
func (r reader) SenderID(d *delivery.Delivery) string  { return r.ID(d) }
func (r reader) Message(d *run.Delivery) ([]byte, string, bool) {
	m, ok := r.Unwrap(d)
	return m.Body, m.ContentType, ok
}

// What is read of deliveries that the recorded ones do not show.
func TestEventsAndIDs(t *testing.T) {
	const form = "Content-Type: application/x-www-form-urlencoded"
	const content = "Content-Type: application/json"
	for _, c := range []struct {
		name, sender string
		r            *Request
		event, id    string
	}{
		{"the last of duplicate keys", "stripe", request(content).with(body(`{"type":"a","id":"1","type":"b","id":"2"}`)), "b", "2"},
		{"null", "stripe", request(content).with(body(`{"type":null}`)), "", ""},
		{"no JSON", "stripe", request(content).with(body(`{"type"`)), "", ""},
		{"an empty body", "standard-webhooks", request("Webhook-Id: m-1"), "", "m-1"},
		{"an event without an inner type", "slack", request(content).with(body(`{"type":"event_callback","event_id":"E"}`)), "event_callback", "E"},
		{"a command", "slack", request(form).with(body("command=%2Fdeploy&trigger_id=T")), "/deploy", "T"},
		{"an interaction", "slack", request(form).with(body("payload=" + url.QueryEscape(`{"type":"shortcut","trigger_id":"T"}`))), "shortcut", "T"},
		{"GitHub's form", "github", request(form, "X-Github-Event: push", "X-Github-Delivery: d").with(body("payload=%7B%7D")), "push", "d"},
		{"GitLab's signed id", "gitlab", request("Webhook-Signature: v1,x", "Webhook-Id: w", "Idempotency-Key: i"), "", "w"},
		{"GitLab's id", "gitlab", request("Webhook-Id: w", "Idempotency-Key: i", "X-Gitlab-Event-Uuid: u"), "", "i"},
		{"GitLab's older id", "gitlab", request("X-Gitlab-Event-Uuid: u"), "", "u"},
	} {
		s := Named(c.sender)
		d := delivery.New(c.r.Delivery, delivery.Options{Sender: reader{s}})
		if event, id := s.Event(d), s.ID(d); event != c.event || id != c.id {
			t.Errorf("%s: event %q, id %q; want %q, %q", c.name, event, id, c.event, c.id)
		}
	}
}

// Rule 6: repeats are dropped by default of those that give an id and repeat by
// themselves.
func TestWhoRepeatsAndWhoSwitchesOff(t *testing.T) {
	var repeats, off []string
	for _, s := range All() {
		if s.Repeats {
			repeats = append(repeats, s.Name)
			if !s.GivesID() {
				t.Errorf("%s repeats, and gives no id to know it by", s.Name)
			}
		}
		if s.SwitchesOff {
			off = append(off, s.Name)
		}
	}
	if got, want := strings.Join(repeats, " "), "bitbucket distribution ecr gar gitlab harbor slack standard-webhooks stripe"; got != want {
		t.Errorf("%s repeat, want %s", got, want)
	}
	if got, want := strings.Join(off, " "), "gitlab quay slack"; got != want {
		t.Errorf("%s switch off, want %s", got, want)
	}
}

// What operators read of each sender is there, and where it has a scheme of its
// own a secret that is set is enough.
func TestEverySenderTellsAboutItself(t *testing.T) {
	names := map[string]bool{}
	for _, s := range All() {
		if names[s.Name] || Named(s.Name) == nil || s.Title == "" {
			t.Errorf("%q is there twice, or has no title", s.Name)
		}
		names[s.Name] = true
		if s.About.Auth == "" || len(s.About.Settings) == 0 || s.About.Failure == "" {
			t.Errorf("%s says too little about itself", s.Name)
		}
		if s.Name != "generic" && len(s.About.Sources) == 0 {
			t.Errorf("%s names no source", s.Name)
		}
		settings := strings.Join(s.About.Settings, "\n")
		if !strings.Contains(settings, "{url}") {
			t.Errorf("%s does not say where the URL is entered", s.Name)
		}
		if (s.own == nil) == (s.why == "") {
			t.Errorf("%s has a way of its own and a reason for none, or neither", s.Name)
		}
		if s.own != nil && !s.IssuesSecret && !strings.Contains(settings, "{secret}") {
			t.Errorf("%s does not say where the secret is entered", s.Name)
		}
	}
	if Named("nobody") != nil {
		t.Error("there is a sender nobody")
	}
}
