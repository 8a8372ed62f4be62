package lint

import (
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

// senderOf guesses a hook's sender by what its rules and its command look at: the
// name of a preset, "" where nothing tells.
func (e *entry) senderOf() string {
	found, hub := "", false
	for _, value := range e.refs() {
		ref := value.ref()
		known := ""
		switch source, _ := delivery.ParseSource(string(ref.Source)); source {
		case delivery.Header:
			known = headerOf(strings.ToLower(ref.Name))
			hub = hub || strings.EqualFold(ref.Name, "X-Hub-Signature")
		case delivery.Payload:
			known = payloadOf(ref.Name)
		}
		if found == "" {
			found = known
		}
	}
	if found == "" && hub {
		return "github" // Bitbucket's has that name too, and X-Event-Key beside it
	}
	return found
}

// headerOf gives the sender that alone sends a header.
func headerOf(name string) string {
	for _, h := range signatureHeaders() {
		if strings.EqualFold(h.name, name) && !strings.EqualFold(name, "X-Hub-Signature") {
			return h.preset
		}
	}
	for _, one := range [][2]string{
		{"x-github-", "github"}, {"x-gitlab-", "gitlab"}, {"x-gitea-", "gitea"}, {"x-forgejo-", "forgejo"}, {"x-gogs-", "gitea"},
		{"x-event-key", "bitbucket"}, {"x-nexus-", "nexus-repository"}, {"x-slack-", "slack"},
	} {
		if strings.HasPrefix(name, one[0]) {
			return one[1]
		}
	}
	return ""
}

// payloadOf gives the sender in whose payload alone a name stands.
func payloadOf(name string) string {
	head, _, _ := strings.Cut(name, ".")
	switch head {
	case "docker_url", "updated_tags":
		return "quay"
	case "push_data":
		return "dockerhub"
	case "alerts", "commonLabels", "groupLabels":
		return "alertmanager"
	}
	return ""
}
