package runner

import (
	"strconv"
	"strings"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// maxEvent is how many bytes PAWL_EVENT may have: a sender chooses the text, and
// must not be able to keep a script from starting.
const maxEvent = 1 << 10

// environment joins what a script inherits, what its hook passes on, and what
// Pawl tells every script; of equal names the last counts. Names that begin with
// PAWL_ are Pawl's: nothing of a delivery takes the place of one, also where Pawl
// itself has nothing to say.
func (r *Runner) environment(h *hook.Hook, attempt *run.Run, own place, of caller, passed []string) []string {
	env := make([]string, 0, len(r.options.Environment)+len(h.Process.Inherit.Vars)+len(passed)+9)
	env = r.inherit(env, h.Process.Inherit)
	for _, item := range passed {
		if !isPawls(item) {
			env = append(env, item)
		}
	}
	env = append(env,
		"PAWL_RUN_ID="+attempt.ID,
		"PAWL_HOOK_ID="+attempt.Hook,
		"PAWL_ATTEMPT="+strconv.Itoa(attempt.Attempt),
		"PAWL_DELIVERY_ID="+attempt.Delivery.ID,
	)
	if of.sender != "" {
		env = append(env, "PAWL_SENDER="+of.sender)
	}
	if of.event != "" && len(of.event) <= maxEvent && !strings.Contains(of.event, "\x00") {
		env = append(env, "PAWL_EVENT="+of.event)
	}
	if own.path == "" {
		return env
	}
	return append(env,
		"PAWL_ARTIFACTS="+own.artifacts(),
		"PAWL_SUMMARY="+own.file(summaryName),
		"PAWL_OUTPUT="+own.file(outputName),
	)
}

// isPawls reports whether a variable is one of those that Pawl alone sets. On
// Windows case does not tell names apart.
func isPawls(item string) bool {
	const prefix = "PAWL_"
	return len(item) >= len(prefix) && strings.EqualFold(item[:len(prefix)], prefix)
}

// inherit adds what a hook lets its script inherit, and what it sets.
func (r *Runner) inherit(env []string, of hook.Inherit) []string {
	if !of.Set {
		return append(append(env, r.options.Environment...), of.Vars...)
	}
	for _, item := range r.options.Environment {
		name, _, _ := strings.Cut(item, "=")
		for _, pattern := range of.Names {
			if matches(pattern, name) {
				env = append(env, item)
				break
			}
		}
	}
	return append(env, of.Vars...)
}

// matches reports whether a name is like a pattern, in which each * stands for
// any characters, or none.
func matches(pattern, name string) bool {
	head, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, head) {
		return false
	}
	name = name[len(head):]
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(name, part)
		}
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name, rest = name[at+len(part):], after
	}
}
