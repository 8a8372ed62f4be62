package hook

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/secret"
)

// rule reads a trigger rule. Of and, or, not and match the first that is there
// counts, in this order, as in webhook.
func (r *reader) rule(node *yaml.Node, depth int) rule.Rule {
	if depth > maxDepth {
		r.refuse(node, "trigger rules nest deeper than %d", maxDepth)
		return rule.Never{}
	}
	known := []string{"and", "or", "not", "match"}
	parts := map[string]field{}
	for _, f := range r.object("a rule", node, depth) {
		name := strings.ToLower(f.name)
		if !slices.Contains(known, name) {
			r.unknown(f, known)
			continue
		}
		parts[name] = f
	}
	if len(parts) == 0 && r.nodes < maxNodes {
		r.note(node, Warning, "a rule without and, or, not or match never holds")
	}
	if len(parts) > 1 {
		r.note(node, Warning, "a rule is one of and, or, not and match; of several the first of these counts")
	}
	if f, ok := parts["and"]; ok {
		rules := rule.And(r.rules(f, depth))
		if len(rules) == 0 {
			r.wrong(f.value, "an empty and holds for everyone: the hook is open")
		}
		return rules
	}
	if f, ok := parts["or"]; ok {
		return rule.Or(r.rules(f, depth))
	}
	if f, ok := parts["not"]; ok {
		return rule.Not{Rule: r.rule(f.value, depth+1)}
	}
	if f, ok := parts["match"]; ok {
		return r.match(f)
	}
	return rule.Never{}
}

func (r *reader) rules(f field, depth int) []rule.Rule {
	var rules []rule.Rule
	for _, item := range r.items(f) {
		rules = append(rules, r.rule(item, depth+1))
	}
	return rules
}

// match reads a match rule and compiles it.
func (r *reader) match(f field) rule.Rule {
	var d rule.Definition
	at := map[string]*yaml.Node{}
	for _, part := range r.object("match", f.value, 1) {
		name := strings.ToLower(part.name)
		at[name] = part.value
		switch name {
		case "type":
			d.Type = r.text(part)
		case "value":
			d.Value = r.text(part)
		case "regex":
			d.Regex = r.text(part)
		case "secret":
			d.Secret = secret.New(r.text(part))
		case "ip-range":
			d.IPRange = r.text(part)
		case "parameter":
			d.Parameter = r.argument("match", part.value).Ref
		default:
			r.unknown(part, []string{"type", "value", "regex", "secret", "ip-range", "parameter"})
		}
	}
	compiled, problems := rule.Match(d)
	for _, p := range problems {
		node, ok := at[p.Key]
		if !ok {
			node = f.key
		}
		switch {
		case p.Key == "source" && at["parameter"] != nil: // told where the source stands
		case p.Key == "source":
			r.wrong(node, "a match rule of type %q needs a parameter", d.Type)
		case p.Key == "type":
			r.wrong(node, "%v%s", p.Err, suggestion(d.Type, rule.Types()))
		default:
			r.wrong(node, "%s: %v", p.Key, p.Err)
		}
	}
	r.guardless(d, at)
	return compiled
}

// guardless warns of keys that look like a check and are none.
func (r *reader) guardless(d rule.Definition, at map[string]*yaml.Node) {
	if node, ok := at["secret"]; ok && (d.Type == rule.TypeValue || d.Type == rule.TypeRegex || d.Type == rule.TypeIP) {
		r.wrong(node, "a secret has no effect in a rule of type %q: it verifies nothing", d.Type)
	}
}
