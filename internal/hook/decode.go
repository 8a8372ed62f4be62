package hook

import (
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
	return []key{
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
		{name: "parse-parameters-as-json", read: r.once(func(f field) { h.Payload.JSONParameters = r.jsonParameters(f) })},
		{name: "incoming-payload-content-type", read: func(f field) { h.Payload.ContentType = r.text(f) }},
		{name: "trigger-rule", read: r.once(func(f field) { h.Rule = r.rule(f.value, 0) })},
		{name: "trigger-rule-mismatch-http-response-code", read: func(f field) { h.MismatchCode = r.status(f) }},
		{name: "trigger-signature-soft-failures", read: func(f field) { h.SoftSignatures = r.boolean(f) }},
		{name: "success-http-response-code", read: func(f field) { h.SuccessCode = r.status(f) }},
		{name: "http-methods", read: func(f field) { h.Methods = r.methods(f) }},

		{name: "path", of: pawls, read: func(f field) { h.Path = r.path(f) }},
		{name: "sender", of: pawls, read: r.vital(func(f field) { h.Sender = r.sender(f) })},
		{name: "secret", of: pawls, read: r.vital(func(f field) { r.caller.secret = r.secrets(f) })},
		{name: "auth", of: pawls, read: r.vital(func(f field) { h.Open = r.auth(f) })},
		{name: "event-type", of: pawls, read: r.once(func(f field) { h.EventType = r.eventType(f) })},
		{name: "events", of: pawls, read: func(f field) { h.Events = r.words(f) }},
		{name: "when", of: pawls, read: func(f field) { h.When = r.when(f) }},
		{name: "for-each", of: pawls, read: r.once(func(f field) { h.ForEach = r.forEach(f) })},
		{name: "delivery-id", of: pawls, read: r.once(func(f field) { h.DeliveryID = r.single(f) })},
		{name: "dedupe", of: pawls, read: func(f field) { h.Dedupe = r.duration(f) }},
		{name: "queue", of: pawls, read: func(f field) { h.Queue.Set = true; r.group(f, r.queueKeys(&h.Queue)) }},
		{name: "process", of: pawls, read: func(f field) { r.group(f, r.processKeys(&h.Process)) }},
		{name: "retry", of: pawls, read: func(f field) { h.Retry.Set = true; r.group(f, r.retryKeys(&h.Retry)) }},
		{name: "answer", of: pawls, read: func(f field) { h.Answer.Set = true; r.group(f, r.answerKeys(&h.Answer)) }},
		{name: "stream-command-output", of: pawls, read: func(f field) { r.stream(f, &h.Answer) }},
		{name: "on-failure", of: pawls, read: func(f field) { h.OnFailure, h.failureAt = r.hookID(f) }},
		{name: "on-success", of: pawls, read: func(f field) { h.OnSuccess, h.successAt = r.hookID(f) }},
		{name: "keep", of: pawls, read: func(f field) { r.group(f, r.keepKeys(&h.Keep)) }},
	}
}

func (r *reader) queueKeys(q *Queue) []key {
	return []key{
		{name: "key", of: pawls, read: func(f field) { q.Key = r.refs(f) }},
		{name: "max-concurrent", of: pawls, read: func(f field) { q.MaxConcurrent = r.limit(f) }},
		{name: "max-queued", of: pawls, read: func(f field) { q.MaxQueued = r.limit(f) }},
		{name: "overflow", of: pawls, read: func(f field) { q.DropOldest = r.word(f, "refuse", "drop-oldest") == "drop-oldest" }},
		{name: "coalesce", of: pawls, read: func(f field) { q.Coalesce = r.boolean(f) }},
		{name: "debounce", of: pawls, read: func(f field) { q.Debounce = r.duration(f) }},
		{name: "rate-limit", of: pawls, read: func(f field) { q.Rate = r.rate(f) }},
		{name: "priority", of: pawls, read: func(f field) { q.Priority = r.number(f) }},
		{name: "expire", of: pawls, read: func(f field) { q.Expire = r.duration(f) }},
		{name: "pause-after", of: pawls, read: func(f field) { q.PauseAfter = r.limit(f) }},
	}
}

func (r *reader) retryKeys(t *Retry) []key {
	return []key{
		{name: "attempts", of: pawls, read: func(f field) { t.Attempts = r.least(f, 1, "the first attempt counts") }},
		{name: "backoff", of: pawls, read: func(f field) { t.Backoff = r.duration(f) }},
		{name: "max-backoff", of: pawls, read: func(f field) { t.MaxBackoff = r.duration(f) }},
		{name: "exit-codes", of: pawls, read: func(f field) { r.exitCodes(f, t) }},
		{name: "interruptions", of: pawls, read: func(f field) { t.Interruptions = r.least(f, 0, "0 is never") }},
	}
}

func (r *reader) answerKeys(a *Answer) []key {
	return []key{
		{name: "wait", of: pawls, read: func(f field) { a.Wait = r.duration(f) }},
		{name: "body", of: pawls, read: func(f field) { a.Body = r.body(f) }},
		{name: "exit-status", of: pawls, read: func(f field) { r.exitStatus(f, a) }},
	}
}

func (r *reader) processKeys(p *Process) []key {
	keys := []key{
		{name: "timeout", of: pawls, read: func(f field) { p.Timeout = r.duration(f) }},
		{name: "kill-grace", of: pawls, read: func(f field) { p.KillGrace = r.duration(f) }},
		{name: "leftovers", of: pawls, read: func(f field) { p.StopLeftovers = r.word(f, "keep", "stop") == "stop" }},
		{name: "stdin", of: pawls, read: func(f field) { p.Stdin = r.single(f) }},
		{name: "environment", of: pawls, read: func(f field) { r.group(f, r.environmentKeys(&p.Inherit)) }},
	}
	return append(keys, plannedKeys("user", "group", "umask", "resources", "files", "run-on")...)
}

func (r *reader) keepKeys(k *Keep) []key {
	return []key{
		{name: "runs", of: pawls, read: func(f field) { k.Runs = r.least(f, 1, "the newest one is always kept") }},
		{name: "age", of: pawls, read: func(f field) { k.Age = r.duration(f) }},
		{name: "output", of: pawls, read: func(f field) { k.Output = r.size(f) }},
		{name: "artifacts", of: pawls, read: func(f field) { k.Artifacts = r.size(f) }},
	}
}

// plannedKeys makes keys that are refused: to ignore one (user, resources…) would
// let a script do what its author believes to be barred.
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
	outer := r.key
	defer func() { r.key = outer }()
	for _, f := range list {
		k := find(keys, f)
		if k != nil {
			r.key = strings.TrimPrefix(outer+"."+k.name, ".")
			r.own = r.own || k.of != webhooks
		}
		switch {
		case k == nil:
			r.unknown(f, keys)
		case k.of == planned:
			r.refuse(f.key, "the key %q is not in this version of Pawl; without it the hook would do other than its author meant", f.name)
		case !isNull(f.value):
			r.place(k, f)
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
	r.note(f.key, Warning, "unknown key %q%s", f.name, Suggestion(f.name, keyNames(keys)))
}

func keyNames(keys []key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	return names
}

// group reads one of Pawl's groups of keys.
func (r *reader) group(f field, keys []key) { r.each(r.object(r.key, f.value), keys) }

// place remembers where the value of a key of Pawl's stands, for the checks that
// look at several.
func (r *reader) place(k *key, f field) {
	if k.of != pawls {
		return
	}
	if r.places == nil {
		r.places = map[string]*yaml.Node{}
	}
	r.places[r.key] = f.value
}
