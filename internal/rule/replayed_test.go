package rule_test

import (
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/secret"
)

// A delivery that is sent again, or that Pawl made itself, is not asked who
// calls; what else a rule says is.
func TestReplayed(t *testing.T) {
	value := func(source delivery.Source, name, want string) rule.Rule {
		return match(t, rule.Definition{Type: "value", Value: want, Parameter: delivery.Ref{Source: source, Name: name}})
	}
	regex := func(source delivery.Source, name, want string) rule.Rule {
		return match(t, rule.Definition{Type: "regex", Regex: want, Parameter: delivery.Ref{Source: source, Name: name}})
	}
	hmac := match(t, rule.Definition{Type: "payload-hmac-sha256", Secret: secret.New("s"), Parameter: header("X-Sig")})
	scalr := match(t, rule.Definition{Type: "scalr-signature", Secret: secret.New("s")})
	address := match(t, rule.Definition{Type: "ip-whitelist", IPRange: "198.51.100.0/24"})
	acme := match(t, rule.Definition{Type: "value", Value: "acme", Parameter: payload("org")})
	tests := []struct {
		name          string
		rule          rule.Rule
		request       *rule.Request
		fresh, replay result
	}{
		{"a signature that is missing", hmac, request(`{}`), missing, yes},
		{"a signature that is wrong", hmac, request(`{}`, "X-Sig", "00"), wrong, yes},
		{"a Scalr signature", scalr, request(`{}`), no, yes},
		{"an address", address, request(`{}`), no, yes},
		{"the caller's address as a value", value(delivery.Request, "remote-addr", "x"), request(`{}`), no, yes},
		{"the method", value(delivery.Request, "method", "PUT"), request(`{}`), no, no},
		{"a token that was withheld", value(delivery.Header, "X-Token", "s"), request(`{}`, "X-Token", "[withheld]"), no, yes},
		{"a token that nobody sent", value(delivery.Header, "X-Token", "s"), request(`{}`), missing, yes},
		{"a token that is another", value(delivery.Header, "X-Token", "s"), request(`{}`, "X-Token", "t"), no, yes},
		{"a key that was withheld", value(delivery.Header, "X-Key", "s"), request(`{}`, "X-Key", "[withheld]"), no, yes},
		{"a key that is another", value(delivery.Header, "X-Key", "s"), request(`{}`, "X-Key", "t"), no, no},
		{"a token as an expression", regex(delivery.Query, "secret", "^s$"), request(`{}`), missing, yes},
		{"a key that nobody sent", regex(delivery.QueryAlias, "key", "^s$"), request(`{}`), missing, yes},
		{"another header that looks withheld", value(delivery.Header, "X-Event", "s"), request(`{}`, "X-Event", "[withheld]"), no, no},
		{"another header that is missing", value(delivery.Header, "X-Event", "s"), request(`{}`), missing, missing},
		{"a payload value named like one", value(delivery.Payload, "token", "s"), request(`{"token":"[withheld]"}`), no, no},
		{"an address that is kept out", rule.Not{Rule: address}, request(`{}`), yes, yes},
		{"a token that is kept out", rule.Not{Rule: value(delivery.Header, "X-Token", "s")}, request(`{}`, "X-Token", "t"), yes, yes},
		{"who is not kept out", rule.Not{Rule: rule.Not{Rule: address}}, request(`{}`), no, yes},
		{"a signature that is kept out: none ever is", rule.Not{Rule: hmac}, request(`{}`, "X-Sig", "00"), yesBad, no},
		{"what comes after a not", rule.And{rule.Not{Rule: address}, address}, request(`{}`), no, yes},
		{"not the rest of an and", rule.Not{Rule: rule.And{address, acme}}, request(`{"org":"acme"}`), yes, yes},
		{"the rest of an and", rule.And{hmac, acme}, request(`{"org":"other"}`), missing, no},
		{"an and that holds", rule.And{hmac, acme}, request(`{"org":"acme"}`), missing, yes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := evaluate(tt.rule, tt.request); got != tt.fresh {
				t.Errorf("when it comes: %s, want %s", got, tt.fresh)
			}
			again := *tt.request
			again.Replayed = true
			if got := evaluate(tt.rule, &again); got != tt.replay {
				t.Errorf("when it is sent again: %s, want %s", got, tt.replay)
			}
		})
	}
}

func TestCompares(t *testing.T) {
	token := match(t, rule.Definition{Type: "value", Value: "s", Parameter: header("x-key")})
	query := match(t, rule.Definition{Type: "regex", Regex: "^s$", Parameter: delivery.Ref{Source: delivery.QueryAlias, Name: "key"}})
	signature := match(t, rule.Definition{Type: "payload-hmac-sha1", Secret: secret.New("s"), Parameter: header("X-Sig")})
	tests := []struct {
		rule   rule.Rule
		source delivery.Source
		name   string
		want   bool
	}{
		{nil, delivery.Header, "X-Key", false},
		{token, delivery.Header, "X-Key", true},
		{token, delivery.Query, "x-key", false},
		{query, delivery.Query, "key", true},
		{query, delivery.Header, "key", false},
		{signature, delivery.Header, "X-Sig", false},
		{rule.And{rule.Or{rule.Not{Rule: token}}}, delivery.Header, "X-Key", true},
		{rule.And{rule.Or{rule.Not{Rule: rule.Never{}}}}, delivery.Header, "X-Key", false},
	}
	for i, tt := range tests {
		if got := rule.Compares(tt.rule, tt.source, tt.name); got != tt.want {
			t.Errorf("%d: %v", i, got)
		}
	}
}
