package sender

import (
	"encoding/json"
	"strconv"

	"github.com/pawlhq/pawl/internal/delivery"
)

// distribution is the CNCF Distribution registry (registry:2 and registry:3).
func distribution() *Sender {
	return &Sender{
		Name: "distribution", Title: "CNCF Distribution registry", Repeats: true,
		Events: []string{"push", "pull", "mount", "delete", "mixed"},
		own:    func(o own) (check, error) { return newBearer(o.secret) },
		event:  distributionEvent,
		id:     func(d *delivery.Delivery) string { return payloadText(d, "events.0.id") },
		Start:  Start{Field: "events.0.target.repository"},
		About: About{
			Auth: "The registry sends the headers that its configuration lists; Pawl takes Authorization: Bearer and the secret. Any other header, or Basic, by auth.",
			Settings: []string{
				"In the registry's config.yml, below notifications: endpoints:, add - {name: pawl, url: {url}, headers: {Authorization: [Bearer {secret}]}, timeout: 5s, threshold: 10, backoff: 10s, ignore: {actions: [pull]}}",
				"Restart the registry.",
			},
			Timeout: "1 s, unless timeout says otherwise",
			Failure: "4xx, 5xx or no answer: it tries again without end, and pauses for backoff (1 s) after threshold (10) failures. 3xx is success.",
			Tries:   "again without end",
			Remarks: []string{
				"What it could not deliver is kept in its memory alone: a restart of the registry loses it.",
				"The format allows many events in one request; the event is mixed unless all have one action. The id is that of the first.",
				"A pull of an image is an event too, so a hook that pulls may call itself: ignore pull at the registry, or name events: [push].",
			},
			Sources: []string{"https://distribution.github.io/distribution/about/notifications"},
		},
	}
}

// distributionEvent is the action of all events, "mixed" where they differ.
func distributionEvent(d *delivery.Delivery) string {
	var actions []string
	if json.Unmarshal([]byte(payloadText(d, "events.#.action")), &actions) != nil || len(actions) == 0 {
		return ""
	}
	// A path leaves out events without an action.
	if payloadText(d, "events.#") != strconv.Itoa(len(actions)) {
		return "mixed"
	}
	for _, action := range actions {
		if action != actions[0] {
			return "mixed"
		}
	}
	return actions[0]
}
