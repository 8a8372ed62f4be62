package hook

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
)

// key is one key of a hook, or of a group in it: how it is read.
type key struct {
	name string
	own  bool // webhook does not know it
	read func(*reader, *Hook, field)
}

// hookKeys lists the keys of a hook: webhook's, then Pawl's.
func hookKeys() []key {
	return []key{
		{name: "id", read: func(r *reader, h *Hook, f field) {}}, // read first, so that problems can name it
		{name: "execute-command", read: func(r *reader, h *Hook, f field) { h.Command = r.text(f) }},
		{name: "command-working-directory", read: func(r *reader, h *Hook, f field) { h.Directory = r.text(f) }},
		{name: "response-message", read: func(r *reader, h *Hook, f field) { h.Message = r.text(f) }},
		{name: "response-headers", read: func(r *reader, h *Hook, f field) { h.Headers = r.headers(f) }},
		{name: "include-command-output-in-response", read: func(r *reader, h *Hook, f field) { h.OutputInResponse = r.boolean(f) }},
		{name: "include-command-output-in-response-on-error", read: func(r *reader, h *Hook, f field) { h.OutputInResponseOnError = r.boolean(f) }},
		{name: "pass-arguments-to-command", read: func(r *reader, h *Hook, f field) { h.Arguments = r.arguments(f) }},
		{name: "pass-environment-to-command", read: func(r *reader, h *Hook, f field) { h.Environment = r.arguments(f) }},
		{name: "pass-file-to-command", read: func(r *reader, h *Hook, f field) { h.Files = r.arguments(f) }},
		{name: "parse-parameters-as-json", read: func(r *reader, h *Hook, f field) { h.Payload.JSONParameters = refs(r.arguments(f)) }},
		{name: "incoming-payload-content-type", read: func(r *reader, h *Hook, f field) { h.Payload.ContentType = r.text(f) }},
		{name: "trigger-rule", read: func(r *reader, h *Hook, f field) { h.Rule = r.rule(f.value, 0) }},
		{name: "trigger-rule-mismatch-http-response-code", read: func(r *reader, h *Hook, f field) { h.MismatchCode = r.status(f) }},
		{name: "trigger-signature-soft-failures", read: func(r *reader, h *Hook, f field) { h.SoftSignatures = r.boolean(f) }},
		{name: "success-http-response-code", read: func(r *reader, h *Hook, f field) { h.SuccessCode = r.status(f) }},
		{name: "http-methods", read: func(r *reader, h *Hook, f field) { h.Methods = r.methods(f) }},

		{name: "path", own: true, read: func(r *reader, h *Hook, f field) { h.Path = r.path(f) }},
		{name: "process", own: true, read: func(r *reader, h *Hook, f field) { r.group(h, f, processKeys()) }},
		{name: "keep", own: true, read: func(r *reader, h *Hook, f field) { r.group(h, f, keepKeys()) }},
	}
}

func processKeys() []key {
	return []key{
		{name: "timeout", read: func(r *reader, h *Hook, f field) { h.Process.Timeout = r.duration(f) }},
		{name: "kill-grace", read: func(r *reader, h *Hook, f field) { h.Process.KillGrace = r.duration(f) }},
		{name: "leftovers", read: func(r *reader, h *Hook, f field) {
			h.Process.StopLeftovers = r.word(f, "keep", "stop") == "stop"
		}},
	}
}

func keepKeys() []key {
	return []key{
		{name: "output", read: func(r *reader, h *Hook, f field) { h.Keep.Output = r.size(f) }},
	}
}

// planned lists keys that belong to Pawl and that this version does not have.
// They are refused: to ignore one (sender, secret, auth…) would leave a hook
// open that its author believes closed.
func planned() []string {
	return []string{
		"sender", "secret", "auth", "event-type", "delivery-id", "dedupe", "events", "when", "for-each",
		"queue", "retry", "answer", "on-failure", "on-success",
		"stdin", "environment", "user", "group", "umask", "resources", "files", "run-on",
		"runs", "age", "artifacts", "pattern", "max-length",
	}
}

// one reads one hook.
func (r *reader) one(node *yaml.Node, keys []key) *Hook {
	h := &Hook{
		At:      Position{r.file, node.Line, node.Column},
		Process: Process{KillGrace: DefaultKillGrace},
		Keep:    Keep{Output: DefaultKeepOutput},
	}
	r.hook = ""
	fields := r.object("a hook", node, 0)
	for _, f := range fields {
		if strings.EqualFold(f.name, "id") {
			h.ID = r.text(f)
		}
		h.Own = h.Own || slices.ContainsFunc(keys, func(k key) bool { return k.own && k.name == f.name }) || slices.Contains(planned(), f.name)
	}
	r.hook, r.own = h.ID, h.Own
	h.Path = h.ID
	r.each(h, fields, keys)
	if node.Kind == yaml.MappingNode {
		r.whole(h, node)
	}
	return h
}

// group reads one of Pawl's groups of keys.
func (r *reader) group(h *Hook, f field, keys []key) {
	r.each(h, r.object(f.name, f.value, 1), keys)
}

// each reads the fields that are known and tells of the others.
func (r *reader) each(h *Hook, fields []field, keys []key) {
	for _, f := range fields {
		at := slices.IndexFunc(keys, func(k key) bool { return strings.EqualFold(k.name, f.name) })
		if at < 0 {
			names := make([]string, len(keys))
			for i, k := range keys {
				names[i] = k.name
			}
			r.unknown(f, names)
			continue
		}
		keys[at].read(r, h, f)
	}
}

// unknown tells of a key that means nothing here: a warning, as webhook ignores
// it, or a refusal in a hook that was written for Pawl.
func (r *reader) unknown(f field, known []string) {
	switch {
	case slices.Contains(planned(), f.name):
		r.refuse(f.key, "the key %q is not in this version of Pawl, and to leave it out could leave the hook open", f.name)
	case r.own:
		r.refuse(f.key, "unknown key %q%s", f.name, suggestion(f.name, known))
	default:
		r.note(f.key, Warning, "unknown key %q has no effect%s", f.name, suggestion(f.name, known))
	}
}

// wrong notes what webhook would find by a request at best: an error that
// refuses the file only where the hook was written for Pawl.
func (r *reader) wrong(node *yaml.Node, format string, args ...any) {
	severity := Error
	if r.own {
		severity = Refusal
	}
	r.note(node, severity, format, args...)
}

// whole checks what only the whole hook tells.
func (r *reader) whole(h *Hook, node *yaml.Node) {
	if h.ID == "" {
		r.wrong(node, "the hook has no id")
	}
	if h.Command == "" {
		r.wrong(node, "the hook has no execute-command: a delivery runs nothing")
	}
	if h.OutputInResponseOnError && !h.OutputInResponse {
		r.note(node, Warning, "include-command-output-in-response-on-error has no effect without include-command-output-in-response")
	}
}

func (r *reader) word(f field, words ...string) string {
	word := r.text(f)
	if !slices.Contains(words, word) {
		r.refuse(f.value, "%s is one of %s, not %q", f.name, strings.Join(words, ", "), word)
	}
	return word
}

// status reads an HTTP status. One that net/http has no name for counts as
// unset, as in webhook, and so does an interim one (1xx), which would be
// followed by a 200 of its own.
func (r *reader) status(f field) int {
	code := r.number(f)
	if code != 0 && (code < 200 || http.StatusText(code) == "") {
		r.wrong(f.value, "%s: there is no final HTTP status %d; 200 is answered", f.name, code)
		return 0
	}
	return code
}

func (r *reader) methods(f field) []string {
	var methods []string
	for _, item := range r.items(f) {
		method := strings.ToUpper(strings.TrimSpace(r.text(field{name: "a method", value: item})))
		methods = append(methods, method)
	}
	return methods
}

// path reads where below the prefix a hook is found.
func (r *reader) path(f field) string {
	path := strings.TrimPrefix(r.text(f), "/")
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			r.refuse(f.value, "path: %q can never be reached: a URL's path holds no empty, . or .. parts", path)
			break
		}
	}
	return path
}

func (r *reader) headers(f field) []Header {
	var headers []Header
	for _, item := range r.items(f) {
		var header Header
		for _, part := range r.object("a header", item, 1) {
			switch strings.ToLower(part.name) {
			case "name":
				header.Name = r.text(part)
			case "value":
				header.Value = r.text(part)
			default:
				r.unknown(part, []string{"name", "value"})
			}
		}
		headers = append(headers, header)
	}
	return headers
}

func (r *reader) arguments(f field) []Argument {
	var arguments []Argument
	for _, item := range r.items(f) {
		arguments = append(arguments, r.argument(f.name, item))
	}
	return arguments
}

// argument reads one value: where it comes from and what it is called.
func (r *reader) argument(what string, node *yaml.Node) Argument {
	var a Argument
	at := node
	for _, f := range r.object("an item of "+what, node, 1) {
		switch strings.ToLower(f.name) {
		case "source":
			a.Source, at = delivery.Source(r.text(f)), f.value
		case "name":
			a.Name = r.text(f)
		case "envname":
			a.Variable = r.text(f)
			if i := strings.IndexAny(a.Variable, "=\x00"); i >= 0 {
				r.wrong(f.value, "envname: %q can name no variable: it holds %q", a.Variable, a.Variable[i])
			}
		case "base64decode":
			a.Base64Decode = r.boolean(f)
		default:
			r.unknown(f, []string{"source", "name", "envname", "base64decode"})
		}
	}
	r.source(a.Source, at)
	return a
}

// source tells of a source that does not exist.
func (r *reader) source(source delivery.Source, at *yaml.Node) {
	if _, known := delivery.ParseSource(string(source)); known {
		return
	}
	names := sources()
	if source == "" {
		r.wrong(at, "a value needs a source: one of %s", strings.Join(names, ", "))
		return
	}
	r.wrong(at, "unknown source %q%s", source, suggestion(string(source), names))
}

func sources() []string {
	return []string{
		string(delivery.Payload), string(delivery.Header), string(delivery.Query), string(delivery.Request),
		string(delivery.RawRequestBody), string(delivery.EntirePayload), string(delivery.EntireHeaders),
		string(delivery.EntireQuery), string(delivery.String),
	}
}

func refs(arguments []Argument) []delivery.Ref {
	list := make([]delivery.Ref, len(arguments))
	for i, a := range arguments {
		list[i] = a.Ref
	}
	return list
}

// String names the hook and where it stands, for logs.
func (h *Hook) String() string { return fmt.Sprintf("%q (%s)", h.ID, h.At) }
