package sendertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/sender"
)

// Run tries all samples below a directory, and each authentic one again with
// something changed.
func Run(t *testing.T, directory string) {
	for _, s := range Read(t, directory) {
		t.Run(strings.TrimSuffix(s.Name, ".json"), func(t *testing.T) {
			t.Parallel()
			g := gate(t, s, s.secrets())
			r := s.Request(t)
			verified, err := pass(g, r)
			if err != nil && s.Verify {
				t.Fatalf("it is refused: %v", err)
			}
			if err == nil && !s.Verify {
				t.Fatalf("it passes (%s), but %s", verified, s.Why)
			}
			for _, text := range s.secrets() {
				if err != nil && strings.Contains(err.Error(), text) && len(text) > 3 {
					t.Errorf("the error tells the secret: %v", err)
				}
				for _, hint := range g.Hints(r) {
					if strings.Contains(hint, text) && len(text) > 3 {
						t.Errorf("a hint tells the secret: %s", hint)
					}
				}
			}
			if !s.Verify {
				return
			}
			if hints := g.Hints(r); len(hints) > 0 {
				t.Errorf("there are hints about an authentic delivery: %q", hints)
			}
			s.understood(t, r)
			s.changed(t, g)
			s.signed(t, g)
		})
	}
}

func gate(t testing.TB, s *Sample, secrets []string) *sender.Gate {
	t.Helper()
	g, errs := sender.NewGate(s.Config(t, secrets))
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	return g
}

// pass makes all checks in their order. A refusal of the early ones must be one
// of all.
func pass(g *sender.Gate, r *sender.Request) (string, error) {
	verified, err := g.Verify(context.Background(), r)
	if early := g.Early(r); early != nil && err == nil {
		return "", errors.Join(errors.New("refused early, though it passes"), early)
	}
	if refused := (*sender.RefusedError)(nil); err != nil && !errors.As(err, &refused) {
		return "", errors.Join(errors.New("no refusal"), err)
	}
	if err == nil && verified == "" {
		return "", errors.New("it passes without a word")
	}
	return verified, err
}

// understood compares event, id, handshake and message with what is expected.
func (s *Sample) understood(t *testing.T, r *sender.Request) {
	t.Helper()
	preset := sender.Named(s.Sender)
	d := delivery.New(r.Delivery, delivery.Options{Sender: Identity{preset}})
	event, id := preset.Event(d), preset.ID(d)
	if at := ref(s.Auth, func(a *Auth) (string, string) { return a.EventHeader, a.EventPath }); at != nil {
		event, _ = d.Value(*at)
	}
	if at := ref(s.Auth, func(a *Auth) (string, string) { return a.IDHeader, a.IDPath }); at != nil {
		id, _ = d.Value(*at)
	}
	compare(t, "event", event, text(s.Expect.Event))
	compare(t, "delivery id", id, text(s.Expect.ID))
	if s.Expect.Key != "" {
		key, _ := d.Value(delivery.Ref{Source: delivery.Payload, Name: "groupKey"})
		compare(t, "key", key, s.Expect.Key)
	}
	switch got, want := preset.Handshake(d), s.Expect.Handshake; {
	case got == nil && want == nil:
	case got == nil || want == nil:
		t.Errorf("the handshake is %+v, want %+v", got, want)
	case got.Status != want.Status || got.Fetch != want.Fetch || want.Body != nil && got.Body != *want.Body:
		t.Errorf("the handshake is %+v, want %+v", got, want)
	}
	if s.Expect.Inner != nil {
		message, ok := preset.Unwrap(r.Delivery)
		var got, want any
		if err := errors.Join(json.Unmarshal(message.Body, &got), json.Unmarshal(s.Expect.Inner, &want)); err != nil || !ok {
			t.Fatalf("the message is not unwrapped: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("the message is %s, want %s", message.Body, s.Expect.Inner)
		}
	}
}

func compare(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("the %s is %q, want %q", what, got, want)
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// signed tries that a request which the Gate itself signs passes.
func (s *Sample) signed(t *testing.T, g *sender.Gate) {
	t.Helper()
	bare := s.Request(t)
	o := &sender.Outgoing{URL: "https://hooks.example.com/hooks/sample", Header: bare.Header, Body: bare.Body, ID: "id-1", Time: s.Now}
	for _, name := range s.covering() {
		o.Header.Del(name)
	}
	bare.Rest, bare.RawQuery = "", ""
	err := g.Sign(o)
	if s.Keys != nil || s.kind() == "mtls" {
		if err == nil {
			t.Error("it can be signed without the sender's key")
		}
		return
	}
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	again, err := http.NewRequest(s.Method, o.URL, bytes.NewReader(o.Body))
	if err != nil {
		t.Fatal(err)
	}
	bare.RawQuery = again.URL.RawQuery
	bare.Rest = strings.TrimPrefix(strings.TrimPrefix(again.URL.Path, "/hooks/sample"), "/")
	if _, err := pass(g, bare); err != nil {
		t.Errorf("a request that was signed with the secret is refused: %v", err)
	}
}
