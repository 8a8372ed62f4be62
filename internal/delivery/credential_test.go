package delivery

import (
	"net/http"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

func TestCredentialName(t *testing.T) {
	names := map[Credential][]string{
		IsCredential: {
			"Authorization", "authorization", "Proxy-Authorization", "X-Forwarded-Authorization", "Cookie",
			"X-Gitlab-Token", "X-Auth-Token", "X-Amz-Security-Token", "token", "access_token", "accessToken", "token2", "token[]", "tokens.token",
			"X-Webhook-Secret", "client_secret", "clientSecret", "X-Secret-Key", "X-Api-Key", "apikey", "api_key", "X-Functions-Key", "access-key",
			"password", "passwd", "pwd", "pass", "Passphrase", "Cf-Access-Jwt-Assertion", "jwt", "X-Amzn-Oidc-Data", "bearer", "credentials",
		},
		MayBeCredential: {"key", "X-Key", "monkey", "X-Auth", "auth", "X-Registry-Auth", "_key_"},
		NoCredential: {
			"", "-", "1", "X-Hub-Signature-256", "X-Signature", "sig", "X-Event-Key", "Idempotency-Key", "X-Github-Event", "X-Github-Delivery",
			"User-Agent", "Content-Type", "Date", "X-Request-Id", "tokens", "token_id", "author", "X-Author", "secretary", "data", "X-Data", "compass", "key_id",
		},
	}
	for want, list := range names {
		for _, name := range list {
			if got := CredentialName(name); got != want {
				t.Errorf("%q is %d, want %d", name, got, want)
			}
		}
	}
}

func TestRefCredential(t *testing.T) {
	tests := []struct {
		ref  Ref
		want Credential
	}{
		{Ref{Header, "x-gitlab-token"}, IsCredential},
		{Ref{Header, "X-Token.inner"}, IsCredential},
		{Ref{Query, "token"}, IsCredential},
		{Ref{QueryAlias, "key"}, MayBeCredential},
		{Ref{Payload, "token"}, NoCredential},
		{Ref{String, "token"}, NoCredential},
		{Ref{EntireHeaders, ""}, NoCredential},
	}
	for _, tt := range tests {
		if got := tt.ref.Credential(); got != tt.want {
			t.Errorf("%v is %d, want %d", tt.ref, got, tt.want)
		}
	}
}

func TestRefCarries(t *testing.T) {
	tests := []struct {
		ref    Ref
		source Source
		name   string
		want   bool
	}{
		{Ref{Header, "x-token"}, Header, "X-Token", true},
		{Ref{Header, "x-token.a"}, Header, "X-Token", true},
		{Ref{Header, "X-Tokens"}, Header, "X-Token", false},
		{Ref{EntireHeaders, ""}, Header, "X-Token", true},
		{Ref{EntireHeaders, ""}, Query, "token", false},
		{Ref{EntireQuery, ""}, Query, "token", true},
		{Ref{QueryAlias, "token"}, Query, "token", true},
		{Ref{Query, "Token"}, Query, "token", false},
		{Ref{Query, "to.ken"}, Query, "to.ken", true},
		{Ref{Payload, "token"}, Query, "token", false},
		{Ref{EntirePayload, ""}, Query, "token", false},
	}
	for _, tt := range tests {
		if got := tt.ref.Carries(tt.source, tt.name); got != tt.want {
			t.Errorf("%v carries %s %q: %v", tt.ref, tt.source, tt.name, got)
		}
	}
}

// A run's values come from its delivery as it came, and from its element.
func TestOfRun(t *testing.T) {
	r := run.Run{
		Element: `"v1"`,
		Delivery: &run.Delivery{
			Header: http.Header{"X-Token": {run.Withheld}, "X-Event": {"push"}}, RawQuery: "token=%5Bwithheld%5D",
			Credentials: &run.Credentials{Header: http.Header{"X-Token": {"s"}}, RawQuery: "token=t"},
		},
	}
	d := OfRun(r, Options{})
	for ref, want := range map[Ref]string{
		{Header, "X-Token"}: "s", {Header, "X-Event"}: "push", {Query, "token"}: "t", {Source: Element}: "v1",
	} {
		if got := valueOf(t, d, ref); got != want {
			t.Errorf("%v is %q, want %q", ref, got, want)
		}
	}
	if r.Delivery.Header.Get("X-Token") != run.Withheld {
		t.Error("the record changed")
	}
}
