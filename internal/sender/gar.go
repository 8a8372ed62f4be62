package sender

import (
	"encoding/base64"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// gar is Google's Artifact Registry, whose topic gcr Pub/Sub pushes.
func gar() *Sender {
	return &Sender{
		Name: "gar", Title: "Google Artifact Registry (Pub/Sub)", Repeats: true,
		Events: []string{"INSERT", "DELETE", "message"},
		why:    "Pub/Sub calls with an OpenID token: say for whom it is made and who calls, as in auth: {oidc: {issuer: https://accounts.google.com, audience: https://hooks.example.com/hooks/gar, email: pubsub-push@PROJECT.iam.gserviceaccount.com}}",
		event: func(d *delivery.Delivery) string {
			if message, ok := unwrapPubSub(d.Delivery); ok {
				inner := *d.Delivery
				inner.Body = message.Body
				if action := payloadText(delivery.New(&inner, delivery.Options{ContentType: message.ContentType}), "action"); action != "" {
					return action
				}
			}
			return "message"
		},
		id:     func(d *delivery.Delivery) string { return payloadText(d.Envelope(), "message.messageId") },
		unwrap: unwrapPubSub,
		Start: Start{
			Auth: "{ oidc: { issuer: " + googleIssuer + ", audience: {audience}, email: {email} } }", Keyless: true, Field: "tag",
			Example: Operator{Email: "pubsub-push@PROJECT.iam.gserviceaccount.com"},
		},
		free: []string{"attributes"},
		About: About{
			Brief: "OpenID token of Google (auth: oidc)",
			Auth:  "Pub/Sub sends an OpenID token that Google signs. Pawl checks signature (RS256), issuer, audience, expiry, and that it is your service account's. The token does not cover the body: only TLS does.",
			Settings: []string{
				"gcloud pubsub topics create gcr (Artifact Registry publishes to the topic of this name)",
				"gcloud iam service-accounts create pubsub-push, if there is no account for it yet; its address is {email} here.",
				"gcloud pubsub subscriptions create pawl --topic gcr --push-endpoint {url} --push-auth-service-account {email} --push-auth-token-audience {audience}",
				"In the hook: audience is {audience}, email is {email}.",
			},
			Timeout: "the subscription's acknowledgement deadline: 10 s, at most 600 s",
			Failure: "Anything but success is delivered again, with growing pauses. 102, 200, 201, 202 and 204 are success.",
			Tries:   "again for 7 days",
			GivesUp: "When the message is older than the subscription's retention (7 days), or goes to its dead-letter topic.",
			Remarks: []string{
				"payload is the message's data, which is base64 in the envelope; raw-request-body is what came.",
				"The id is messageId, which stays the same when a message is delivered again.",
				"Fetched are Google's keys, from www.googleapis.com alone; keys: {file} makes it unnecessary.",
			},
			Sources: []string{
				"https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions",
				"https://cloud.google.com/pubsub/docs/push",
				"https://cloud.google.com/artifact-registry/docs/configure-notifications",
			},
			Uncertain: []string{"which status codes are success"},
		},
	}
}

// unwrapPubSub gives the data of a Pub/Sub push where it is JSON.
func unwrapPubSub(d *run.Delivery) (Message, bool) {
	envelope := delivery.New(d, delivery.Options{ContentType: "application/json"})
	data := payloadText(envelope, "message.data")
	if data == "" {
		return Message{}, false
	}
	decoded, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return Message{}, false
	}
	return jsonMessage(decoded)
}
