package sender

import "time"

// stripe is Stripe.
func stripe() *Sender {
	return &Sender{
		Name: "stripe", Title: "Stripe",
		Repeats: true, IssuesSecret: true,
		Events: []string{
			"invoice.paid", "invoice.payment_failed", "checkout.session.completed", "customer.created",
			"customer.subscription.updated", "payment_intent.succeeded", "charge.refunded",
		},
		Start: Start{Field: "id"},
		free:  []string{"object", "data", "previous_attributes", "metadata"},
		About: About{
			Auth: "Signs time and body: Stripe-Signature holds t= and one or more v1=, HMAC-SHA256 in hexadecimal. The key is the whole text whsec_…; v0 is ignored.",
			Settings: []string{
				"In the dashboard: Developers, Webhooks, Add endpoint (in newer ones: Workbench, Webhooks, Add destination).",
				"Endpoint URL: {url}",
				"Choose the events, then Add endpoint.",
				"Reveal the endpoint's signing secret (whsec_…) and make it the hook's secret, whole: Stripe chooses it.",
			},
			Timeout: "30 s",
			Failure: "Anything but a 2xx is tried again, with growing pauses, for up to three days (in test mode a few hours).",
			Tries:   "again for three days",
			GivesUp: "After three days the delivery is lost. Stripe writes to the account's owner about an endpoint that keeps failing, and may disable it.",
			Remarks: []string{
				"Events may come twice and out of order. Each try is signed anew with its own time.",
				"A time of more than 5 minutes ago is refused; hmac's tolerance sets another.",
			},
			Sources:   []string{"https://docs.stripe.com/webhooks", "https://docs.stripe.com/webhooks/signature"},
			Uncertain: []string{"the time-out", "when Stripe disables an endpoint"},
		},
		own: func(o own) (check, error) {
			c := &hmacCheck{
				secret:    o.secret,
				lines:     []line{{"Stripe-Signature", "sha256", "hex", "v1="}},
				separator: ',',
				template:  []piece{{kind: signedTime}, {literal: "."}, {kind: signedBody}},
				// Stripe's libraries compare the age alone.
				clock: clock{item: "t=", separator: ',', unit: time.Second, tolerance: defaultTolerance, future: true},
			}
			return c.configured(o, "Stripe")
		},
		signs:  true,
		event:  fromPayload("type"),
		unwrap: unwrapJSON,
		id:     fromPayload("id"),
	}
}
