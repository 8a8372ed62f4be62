package sender

import (
	"github.com/pawlhq/pawl/internal/delivery"
)

// ecr is Amazon's Elastic Container Registry: EventBridge hands its events to
// SNS, which calls.
func ecr() *Sender {
	return &Sender{
		Name: "ecr", Title: "Amazon ECR (EventBridge, SNS)", Repeats: true,
		Events:    []string{"ECR Image Action", "ECR Image Scan", "ECR Pull Through Cache Action", snsNotification, snsSubscribe, snsUnsubscribe},
		why:       "Amazon SNS signs its messages: name the topics that may call, as in auth: {sns: {topics: [arn:aws:sns:eu-central-1:123456789012:images]}}",
		event:     snsEvent,
		id:        func(d *delivery.Delivery) string { return payloadText(d.Envelope(), "MessageId") },
		unwrap:    unwrapSNS,
		handshake: snsHandshake,
		Start: Start{
			Auth: "{ sns: { topics: {topics} } }", Keyless: true, Field: "detail.repository-name",
			Example: Operator{Topics: []string{"arn:aws:sns:eu-central-1:123456789012:images"}},
		},
		free: []string{"detail"},
		About: About{
			Brief: "signature of Amazon SNS (auth: sns)",
			Auth:  "SNS signs each message with RSA; Pawl checks the signature (versions 1 and 2), that the certificate is Amazon's, and that the topic is one of the hook's. There is no secret.",
			Settings: []string{
				"Make a topic, if there is none yet: aws sns create-topic --name NAME; its ARN is {topic} here.",
				"aws sns set-topic-attributes --topic-arn {topic} --attribute-name SignatureVersion --attribute-value 2",
				`aws events put-rule --name ecr-push --event-pattern '{"source":["aws.ecr"],"detail-type":["ECR Image Action"],"detail":{"action-type":["PUSH"],"result":["SUCCESS"]}}'`,
				"aws events put-targets --rule ecr-push --targets Id=1,Arn={topic} (the topic's policy must let events.amazonaws.com publish)",
				"Start Pawl with the topic's ARN in the hook, then subscribe: aws sns subscribe --topic-arn {topic} --protocol https --notification-endpoint {url}",
				"Pawl confirms the subscription by itself, of the hook's topics alone. Leave raw message delivery off: it has no signature.",
			},
			Timeout: "15 s",
			Failure: "5xx, 429 or no answer: three more tries, 20 s apart, unless the topic's delivery policy says otherwise (an hour at most). 4xx except 429 is final.",
			Tries:   "three more, 20 s apart",
			GivesUp: "After the last try the message is lost, unless the subscription has a dead-letter queue.",
			Remarks: []string{
				"payload is the event of EventBridge, which SNS wraps; raw-request-body is what came. The event type is its detail-type.",
				"Messages have no limit of age, because SNS may send one late; that one comes twice is told by its MessageId (dedupe is on).",
				"Without auth: sns nothing vouches for the URL by which a subscription is confirmed, and Pawl does not fetch it.",
				"Fetched are certificates and confirmations, from sns.REGION.amazonaws.com alone; with auth.sns.certificates: {file} the confirmation alone.",
			},
			Sources: []string{
				"https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
				"https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html",
				"https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html",
			},
			Uncertain: []string{"the time-out of 15 s", "that 4xx except 429 is final", "whether the Token of an UnsubscribeConfirmation is signed: either is taken"},
		},
	}
}

// snsEvent is the detail-type of EventBridge's event, else the type of SNS's
// message. With raw message delivery (which another way must authenticate) the
// body is the event itself.
func snsEvent(d *delivery.Delivery) string {
	if message, ok := unwrapSNS(d.Delivery); ok {
		inner := *d.Delivery
		inner.Body = message.Body
		if event := payloadText(delivery.New(&inner, delivery.Options{ContentType: message.ContentType}), "detail-type"); event != "" {
			return event
		}
	}
	envelope := d.Envelope()
	if event := payloadText(envelope, "detail-type"); event != "" && payloadText(envelope, "Type") == "" {
		return event
	}
	return payloadText(envelope, "Type")
}
