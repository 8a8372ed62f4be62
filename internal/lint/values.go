package lint

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
)

// values tells of names of values that nothing is known of at the hook's sender.
func (e *entry) values() {
	preset := sender.Named(e.object.text("sender"))
	if preset == nil {
		return
	}
	for _, value := range e.refs() {
		ref := value.ref()
		if source, _ := delivery.ParseSource(string(ref.Source)); !e.isParsed(ref) && !preset.HasField(source, ref.Name) {
			e.unknownValue(value.at("name"), preset, ref)
		}
	}
	if e.hook != nil && e.hook.When != nil {
		for _, name := range e.hook.When.Fields() {
			if !preset.HasField(delivery.Payload, name) {
				e.unknownValue(e.object.at("when"), preset, delivery.Ref{Source: delivery.Payload, Name: name})
			}
		}
	}
}

func (e *entry) unknownValue(at *yaml.Node, preset *sender.Sender, ref delivery.Ref) {
	suggestion := ""
	if ref.Source == delivery.Payload {
		suggestion = hook.Suggestion(ref.Name, preset.Fields())
	}
	e.add(at, ruleUnknownValue, Warning, "compare the name with a delivery of the sender: pawl runs show, or its documentation",
		"no delivery that is known of %s has %s%s", preset.Title, ref, suggestion)
}

// refs are the values that a hook names.
func (e *entry) refs() []object {
	var refs []object
	for _, key := range []string{"pass-arguments-to-command", "pass-environment-to-command", "pass-file-to-command"} {
		passed, _ := e.object.get(key)
		refs = append(refs, passed.value.items()...)
	}
	for _, path := range []string{"for-each", "delivery-id", "event-type", "queue.key", "process.stdin"} {
		group, name, nested := strings.Cut(path, ".")
		m, ok := e.object.get(group)
		if ok && nested {
			m, ok = m.value.get(name)
		}
		if ok {
			refs = append(append(refs, m.value.items()...), m.value)
		}
	}
	if trigger, ok := e.object.get("trigger-rule"); ok {
		e.eachMatch(trigger.value, 0, func(match object) {
			if parameter, ok := match.get("parameter"); ok {
				refs = append(refs, parameter.value)
			}
		})
	}
	return refs
}

// isParsed reports whether a value is below one that is parsed as JSON, so that
// what it holds cannot be known.
func (e *entry) isParsed(ref delivery.Ref) bool {
	parsed, _ := e.object.get("parse-parameters-as-json")
	return slices.ContainsFunc(parsed.value.items(), func(item object) bool {
		return strings.HasPrefix(ref.Name+".", item.text("name")+".")
	})
}

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
