package sender

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

const (
	audience = "https://hooks.example.com/hooks/gar"
	account  = "push@acme.iam.gserviceaccount.com"
)

func jwks(t *testing.T, keys map[string]*rsa.PrivateKey) []byte {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for id, key := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: &key.PublicKey, KeyID: id, Algorithm: "RS256", Use: "sig"})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// claims are a good token's, with changes; nil takes a claim out.
func claims(changes map[string]any) map[string]any {
	all := map[string]any{
		"iss": googleIssuer, "aud": audience, "email": account, "email_verified": true,
		"iat": snsNow.Add(-time.Minute).Unix(), "exp": snsNow.Add(time.Hour).Unix(),
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, value any) bool { return value == nil })
	return all
}

func token(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, content map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", id))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func tokenRequest(authorization string) *Request {
	header := http.Header{}
	if authorization != "" {
		header.Set("Authorization", authorization)
	}
	return &Request{Delivery: &run.Delivery{Method: http.MethodPost, Header: header, Received: snsNow}}
}

func TestOIDC(t *testing.T) {
	key, other := amazon().key, amazon().other
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, jwks(t, map[string]*rsa.PrivateKey{"a": key, "b": amazon().authority}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := newOIDC(&OIDC{Issuer: googleIssuer, Audience: audience, Email: account, KeysFile: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	bearer := func(changes map[string]any) string {
		return "Bearer " + token(t, jose.RS256, key, "a", claims(changes))
	}
	none := func(header string) string {
		encode := base64.RawURLEncoding.EncodeToString
		payload, _ := json.Marshal(claims(nil))
		return "Bearer " + encode([]byte(header)) + "." + encode(payload) + "."
	}
	public, _ := json.Marshal(&key.PublicKey)
	good := bearer(nil)
	head, rest, _ := strings.Cut(strings.TrimPrefix(good, "Bearer "), ".")
	payload, signature, _ := strings.Cut(rest, ".")
	changed, _ := json.Marshal(claims(map[string]any{"email": "else@example.com"}))
	for name, test := range map[string]struct {
		authorization string
		refused       string // "": it passes
	}{
		"good":                    {authorization: good},
		"an e-mail in capitals":   {authorization: bearer(map[string]any{"email": "else@example.com", "EMAIL": account}), refused: "in its case alone"},
		"an audience in capitals": {authorization: bearer(map[string]any{"AUD": audience}), refused: "in its case alone"},
		"scheme in small":         {authorization: strings.Replace(good, "Bearer", "bearer", 1)},
		"the second key":          {authorization: "Bearer " + token(t, jose.RS256, amazon().authority, "b", claims(nil))},
		"no key id":               {authorization: "Bearer " + token(t, jose.RS256, key, "", claims(nil))},
		"one audience of two":     {authorization: bearer(map[string]any{"aud": []string{"x", audience}})},
		"nothing":                 {refused: "no header Authorization"},
		"Basic":                   {authorization: "Basic Zm9vOmJhcg==", refused: "not of scheme Bearer"},
		"no JWT":                  {authorization: "Bearer x", refused: "malformed jwt"},
		"empty":                   {authorization: "Bearer ", refused: "malformed jwt"},
		"long":                    {authorization: "Bearer " + strings.Repeat("x", maxToken+1), refused: "too long"},
		"another key":             {authorization: "Bearer " + token(t, jose.RS256, other, "a", claims(nil)), refused: "not signed with a key of the issuer"},
		"an unknown key":          {authorization: "Bearer " + token(t, jose.RS256, other, "c", claims(nil)), refused: "not signed with a key of the issuer"},
		"a known key, other id":   {authorization: "Bearer " + token(t, jose.RS256, key, "b", claims(nil)), refused: "not signed with a key of the issuer"},
		"expired":                 {authorization: bearer(map[string]any{"exp": snsNow.Add(-time.Second).Unix()}), refused: "expired at 2026-06-11T09:29:59Z"},
		"never expires":           {authorization: bearer(map[string]any{"exp": nil}), refused: "expired"},
		"not yet":                 {authorization: bearer(map[string]any{"nbf": snsNow.Add(time.Hour).Unix()}), refused: "nbf"},
		"another issuer":          {authorization: bearer(map[string]any{"iss": "https://evil.example"}), refused: "another issuer"},
		"issuer without https":    {authorization: bearer(map[string]any{"iss": "accounts.google.com"}), refused: "another issuer"},
		"issuer with a slash":     {authorization: bearer(map[string]any{"iss": googleIssuer + "/"}), refused: "another issuer"},
		"no issuer":               {authorization: bearer(map[string]any{"iss": nil}), refused: "another issuer"},
		"another audience":        {authorization: bearer(map[string]any{"aud": audience + "/"}), refused: "audience"},
		"no audience":             {authorization: bearer(map[string]any{"aud": nil}), refused: "audience"},
		"another account":         {authorization: bearer(map[string]any{"email": "x" + account}), refused: "another account"},
		"no account":              {authorization: bearer(map[string]any{"email": nil}), refused: "another account"},
		"not verified":            {authorization: bearer(map[string]any{"email_verified": false}), refused: "not say that its e-mail address is verified"},
		"verified not said":       {authorization: bearer(map[string]any{"email_verified": nil}), refused: "not say that its e-mail address is verified"},
		"verified in words":       {authorization: bearer(map[string]any{"email_verified": "true"}), refused: "claims cannot be read"},
		"unsigned":                {authorization: none(`{"alg":"none"}`), refused: "malformed jwt"},
		"unsigned in capitals":    {authorization: none(`{"alg":"NONE"}`), refused: "malformed jwt"},
		"no algorithm":            {authorization: none(`{}`), refused: "malformed jwt"},
		"no signature":            {authorization: none(`{"alg":"RS256","kid":"a"}`), refused: "not signed with a key of the issuer"},
		"HMAC of the public key":  {authorization: "Bearer " + token(t, jose.HS256, public, "a", claims(nil)), refused: "malformed jwt"},
		"RS512":                   {authorization: "Bearer " + token(t, jose.RS512, key, "a", claims(nil)), refused: "malformed jwt"},
		"claims exchanged":        {authorization: "Bearer " + head + "." + base64.RawURLEncoding.EncodeToString(changed) + "." + signature, refused: "not signed with a key of the issuer"},
		"cut short":               {authorization: "Bearer " + head + "." + payload, refused: "malformed jwt"},
	} {
		t.Run(name, func(t *testing.T) {
			words, err := c.verify(t.Context(), tokenRequest(test.authorization))
			if !says(err, test.refused) || err == nil && words != "OpenID token of "+account {
				t.Errorf("%q, %v; want %q", words, err, test.refused)
			}
			if refusal := (*RefusedError)(nil); err != nil && !errors.As(err, &refusal) {
				t.Errorf("%v is no refusal", err)
			}
			if err != nil && strings.Contains(err.Error(), signature) {
				t.Errorf("the error holds the token's signature: %v", err)
			}
		})
	}
}

func TestOIDCConfiguration(t *testing.T) {
	for name, test := range map[string]struct {
		config OIDC
		key    string
	}{
		"no audience":     {OIDC{Email: account}, "auth.oidc.audience"},
		"no account":      {OIDC{Audience: audience}, "auth.oidc.email"},
		"no https":        {OIDC{Issuer: "http://accounts.google.com", Audience: audience, Email: account}, "auth.oidc.issuer"},
		"no URL":          {OIDC{Issuer: "accounts.google.com", Audience: audience, Email: account}, "auth.oidc.issuer"},
		"a user part":     {OIDC{Issuer: "https://a@b.example", Audience: audience, Email: account}, "auth.oidc.issuer"},
		"a query":         {OIDC{Issuer: "https://b.example?x", Audience: audience, Email: account}, "auth.oidc.issuer"},
		"no such file":    {OIDC{Audience: audience, Email: account, KeysFile: "/nowhere/jwks.json"}, "auth.oidc.keys.file"},
		"no keys in file": {OIDC{Audience: audience, Email: account, KeysFile: "oidc_test.go"}, "auth.oidc.keys.file"},
	} {
		_, err := newOIDC(&test.config, nil)
		if wrong := (*ConfigError)(nil); !errors.As(err, &wrong) || wrong.Key != test.key {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// issuer is a transport that answers for an issuer, and counts.
type issuer struct {
	answers map[string]string // by URL
	asked   atomic.Int32
}

func (i *issuer) RoundTrip(r *http.Request) (*http.Response, error) {
	i.asked.Add(1)
	answer, ok := i.answers[r.URL.String()]
	if !ok {
		return nil, fmt.Errorf("no route to %s", r.URL)
	}
	w := &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Header: http.Header{}, Request: r}
	if location, ok := strings.CutPrefix(answer, "redirect "); ok {
		w.StatusCode, w.Status = http.StatusFound, "302 Found"
		w.Header.Set("Location", location)
	}
	w.Body = readCloser{strings.NewReader(answer)}
	return w, nil
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// Keys come from the place that Google documents, or from the issuer's own host.
func TestOIDCFetchesKeys(t *testing.T) {
	keys := string(jwks(t, map[string]*rsa.PrivateKey{"a": amazon().key}))
	const other = "https://ci.example.com"
	discovery := func(issuer, place string) string {
		return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, place)
	}
	for name, test := range map[string]struct {
		issuer  string
		answers map[string]string
		failed  string // "": it passes
	}{
		"Google's":              {issuer: googleIssuer, answers: map[string]string{googleKeys: keys}},
		"Google's, redirected":  {issuer: googleIssuer, answers: map[string]string{googleKeys: "redirect https://evil.example/keys", "https://evil.example/keys": keys}, failed: "is not asked"},
		"unreachable":           {issuer: googleIssuer, failed: "no route"},
		"no keys":               {issuer: googleIssuer, answers: map[string]string{googleKeys: `{"keys":[]}`}, failed: "no RSA key"},
		"no JSON":               {issuer: googleIssuer, answers: map[string]string{googleKeys: `<html>`}, failed: "no JWKS"},
		"another's":             {issuer: other, answers: map[string]string{other + "/.well-known/openid-configuration": discovery(other, other+"/keys"), other + "/keys": keys}},
		"another's, elsewhere":  {issuer: other, answers: map[string]string{other + "/.well-known/openid-configuration": discovery(other, "https://evil.example/keys"), "https://evil.example/keys": keys}, failed: "is not asked"},
		"another's, plain":      {issuer: other, answers: map[string]string{other + "/.well-known/openid-configuration": discovery(other, "http://ci.example.com/keys"), "http://ci.example.com/keys": keys}, failed: "is not asked"},
		"another's, at a port":  {issuer: other, answers: map[string]string{other + "/.well-known/openid-configuration": discovery(other, other+":8443/keys"), other + ":8443/keys": keys}, failed: "is not asked"},
		"another's, of a third": {issuer: other, answers: map[string]string{other + "/.well-known/openid-configuration": discovery("https://evil.example", other+"/keys"), other + "/keys": keys}, failed: "of another issuer"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := newOIDC(&OIDC{Issuer: test.issuer, Audience: audience, Email: account}, &http.Client{Transport: &issuer{answers: test.answers}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.verify(t.Context(), tokenRequest("Bearer "+token(t, jose.RS256, amazon().key, "a", claims(map[string]any{"iss": test.issuer}))))
			refusal := (*RefusedError)(nil)
			if !says(err, test.failed) || errors.As(err, &refusal) {
				t.Errorf("%v; want %q", err, test.failed)
			}
		})
	}
}

// Tokens come from outside: made-up key ids do not make Pawl ask the issuer more
// than once a minute, and its absence does not matter while keys are kept.
func TestOIDCKeysAreKept(t *testing.T) {
	first := "Bearer " + token(t, jose.RS256, amazon().key, "a", claims(nil))
	second := "Bearer " + token(t, jose.RS256, amazon().other, "b", claims(nil))
	both := string(jwks(t, map[string]*rsa.PrivateKey{"a": amazon().key, "b": amazon().other}))
	synctest.Test(t, func(t *testing.T) {
		google := &issuer{}
		c, err := newOIDC(&OIDC{Audience: audience, Email: account}, &http.Client{Transport: google})
		if err != nil {
			t.Fatal(err)
		}
		want := func(step, authorization, text string, asked int32) {
			t.Helper()
			for range 3 {
				if _, err := c.verify(t.Context(), tokenRequest(authorization)); !says(err, text) {
					t.Errorf("%s: %v; want %q", step, err, text)
				}
			}
			if google.asked.Load() != asked {
				t.Errorf("%s: asked %d times, want %d", step, google.asked.Load(), asked)
			}
		}
		want("unreachable at first", first, "no route", 1)
		time.Sleep(failurePause)
		google.answers = map[string]string{googleKeys: string(jwks(t, map[string]*rsa.PrivateKey{"a": amazon().key}))}
		want("reachable", first, "", 2)
		want("an unknown key, at once", second, "not signed", 2)
		time.Sleep(unknownPause)
		want("an unknown key, later", second, "not signed", 3)
		google.answers = map[string]string{googleKeys: both}
		time.Sleep(unknownPause)
		want("the issuer has a new key", second, "", 4)
		google.answers = nil
		time.Sleep(keysLifetime)
		want("old keys while it is away", second, "", 5)
		time.Sleep(keysStale)
		want("too old", second, "no route", 6)
	})
}

func TestPubSubMessage(t *testing.T) {
	s := Named("gar")
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	for name, test := range map[string]struct{ data, event, inner string }{
		"push":         {encode(`{"action":"INSERT","tag":"x"}`), "INSERT", `{"action":"INSERT","tag":"x"}`},
		"no action":    {encode(`{"tag":"x"}`), "message", `{"tag":"x"}`},
		"action null":  {encode(`{"action":null}`), "message", `{"action":null}`},
		"text":         {encode("plain text"), "message", ""},
		"a number":     {encode("12"), "message", ""},
		"no base64":    {"***", "message", ""},
		"no data":      {"", "message", ""},
		"base64 twice": {encode(encode(`{"action":"INSERT"}`)), "message", ""},
	} {
		body := fmt.Sprintf(`{"message":{"data":%q,"messageId":"17"},"action":"DELETE"}`, test.data)
		record := &run.Delivery{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
		message, ok := s.Unwrap(record)
		d := delivery.New(record, delivery.Options{})
		if string(message.Body) != test.inner || ok != (test.inner != "") || s.Event(d) != test.event || s.ID(d) != "17" {
			t.Errorf("%s: message %q, event %q, id %q", name, message.Body, s.Event(d), s.ID(d))
		}
	}
}
