package sender

import "github.com/pawlhq/pawl/internal/delivery"

// dockerhub is Docker Hub, which signs nothing.
func dockerhub() *Sender {
	return &Sender{
		Name: "dockerhub", Title: "Docker Hub",
		Events: []string{"push", unknown},
		why:    "Docker Hub signs nothing: say where the secret is, as in auth: {path: {}} and secret: {file: /run/secrets/dockerhub}; the URL that Docker Hub is given then ends in the secret",
		event: func(d *delivery.Delivery) string {
			if hasAll(d, "push_data.tag", "repository.repo_name") {
				return "push"
			}
			return unknown
		},
		Start: Start{Auth: inPath, Field: "repository.repo_name"},
		About: About{
			Brief: "none: a secret in the URL (auth: path)",
			Auth:  "Docker Hub signs nothing and keeps nothing but a URL. Put a secret into the URL: behind the hook's path (auth: {path: {}}), as a parameter (query) or as its user part (basic).",
			Settings: []string{
				"On hub.docker.com open the repository, Webhooks.",
				"Webhook name: any. Webhook URL: {url}",
			},
			Timeout: "not documented",
			Failure: "not documented",
			Tries:   "not documented",
			Remarks: []string{
				"It calls for pushes alone, and sends no id. The event unknown is a body that looks like no push.",
				"callback_url in the body is for the sender's page of results. Pawl fetches nothing that a body names; if a script posts to it, it should check that the host is registry.hub.docker.com.",
			},
			Sources:   []string{"https://docs.docker.com/docker-hub/webhooks"},
			Uncertain: []string{"how long it waits and whether it tries again"},
		},
	}
}
