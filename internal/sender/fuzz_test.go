package sender_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/sender/sendertest"
)

// FuzzVerify puts whatever comes before every sender: nothing panics, nothing
// passes that was not made with the secret, and what is read of it (event, id,
// message, handshake, hints) does not fail.
func FuzzVerify(f *testing.F) {
	for _, s := range sendertest.Read(f, "testdata/samples") {
		r := s.Request(f)
		f.Add(lines(r.Header), r.RawQuery, r.Rest, r.Body)
	}
	f.Add("Webhook-Signature: v1a, v1,\nWebhook-Id: \nWebhook-Timestamp: 9", "token", "", []byte("payload=%"))
	f.Add("Stripe-Signature: t=,v1=,=,t=1", "token=%zz;", "//", []byte(`{"type":{"type":[]}}`))
	f.Add("Authorization: Basic ", "", "", []byte(nil))
	gates := fuzzGates(f)
	f.Fuzz(func(t *testing.T, header, query, rest string, body []byte) {
		h := http.Header{}
		for line := range strings.SplitSeq(header, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			h.Add(name, value)
		}
		d := &run.Delivery{
			Method: "POST", Header: h, RawQuery: query, Body: body, RemoteAddr: "192.0.2.1:1",
			Received: time.Date(2024, 6, 11, 9, 30, 0, 0, time.UTC),
		}
		for name, g := range gates {
			r := &sender.Request{Delivery: d, Rest: rest}
			words, err := g.Verify(context.Background(), r)
			if err == nil {
				t.Fatalf("%s: it passes: %s", name, words)
			}
			if early := g.Early(r); early != nil && !strings.Contains(err.Error(), early.Error()) {
				t.Fatalf("%s: refused early for %v, then for %v", name, early, err)
			}
			var refused *sender.RefusedError
			if !errors.As(err, &refused) {
				t.Fatalf("%s: no refusal: %v", name, err)
			}
			if told := strings.Join(append(g.Hints(r), err.Error()), " "); strings.Contains(told, fuzzSecret) {
				t.Fatalf("%s: it tells the secret: %s", name, told)
			}
		}
		for _, s := range sender.All() {
			read := delivery.New(d, delivery.Options{Sender: sendertest.Identity{Sender: s}})
			s.Event(read)
			s.ID(read)
			s.Handshake(read)
			s.Unwrap(d)
		}
	})
}

// fuzzSecret is none that the fuzzer could find out.
const fuzzSecret = "whsec_hB0Lr1V0vR4uZ3dYk2m8sQ5tW7xA9cEf"

func lines(h http.Header) string {
	var all []string
	for name, values := range h {
		for _, value := range values {
			all = append(all, name+": "+value)
		}
	}
	return strings.Join(all, "\n")
}

// fuzzGates makes a Gate of each sender and of each key of auth that authenticates.
func fuzzGates(f *testing.F) map[string]*sender.Gate {
	f.Helper()
	set := secret.NewSet([]secret.Source{{Text: secret.New(fuzzSecret)}}, nil)
	gates := map[string]*sender.Gate{}
	add := func(name string, c sender.Config) {
		g, errs := sender.NewGate(c)
		if errs != nil {
			f.Fatal(name, errors.Join(errs...))
		}
		gates[name] = g
	}
	for _, s := range sender.All() {
		if s.TakesSecret() {
			add(s.Name, sender.Config{Sender: s, Secret: set})
		}
	}
	generic := sender.Named("generic")
	for name, auth := range map[string]*sender.Auth{
		"path": {Path: true}, "header": {Header: &sender.Parameter{Name: "X-Token"}}, "query": {Query: &sender.Parameter{Name: "token"}},
		"basic": {Basic: &sender.Basic{User: "quay"}}, "bearer": {Bearer: true},
		"hmac": {HMAC: &sender.HMAC{Header: "X-Signature", Signed: "{id}.{timestamp}.{body}", TimestampHeader: "X-Timestamp", Encoding: "base64"}},
	} {
		add("auth: "+name, sender.Config{Sender: generic, Auth: auth, Secret: set, DeliveryID: &delivery.Ref{Source: delivery.Payload, Name: "id"}})
	}
	add("ecr", sender.Config{Sender: sender.Named("ecr"), Auth: &sender.Auth{SNS: &sender.SNS{
		Topics: []string{"arn:aws:sns:eu-central-1:123456789012:images"}, CertificatesFile: fuzzCertificate(f),
	}}})
	add("gar", sender.Config{Sender: sender.Named("gar"), Auth: &sender.Auth{OIDC: &sender.OIDC{
		Audience: "https://hooks.example.com/hooks/gar", Email: "push@acme.example", KeysFile: fuzzKeys(f),
	}}})
	add("auth: client-certificate", sender.Config{Sender: generic, Auth: &sender.Auth{Certificate: &sender.ClientCertificate{CAFile: fuzzCertificate(f)}}})
	key := &sender.Ed25519{PublicKeys: []string{"whpk_fNMIemF0PvcxgJjGpBnYMFgky8hKWh6Gxzg695AZG3o="}}
	add("auth: ed25519", sender.Config{Sender: sender.Named("slack"), Auth: &sender.Auth{Ed25519: key, Bearer: true}, Secret: set})
	return gates
}

// fuzzCertificate is a file with a certificate whose key nobody has any more.
func fuzzCertificate(f *testing.F) string {
	f.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, DNSNames: []string{"sns.amazonaws.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		f.Fatal(err)
	}
	return fuzzFile(f, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// fuzzKeys is a file with a JWKS whose key nobody has any more; k is its id.
func fuzzKeys(f *testing.F) string {
	f.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		f.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	return fuzzFile(f, []byte(`{"keys":[{"kty":"RSA","alg":"RS256","use":"sig","kid":"k","e":"AQAB","n":"`+text(key.N.Bytes())+`"}]}`))
}

func fuzzFile(f *testing.F, content []byte) string {
	f.Helper()
	path := filepath.Join(f.TempDir(), "file")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		f.Fatal(err)
	}
	return path
}

// FuzzOIDC puts whatever comes before the check of tokens, which takes only what the
// issuer signed.
func FuzzOIDC(f *testing.F) {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims := part(`{"iss":"https://accounts.google.com","aud":"https://hooks.example.com/hooks/gar","email":"push@acme.example","email_verified":true,"exp":4102444800}`)
	for _, head := range []string{`{"alg":"RS256","kid":"k"}`, `{"alg":"none"}`, `{"alg":"HS256","kid":"k"}`, `{"alg":"RS256","jwk":{}}`, `{"alg":"RS256","kid":"other"}`} {
		f.Add(part(head) + "." + claims + "." + part("signature"))
	}
	f.Add(`{"payload":"` + claims + `","signatures":[]}`)
	f.Add("..")
	g, errs := sender.NewGate(sender.Config{Sender: sender.Named("gar"), Auth: &sender.Auth{OIDC: &sender.OIDC{
		Audience: "https://hooks.example.com/hooks/gar", Email: "push@acme.example", KeysFile: fuzzKeys(f),
	}}})
	if errs != nil {
		f.Fatal(errors.Join(errs...))
	}
	f.Fuzz(func(t *testing.T, token string) {
		r := &sender.Request{Delivery: &run.Delivery{
			Header: http.Header{"Authorization": {"Bearer " + token}}, Received: time.Date(2026, 6, 11, 9, 30, 0, 0, time.UTC),
		}}
		words, err := g.Verify(context.Background(), r)
		var refused *sender.RefusedError
		if err == nil || !errors.As(err, &refused) {
			t.Fatalf("%q, %v", words, err)
		}
		g.Hints(r)
	})
}
