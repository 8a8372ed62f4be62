package lint

import (
	"regexp"

	"github.com/pawlhq/pawl/internal/hook"
)

// kind tells by the words of a problem of the reader's which rule it is of.
type kind struct {
	words *regexp.Regexp
	rule  string
	fix   string // where the words do not say what to do
}

// kinds lists the rules that the reader of hook files finds; the first whose
// words are there counts.
var kinds = regexps(
	[3]string{`^cannot read this as JSON or YAML`, ruleSyntax, "correct the text at this place; a JSON or YAML mode of your editor shows more"},
	[3]string{`^cannot expand the template`, ruleTemplate, "correct the template: getenv, cat and credential are its functions"},
	[3]string{`^template: `, ruleTemplate, "make the file readable for the user that Pawl runs as, or correct its name"},
	[3]string{`^a secret has no effect in a rule of type`, ruleSecretOnValue, "use type: payload-hmac-sha256 if the sender signs; compare a token by value, and leave out secret"},
	[3]string{`^secret is text, not an object|^the secret of a match rule is text`, ruleSecretObject, ""},
	[3]string{`^match is (?:an|one) object, not a list`, ruleMatchList, ""},
	[3]string{`is not known to send the event`, ruleUnknownEvent, "see pawl senders NAME for those that are known"},
	[3]string{`^unknown key `, ruleUnknownKey, "correct the name, or take the key out"},
	[3]string{`without quotes is read as`, ruleUnquoted, "put the value in quotes"},
	[3]string{`^(?:auth|secret): .*: (?:say where|name the topics)|^auth: say how it authenticates`, ruleNoAuth, "auth: none where anyone may call"},
	[3]string{`^the secret is not set|^read the secret`, ruleSecretFile, ""},
	[3]string{`^ip-range: `, ruleBadPattern, "write addresses and CIDR ranges with blanks between them, as in 192.0.2.0/24 2001:db8::1"},
	[3]string{`^the secret stands in clear`, ruleInClear, ""},
	[3]string{`^(?:regex|pattern): `, ruleBadPattern, "correct it; Go's syntax of expressions is at https://pkg.go.dev/regexp/syntax"},
	[3]string{`^an empty and holds for everyone|never holds$`, ruleOpenRule, "put rules into it, or take it out"},
	[3]string{`^coalesce loses elements`, ruleCoalesce, "add {source: element} to queue.key"},
	[3]string{`has no effect`, ruleNoEffect, "take it out, or add what it needs"},
	[3]string{`^the id .* is that of|stands in line \d+ again`, ruleDuplicate, "give each its own name, or take one out"},
	[3]string{``, ruleFile, ""},
)

func regexps(list ...[3]string) []kind {
	kinds := make([]kind, len(list))
	for i, k := range list {
		kinds[i] = kind{regexp.MustCompile(k[0]), k[1], k[2]}
	}
	return kinds
}

// ofProblem makes a finding of what the reader found.
func ofProblem(p hook.Problem) Finding {
	f := Finding{At: p.At, Hook: p.Hook, Severity: Error, Text: p.Text}
	if p.Severity == hook.Warning {
		f.Severity = Warning
	}
	for _, k := range kinds {
		if k.words.MatchString(p.Text) {
			f.Rule, f.Fix = k.rule, k.fix
			break
		}
	}
	return f
}
