package sender

import (
	"time"

	"github.com/pawlhq/pawl/internal/delivery"
)

// slack is Slack: events, slash commands and interactions.
func slack() *Sender {
	return &Sender{
		Name: "slack", Title: "Slack",
		Repeats: true, SwitchesOff: true, IssuesSecret: true,
		Events:  []string{"app_mention", "message", "reaction_added", "block_actions", "view_submission", "shortcut", "url_verification"},
		Start:   Start{Field: "event.text"},
		anyBody: true,
		About: About{
			Auth: "Signs time and body: X-Slack-Signature is v0= and the HMAC-SHA256 of v0:time:body in hexadecimal, the time is X-Slack-Request-Timestamp.",
			Settings: []string{
				"At api.slack.com/apps choose the app; Basic Information shows its Signing Secret: make it the hook's secret. Slack chooses it.",
				"Event Subscriptions, Request URL: {url}",
				"For slash commands and interactions enter the same URL there. Slack asks for a challenge at once, which is answered and runs nothing.",
			},
			Timeout: "3 s",
			Failure: "Anything but a 2xx: three more tries, with X-Slack-Retry-Num.",
			Tries:   "three more",
			GivesUp: "After the third. When more than 95 % of an app's events fail within an hour, Slack may switch its events off until a person switches them on.",
			Remarks: []string{
				"A slash command has its name (/deploy) as event type and its trigger_id as id.",
				"Do not compare the token in the body: Slack has deprecated it.",
			},
			Sources: []string{
				"https://docs.slack.dev/authentication/verifying-requests-from-slack",
				"https://docs.slack.dev/apis/events-api/",
			},
			Uncertain: []string{
				"the pauses between the tries (said to be none, 1 minute, 5 minutes)",
				"from when on Slack switches events off",
			},
		},
		own: func(o own) (check, error) {
			c := &hmacCheck{
				secret:   o.secret,
				lines:    []line{{"X-Slack-Signature", "sha256", "hex", "v0="}},
				template: []piece{{literal: "v0:"}, {kind: signedTime}, {literal: ":"}, {kind: signedBody}},
				clock:    clock{header: "X-Slack-Request-Timestamp", unit: time.Second, tolerance: defaultTolerance},
			}
			return c.configured(o, "Slack")
		},
		signs:     true,
		event:     slackEvent,
		id:        slackID,
		unwrap:    unwrapForm,
		handshake: slackChallenge,
	}
}

// slackEvent is the inner type of an event, the type of an interaction, or the
// name of a slash command.
func slackEvent(d *delivery.Delivery) string {
	kind := payloadText(d, "type")
	if kind == "event_callback" {
		if inner := payloadText(d, "event.type"); inner != "" {
			return inner
		}
	}
	if kind == "" {
		return payloadText(d, "command")
	}
	return kind
}

// slackID is the id of an event; a form has the one that a dialogue is opened
// with, which is unique too.
func slackID(d *delivery.Delivery) string {
	if id := payloadText(d, "event_id"); id != "" {
		return id
	}
	return payloadText(d, "trigger_id")
}

// slackChallenge answers the request by which Slack tries a URL.
func slackChallenge(d *delivery.Delivery) *Handshake {
	if payloadText(d, "type") != "url_verification" {
		return nil
	}
	return &Handshake{Status: 200, Body: payloadText(d, "challenge")}
}
