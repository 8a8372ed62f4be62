//go:build e2e

package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// amazon signs messages of SNS with a key of the test's own.
type amazon struct {
	key         *rsa.PrivateKey
	certificate string // file
}

func newAmazon(t *testing.T) *amazon {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"}, DNSNames: []string{"sns.amazonaws.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(t, err)
	file := filepath.Join(t.TempDir(), "sns.pem")
	check(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return &amazon{key: key, certificate: file}
}

// hookFile is the example's, with the test's certificate.
func (a *amazon) hookFile(t *testing.T) string {
	topics := "topics: ['arn:aws:sns:eu-central-1:123456789012:ecr-images']\n"
	return exampleWith(t, "ecr", topics, topics+"      certificates: { file: "+a.certificate+" }\n")
}

// sign signs a notification as
// docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html says.
func (a *amazon) sign(t *testing.T, s *sample, digest string) {
	t.Helper()
	s.envelope(t, func(m map[string]any) {
		m["Message"] = anyDigest.ReplaceAllString(m["Message"].(string), digest)
		text := ""
		for _, field := range []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"} {
			if value, ok := m[field].(string); ok {
				text += field + "\n" + value + "\n"
			}
		}
		sum, hash := []byte(nil), crypto.SHA1
		if m["SignatureVersion"] == "2" {
			of := sha256.Sum256([]byte(text))
			sum, hash = of[:], crypto.SHA256
		} else {
			of := sha1.Sum([]byte(text))
			sum = of[:]
		}
		signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, hash, sum)
		check(t, err)
		m["Signature"] = base64.StdEncoding.EncodeToString(signature)
	})
}

// spoil leaves a message that was changed after it was signed.
func (a *amazon) spoil(t *testing.T, s *sample) {
	s.envelope(t, func(m map[string]any) { m["Message"] = m["Message"].(string) + " " })
}

// google signs tokens with a key of the test's own.
type google struct {
	key  *rsa.PrivateKey
	keys string // file
}

func newGoogle(t *testing.T) *google {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	encode := base64.RawURLEncoding.EncodeToString
	file := filepath.Join(t.TempDir(), "keys.json")
	check(t, os.WriteFile(file, mustJSON(t, map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "of-the-test",
		"n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes()),
	}}}), 0o600))
	return &google{key: key, keys: file}
}

// hookFile is the example's, with the test's keys.
func (g *google) hookFile(t *testing.T) string {
	email := "email: pubsub-push@acme-prod.iam.gserviceaccount.com\n"
	return exampleWith(t, "gar", email, email+"      keys: { file: "+g.keys+" }\n")
}

// sign makes a token as Pub/Sub does, for a message about the image.
func (g *google) sign(t *testing.T, s *sample, digest string) {
	t.Helper()
	s.message(t, digest)
	part := func(v any) string { return base64.RawURLEncoding.EncodeToString(mustJSON(t, v)) }
	now := time.Now().Unix()
	text := part(map[string]any{"alg": "RS256", "kid": "of-the-test", "typ": "JWT"}) + "." + part(map[string]any{
		"iss": "https://accounts.google.com", "aud": "https://hooks.example.com/hooks/gar", "azp": "113774264463038321964",
		"sub": "113774264463038321964", "email": "pubsub-push@acme-prod.iam.gserviceaccount.com", "email_verified": true,
		"iat": json.Number(big.NewInt(now).String()), "exp": now + 3600,
	})
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, g.key, crypto.SHA256, sum[:])
	check(t, err)
	s.header.Set("Authorization", "Bearer "+text+"."+base64.RawURLEncoding.EncodeToString(signature))
}
