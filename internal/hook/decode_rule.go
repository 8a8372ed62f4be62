package hook

import (
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/secret"
)

// maxRuleDepth bounds how deeply trigger rules nest.
const maxRuleDepth = 100

// rule reads a trigger rule. Of and, or, not and match the first that is there
// counts, in this order, as in webhook.
func (r *reader) rule(node *yaml.Node, depth int) rule.Rule {
	if depth > maxRuleDepth {
		r.refuse(node, "trigger rules nest deeper than %d", maxRuleDepth)
		return rule.Never{}
	}
	var and, or, not, match *field
	parts := 0
	part := func(name string, into **field) key {
		return key{name: name, read: func(f field) { *into = &f; parts++ }}
	}
	r.each(r.object("a rule", node), []key{part("and", &and), part("or", &or), part("not", &not), part("match", &match)})
	switch {
	case parts == 0:
		r.note(node, Warning, "a rule without and, or, not or match never holds")
	case parts > 1:
		r.note(node, Warning, "a rule is one of and, or, not and match; of several the first of these counts")
	}
	switch {
	case and != nil:
		rules := rule.And(r.rules(*and, depth))
		if len(rules) == 0 {
			r.wrong(and.value, "an empty and holds for everyone: the hook is open")
		}
		return rules
	case or != nil:
		rules := rule.Or(r.rules(*or, depth))
		if len(rules) == 0 {
			r.note(or.value, Warning, "an empty or never holds")
		}
		return rules
	case not != nil:
		return rule.Not{Rule: r.rule(not.value, depth+1)}
	case match != nil:
		return r.match(*match)
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
	switch f.value.Kind {
	case yaml.MappingNode:
	case yaml.SequenceNode:
		r.refuse(f.value, "match is one object, not a list: for several write and (or or) with a rule for each, as in and: [{match: {…}}, {match: {…}}]")
		return rule.Never{}
	default:
		r.refuse(f.value, "match is an object, not %s", kindOf(f.value))
		return rule.Never{}
	}
	var d rule.Definition
	at := map[string]*yaml.Node{}
	part := func(name string, read func(field)) key {
		return key{name: name, read: func(f field) { at[name] = f.value; read(f) }}
	}
	list := r.fieldsOf(f.value)
	r.each(list, []key{
		part("type", func(f field) { d.Type = r.text(f) }),
		part("value", func(f field) { d.Value = r.text(f) }),
		part("regex", func(f field) { d.Regex = r.text(f) }),
		part("secret", func(f field) { d.Secret = secret.New(r.ruleSecret(f)) }),
		part("ip-range", func(f field) { d.IPRange = r.text(f) }),
		part("parameter", func(f field) { d.Parameter = r.argument("parameter", f.value).Ref }),
	})
	compiled, problems := rule.Match(d)
	for _, p := range problems {
		node, there := at[p.Key]
		if !there {
			node = f.key
		}
		switch p.Key {
		case "parameter":
			if !there { // else it is told what is wrong with it
				r.wrong(node, "a match rule of type %q needs a parameter", d.Type)
			}
		case "type":
			r.wrong(node, "%v%s", p.Err, Suggestion(d.Type, rule.Types()))
		default:
			r.wrong(node, "%s: %v", p.Key, p.Err)
		}
	}
	r.idle(d.Type, list)
	return compiled
}

// ruleSecret reads the secret of a match rule, which webhook has as text alone.
func (r *reader) ruleSecret(f field) string {
	if f.value.Kind == yaml.MappingNode {
		r.refuse(f.value, `the secret of a match rule is text, not an object: a secret from elsewhere is the hook's own, beside its sender (sender: github, secret: {file: PATH}), or comes by -template ({{ credential "NAME" }})`)
		return ""
	}
	return r.secretText(f)
}

// idle tells of keys that look like a check and are none in a rule of that type.
func (r *reader) idle(ruleType string, list []field) {
	uses := rule.Uses(ruleType)
	if uses == nil {
		return
	}
	for _, f := range list {
		name := f.folded()
		switch {
		case isNull(f.value) || slices.Contains(uses, name):
		case name == "secret":
			r.wrong(f.key, "a secret has no effect in a rule of type %q: it verifies nothing", ruleType)
		case slices.Contains([]string{"value", "regex", "ip-range", "parameter"}, name):
			r.note(f.key, Warning, "%s has no effect in a rule of type %q", name, ruleType)
		}
	}
}
