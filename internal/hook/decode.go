package hook

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// key is one key of an object: how its value is read, which is never null.
type key struct {
	name string
	read func(field)
	of   owner
}

// owner says whose a key is.
type owner int

const (
	webhooks owner = iota // and where it has no value it counts as absent
	pawls                 // webhook does not know it
	planned               // Pawl's, but not in this version
)

// hookKeys lists the keys of a hook: webhook's, then Pawl's.
func (r *reader) hookKeys(h *Hook) []key {
	keys := []key{
		{name: "id", read: func(f field) { h.ID = r.text(f) }},
		{name: "execute-command", read: func(f field) { h.Command = r.text(f) }},
		{name: "command-working-directory", read: func(f field) { h.Directory = r.text(f) }},
		{name: "response-message", read: func(f field) { h.Message = r.text(f) }},
		{name: "response-headers", read: func(f field) { h.Headers = r.headers(f) }},
		{name: "include-command-output-in-response", read: func(f field) { h.OutputInResponse = r.boolean(f) }},
		{name: "include-command-output-in-response-on-error", read: func(f field) { h.OutputInResponseOnError = r.boolean(f) }},
		{name: "pass-arguments-to-command", read: func(f field) { h.Arguments = r.arguments(f) }},
		{name: "pass-environment-to-command", read: func(f field) { h.Environment = r.arguments(f) }},
		{name: "pass-file-to-command", read: func(f field) { h.Files = r.arguments(f) }},
		{name: "parse-parameters-as-json", read: func(f field) { h.Payload.JSONParameters = r.jsonParameters(f) }},
		{name: "incoming-payload-content-type", read: func(f field) { h.Payload.ContentType = r.text(f) }},
		{name: "trigger-rule", read: func(f field) { h.Rule = r.rule(f.value, 0) }},
		{name: "trigger-rule-mismatch-http-response-code", read: func(f field) { h.MismatchCode = r.status(f) }},
		{name: "trigger-signature-soft-failures", read: func(f field) { h.SoftSignatures = r.boolean(f) }},
		{name: "success-http-response-code", read: func(f field) { h.SuccessCode = r.status(f) }},
		{name: "http-methods", read: func(f field) { h.Methods = r.methods(f) }},

		{name: "path", of: pawls, read: func(f field) { h.Path = r.path(f) }},
		{name: "process", of: pawls, read: func(f field) { r.group(f, r.processKeys(&h.Process)) }},
		{name: "keep", of: pawls, read: func(f field) { r.group(f, r.keepKeys(&h.Keep)) }},
	}
	return append(keys, plannedKeys(
		"sender", "secret", "auth", "event-type", "delivery-id", "dedupe", "events", "when", "for-each",
		"queue", "retry", "answer", "on-failure", "on-success")...)
}

func (r *reader) processKeys(p *Process) []key {
	keys := []key{
		{name: "timeout", of: pawls, read: func(f field) { p.Timeout = r.duration(f) }},
		{name: "kill-grace", of: pawls, read: func(f field) { p.KillGrace = r.duration(f) }},
		{name: "leftovers", of: pawls, read: func(f field) { p.StopLeftovers = r.word(f, "keep", "stop") == "stop" }},
	}
	return append(keys, plannedKeys("stdin", "environment", "user", "group", "umask", "resources", "files", "run-on")...)
}

func (r *reader) keepKeys(k *Keep) []key {
	keys := []key{{name: "output", of: pawls, read: func(f field) { k.Output = r.size(f) }}}
	return append(keys, plannedKeys("runs", "age", "artifacts")...)
}

// plannedKeys makes keys that are refused: to ignore one (sender, secret, auth…)
// would leave a hook open that its author believes closed.
func plannedKeys(names ...string) []key {
	keys := make([]key, len(names))
	for i, name := range names {
		keys[i] = key{name: name, of: planned}
	}
	return keys
}

// find gives the key of a field, nil where the field means nothing.
func find(keys []key, f field) *key {
	name := f.folded()
	at := slices.IndexFunc(keys, func(k key) bool { return k.name == name })
	if at < 0 {
		return nil
	}
	return &keys[at]
}

// each reads the fields that are known and tells of the others.
func (r *reader) each(list []field, keys []key) {
	for _, f := range list {
		k := find(keys, f)
		switch {
		case k == nil:
			r.unknown(f, keys)
		case k.of == planned:
			r.refuse(f.key, "the key %q is not in this version of Pawl; without it the hook would do other than its author meant", f.name)
		case !isNull(f.value):
			k.read(f)
		case k.of == pawls:
			r.refuse(f.key, "the key %q has no value", f.name)
		}
	}
}

// unknown warns of a key that means nothing here, as webhook ignores it.
func (r *reader) unknown(f field, keys []key) {
	if strings.HasPrefix(f.name, "//") || strings.HasPrefix(f.name, "/*") {
		r.note(f.key, Warning, "unknown key %q (a comment begins with #)", f.name)
		return
	}
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	r.note(f.key, Warning, "unknown key %q%s", f.name, Suggestion(f.name, names))
}

// one reads one hook: whatever is wrong with one that has a key of Pawl's refuses
// the file. It gives the node of the id too, or the hook's where it has none.
func (r *reader) one(node *yaml.Node) (h *Hook, id *yaml.Node) {
	before := len(r.problems)
	h = &Hook{
		At:      r.position(node.Line, node.Column),
		Process: Process{KillGrace: DefaultKillGrace},
		Keep:    Keep{Output: DefaultKeepOutput},
	}
	id, command := node, node
	list, keys := r.object("a hook", node), r.hookKeys(h)
	for _, f := range list {
		switch k := find(keys, f); {
		case k == nil:
		case k.of != webhooks:
			h.Own = true
		case k.name == "id":
			id = f.value
		case k.name == "execute-command":
			command = f.value
		}
	}
	r.each(list, keys)
	if node.Kind == yaml.MappingNode || isNull(node) {
		r.whole(h, id, command)
	}
	r.problems = append(r.problems[:before], withoutConsequences(r.problems[before:])...)
	for i := before; i < len(r.problems); i++ {
		r.problems[i].Hook = h.ID
		if h.Own {
			r.problems[i].Severity = Refusal
		}
	}
	return h, id
}

// group reads one of Pawl's groups of keys.
func (r *reader) group(f field, keys []key) { r.each(r.object(f.name, f.value), keys) }

// whole checks what only the whole hook tells, and makes its id its path where
// it has none of its own.
func (r *reader) whole(h *Hook, id, command *yaml.Node) {
	if h.ID == "" {
		r.wrong(id, "the hook has no id")
	} else if h.Path == "" {
		if !reachable(h.ID) {
			r.wrong(id, "the id %q can never be reached: a URL's path holds no empty, . or .. parts", h.ID)
		}
		h.Path = h.ID
	}
	if h.Command == "" {
		r.wrong(command, "the hook has no execute-command: a delivery runs nothing")
	}
	if h.OutputInResponseOnError && !h.OutputInResponse {
		r.note(id, Warning, "include-command-output-in-response-on-error has no effect without include-command-output-in-response")
	}
}

// path reads where below the prefix a hook is found.
func (r *reader) path(f field) string {
	path := strings.TrimPrefix(r.text(f), "/")
	if f.value.Kind == yaml.ScalarNode && !reachable(path) {
		r.refuse(f.value, "path: %q can never be reached: a URL's path holds no empty, . or .. parts", path)
	}
	return path
}

// reachable reports whether a path can be asked for: the server answers one with
// an empty, . or .. part with the path that it comes to.
func reachable(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// String names the hook and where it stands, for logs.
func (h *Hook) String() string { return fmt.Sprintf("%q (%s)", h.ID, h.At) }
