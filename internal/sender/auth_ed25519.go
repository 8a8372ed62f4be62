package sender

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
)

// ed25519Check wants a v1a signature of Standard Webhooks: Ed25519 (RFC 8032)
// over "id.timestamp.body", by one of the keys (standard-webhooks.md, "Signature
// scheme").
type ed25519Check struct {
	keys  []ed25519.PublicKey
	clock clock
}

// The headers of Standard Webhooks, as net/http spells them.
const (
	webhookID        = "Webhook-Id"
	webhookTimestamp = "Webhook-Timestamp"
	webhookSignature = "Webhook-Signature"
)

func newEd25519(e *Ed25519) (check, error) {
	if len(e.PublicKeys) == 0 {
		return nil, errors.New("name the sender's keys, as in [whpk_…]")
	}
	c := ed25519Check{clock: clock{header: webhookTimestamp, unit: time.Second, tolerance: defaultTolerance}}
	for _, text := range e.PublicKeys {
		encoded, _ := strings.CutPrefix(text, "whpk_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("%s is not a key: whpk_ and 32 bytes in base64", text)
		}
		c.keys = append(c.keys, key)
	}
	return c, nil
}

func (ed25519Check) early() bool { return false }

func (c ed25519Check) verify(_ context.Context, r *Request) (string, error) {
	given, ok := first(r.Header, webhookSignature)
	if !ok {
		return "", refused("ed25519", "there is no header webhook-signature")
	}
	id, _ := first(r.Header, webhookID)
	if id == "" {
		return "", refused("ed25519", "there is no header webhook-id")
	}
	stamp, err := c.clock.check(r, given)
	if err != nil {
		return "", err
	}
	signed := make([]byte, 0, len(id)+len(stamp)+len(r.Body)+2)
	signed = append(append(append(append(signed, id...), '.'), stamp...), '.')
	signed = append(signed, r.Body...)
	seen := 0
	for item := range strings.SplitSeq(given, " ") {
		encoded, ok := strings.CutPrefix(item, "v1a,")
		if !ok {
			continue
		}
		// A signature takes some 50 µs; the libraries send two while keys change.
		if seen++; seen > maxSignatures {
			break
		}
		signature, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(signature) != ed25519.SignatureSize {
			continue
		}
		for i, key := range c.keys {
			if ed25519.Verify(key, signed, signature) {
				return strings.Replace(passed("ed25519 signature", i+1, len(c.keys)), "secret", "key", 1), nil
			}
		}
	}
	if seen == 0 {
		return "", refused("ed25519", "there is no signature of version v1a in header webhook-signature")
	}
	return "", refused("ed25519", "the signature in header webhook-signature is wrong: of another key, or the body is not as it was sent")
}

// maxSignatures bounds how many signatures of one request are looked at.
const maxSignatures = 16

func (ed25519Check) credential(delivery.Source, string) bool { return false }

func (ed25519Check) sign(*Outgoing) error {
	return errors.New("the hook has the public key alone, and only the sender can sign")
}

func (c ed25519Check) hints(r *Request) []string {
	if _, err := c.verify(context.Background(), r); err == nil {
		return nil
	}
	given, _ := first(r.Header, webhookSignature)
	hints := timeHints(&c.clock, r, given)
	if strings.Contains(given, "v1,") {
		hints = append(hints, "there is a signature of version v1, which is made with a secret (whsec_…): set secret in place of auth.ed25519")
	}
	return hints
}

func (ed25519Check) String() string {
	return "an Ed25519 signature in header webhook-signature, not older than " + defaultTolerance.String()
}
