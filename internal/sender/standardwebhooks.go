package sender

import (
	"encoding/base64"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/secret"
)

// standardWebhooks is any sender that keeps to standardwebhooks.com, those that
// use Svix included.
func standardWebhooks() *Sender {
	return &Sender{
		Name: "standard-webhooks", Title: "Standard Webhooks",
		Repeats: true, IssuesSecret: true,
		Start:   Start{Field: "data.id"},
		anyBody: true,
		About: About{
			Auth: "Signs id, time and body: webhook-signature holds one or more v1, and the HMAC-SHA256 in base64, the key being the base64 text after whsec_. " +
				"With auth: {ed25519: {public-keys: [whpk_…]}} the signatures of version v1a count in their place.",
			Settings: []string{
				"Endpoint URL: {url}",
				"Make the secret that the sender shows (whsec_…) the hook's secret.",
			},
			Timeout: "15 to 30 s, as the specification advises",
			Failure: "Anything but a 2xx is tried again, with growing pauses, for days, as the specification advises.",
			Tries:   "again for days",
			GivesUp: "At a 410, and after days of failures, where the sender does as the specification advises.",
			Remarks: []string{
				"The time may be 5 minutes off; hmac's tolerance sets another.",
				"Svix's own headers (svix-id, svix-signature) do not count; Svix sends webhook-… too if it is set up so.",
			},
			Sources: []string{"https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"},
		},
		own: func(o own) (check, error) {
			return newStandard(o, "Standard Webhooks", standardKey)
		},
		signs:  true,
		event:  fromPayload("type"),
		unwrap: unwrapJSON,
		id:     fromHeader(webhookID),
	}
}

// newStandard makes the check of a v1 signature of Standard Webhooks; key makes
// the key of a secret.
func newStandard(o own, title string, key func(string) (string, bool)) (check, error) {
	c := standardSignature(o.secret, key)
	for _, s := range o.secret.Values() {
		if _, ok := key(s.Reveal()); !ok {
			return nil, &ConfigError{"secret", "a signing secret of " + title + " is whsec_ and base64; one that is set is not"}
		}
	}
	return c.configured(o, title)
}

func standardSignature(s *secret.Set, key func(string) (string, bool)) *hmacCheck {
	return &hmacCheck{
		secret:    s,
		lines:     []line{{webhookSignature, "sha256", "base64", "v1,"}},
		separator: ' ',
		template:  []piece{{kind: signedID}, {literal: "."}, {kind: signedTime}, {literal: "."}, {kind: signedBody}},
		clock:     clock{header: webhookTimestamp, unit: time.Second, tolerance: defaultTolerance},
		idHeader:  webhookID,
		key:       key,
	}
}

// standardKey makes the key of a secret: what its base64 text means, with whsec_
// before it or without, padded or not.
func standardKey(text string) (string, bool) {
	encoded, _ := strings.CutPrefix(text, "whsec_")
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	return string(key), err == nil && len(key) > 0
}
