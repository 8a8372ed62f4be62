package hook

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// one reads one hook: whatever is wrong with one that has a key of Pawl's refuses
// the file. It gives the node of the id too, or the hook's where it has none.
func (r *reader) one(node *yaml.Node) (h *Hook, id *yaml.Node) {
	before := len(r.problems)
	r.entry = entry{}
	h = r.fresh(node)
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
		case k.name == "command-working-directory" && f.value.Kind == yaml.ScalarNode:
			r.directory = f.value.Value
		}
	}
	r.each(list, keys)
	h.Own = h.Own || r.own
	if node.Kind == yaml.MappingNode || isNull(node) {
		r.whole(h, id, command)
		r.together(h)
	}
	r.problems = append(r.problems[:before], withoutConsequences(r.problems[before:])...)
	for i := before; i < len(r.problems); i++ {
		r.problems[i].Hook = h.ID
		if h.Own {
			r.problems[i].Severity = Refusal
		}
	}
	for _, advice := range r.advices {
		advice.Hook = h.ID
		r.problems = append(r.problems, advice)
	}
	return h, id
}

// fresh makes a hook with all that one has that says nothing.
func (r *reader) fresh(node *yaml.Node) *Hook {
	return &Hook{
		At:      r.position(node.Line, node.Column),
		Process: Process{KillGrace: DefaultKillGrace},
		Retry:   Retry{Attempts: 1, Backoff: DefaultBackoff, MaxBackoff: DefaultMaxBackoff},
		Keep:    Keep{Runs: DefaultKeepRuns, Age: DefaultKeepAge, Output: DefaultKeepOutput, Artifacts: DefaultKeepArtifacts},
		hash:    hashOf(r.digestOf(node)),
	}
}

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
