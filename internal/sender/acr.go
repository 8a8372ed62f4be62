package sender

import (
	"github.com/pawlhq/pawl/internal/delivery"
)

// acr is Azure Container Registry.
func acr() *Sender {
	return &Sender{
		Name: "acr", Title: "Azure Container Registry",
		Events:    []string{"push", "delete", "quarantine", "chart_push", "chart_delete", "ping"},
		own:       func(o own) (check, error) { return newBearer(o.secret) },
		event:     func(d *delivery.Delivery) string { return payloadText(d, "action") },
		id:        func(d *delivery.Delivery) string { return payloadText(d, "id") },
		handshake: ping(fromPayload("action"), "ping"),
		Start:     Start{Field: "target.repository"},
		About: About{
			Auth: "Azure signs nothing; it sends custom headers. Pawl takes Authorization: Bearer and the secret; another header, or Basic, by auth.",
			Settings: []string{
				"az acr webhook create --registry REGISTRY --name pawl --actions push --uri {url} --headers 'Authorization=Bearer {secret}'",
				"Or in the portal: the registry, Webhooks, Add; Service URI {url}; Custom headers: Authorization: Bearer {secret}",
				"Try it with az acr webhook ping --registry REGISTRY --name pawl",
			},
			Timeout: "not documented",
			Failure: "not documented",
			Tries:   "not documented",
			Remarks: []string{
				"A ping is answered with 200 and runs nothing.",
				"az acr webhook list-events shows what was sent and answered.",
			},
			Sources:   []string{"https://learn.microsoft.com/azure/container-registry/container-registry-webhook-reference"},
			Uncertain: []string{"how long it waits and whether it tries again", "the shape of a ping's body"},
		},
	}
}
