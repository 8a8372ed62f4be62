package lint

import (
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

func (e *entry) values() {}

// arguments tells of values that a sender chooses and that the command may take
// for options, once a hook.
func (e *entry) arguments() {
	passed, ok := e.object.get("pass-arguments-to-command")
	if !ok {
		return
	}
	for _, item := range passed.value.items() {
		ref := item.ref()
		source, _ := delivery.ParseSource(string(ref.Source))
		switch source {
		case delivery.String:
			if ref.Name == "--" {
				return
			}
			continue
		case delivery.Payload, delivery.Header, delivery.Query, delivery.Element, delivery.RawRequestBody:
		default:
			continue
		}
		if _, bounded := item.get("pattern"); bounded || neverOption(ref.Name) {
			continue
		}
		e.add(item.node, ruleOptionLike, Note, "put {source: string, name: \"--\"} before it if the command knows that, or give the value a pattern, as in pattern: '[^-].*'",
			"a caller chooses this value: one that begins with a dash may be taken for an option")
		return
	}
}

// neverOption reports whether values of that name never begin with a dash where
// the sender is who it should be: ids, times, URLs, refs, names that sites allow no
// dash at the beginning of.
func neverOption(name string) bool {
	last := strings.ToLower(name[strings.LastIndexAny(name, ".#")+1:])
	if strings.HasSuffix(last, "_url") || strings.HasSuffix(last, "_id") || strings.HasSuffix(last, "_at") {
		return true
	}
	return slices.Contains([]string{
		"id", "ref", "sha", "after", "before", "url", "uri", "homepage", "number", "timestamp", "date", "created", "action", "event", "status",
		"full_name", "name_with_owner", "namespace", "username", "login", "checkout_sha", "commit", "build_id", "mimetype", "size", "tag", "tags", "updated_tags", "docker_url", "repository", "digest",
		"x-github-event", "x-github-delivery", "x-gitlab-event", "x-gitea-event", "x-event-key", "repo_name",
	}, last)
}
