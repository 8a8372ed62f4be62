package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
)

// signatureHeader is what is known of a header that carries a signature.
type signatureHeader struct {
	name       string
	algorithms []string // that webhook's rules can verify it with; none: they cannot
	preset     string   // that can
	signs      string   // what is signed besides the body
}

// signatureHeaders lists the headers whose signatures are known.
func signatureHeaders() []signatureHeader {
	return []signatureHeader{
		{"X-Hub-Signature-256", []string{"sha256"}, "github", ""},
		{"X-Hub-Signature", []string{"sha1", "sha256"}, "bitbucket", ""}, // GitHub's is SHA-1, Bitbucket's SHA-256
		{"X-Gitea-Signature", []string{"sha256"}, "gitea", ""},
		{"X-Forgejo-Signature", []string{"sha256"}, "forgejo", ""},
		{"X-Gogs-Signature", []string{"sha256"}, "gitea", ""},
		{"X-Nexus-Webhook-Signature", []string{"sha1"}, "nexus-repository", ""},
		{"Stripe-Signature", nil, "stripe", "a time and the body"},
		{"X-Slack-Signature", nil, "slack", "a version, a time and the body"},
		{"Webhook-Signature", nil, "standard-webhooks", "an id, a time and the body"},
		{"Svix-Signature", nil, "standard-webhooks", "an id, a time and the body"},
	}
}

// tree looks at a trigger rule.
func (e *entry) tree(o object) {
	e.eachMatch(o, 0, func(match object) {
		e.deprecated(match)
		e.signature(match)
		e.constant(match)
	})
	e.unreachable(o, 0)
}

// deprecated tells of webhook's old names.
func (e *entry) deprecated(match object) {
	if algorithm, ok := strings.CutPrefix(match.text("type"), "payload-hash-"); ok {
		e.add(match.at("type"), ruleDeprecated, Note, "write payload-hmac-"+algorithm, "payload-hash-%s is the old name of payload-hmac-%s", algorithm, algorithm)
	}
}

// deprecatedSource tells of the old name of a source.
func (e *entry) deprecatedSource(value object) {
	if delivery.Source(value.text("source")) == delivery.QueryAlias {
		e.add(value.at("source"), ruleDeprecated, Note, "write source: query", "source url is the old name of source query")
	}
}

// signature tells of signatures that are checked in a way that cannot work.
func (e *entry) signature(match object) {
	parameter, ok := match.get("parameter")
	ref := parameter.value
	if !ok || ref.ref().Source != delivery.Header {
		return
	}
	name, kind := ref.text("name"), match.text("type")
	algorithm, isHMAC := strings.CutPrefix(strings.Replace(kind, "payload-hash-", "payload-hmac-", 1), "payload-hmac-")
	if strings.EqualFold(name, "X-Gitlab-Token") && isHMAC {
		e.add(match.at("type"), ruleWrongSignature, Error, "write type: value with the token as value, or sender: gitlab with secret",
			"GitLab sends its secret as it is in X-Gitlab-Token and signs nothing: the rule never holds")
		return
	}
	known := signatureHeaders()
	at := slices.IndexFunc(known, func(h signatureHeader) bool { return strings.EqualFold(h.name, name) })
	if at < 0 {
		return
	}
	switch h := known[at]; {
	case kind == rule.TypeValue || kind == rule.TypeRegex:
		e.add(match.at("type"), ruleSignatureValue, Error, fixSignature(h),
			"%s is a signature, another one for each delivery: to compare it with what stands here verifies nothing", h.name)
	case !isHMAC:
	case len(h.algorithms) == 0:
		e.add(match.at("type"), ruleWrongSignature, Error, "write sender: "+h.preset+" with secret in place of this rule",
			"%s signs %s, and %s verifies the body alone: the rule never holds", h.name, h.signs, kind)
	case !slices.Contains(h.algorithms, algorithm):
		e.add(match.at("type"), ruleWrongSignature, Error, "write type: payload-hmac-"+h.algorithms[0],
			"%s is made with %s, and %s never verifies it", h.name, shaName(h.algorithms[0]), kind)
	case strings.EqualFold(name, "X-Hub-Signature") && algorithm == "sha256" && e.isGitHubs():
		e.add(match.at("type"), ruleWrongSignature, Error, "write name: X-Hub-Signature-256",
			"GitHub's X-Hub-Signature is made with SHA-1, and %s never verifies it", kind)
	}
}

func fixSignature(h signatureHeader) string {
	if len(h.algorithms) > 1 {
		return "write type: payload-hmac-sha1 for GitHub (or, better, verify X-Hub-Signature-256), payload-hmac-sha256 for Bitbucket, with the sender's secret as secret"
	}
	if len(h.algorithms) == 0 {
		return "write sender: " + h.preset + " with secret in place of this rule"
	}
	return fmt.Sprintf("write type: payload-hmac-%s with the sender's secret as secret, or sender: %s with secret", h.algorithms[0], h.preset)
}

func shaName(algorithm string) string { return "SHA-" + strings.TrimPrefix(algorithm, "sha") }

// isGitHubs reports whether a rule of the hook names a header that GitHub alone
// sends.
func (e *entry) isGitHubs() (is bool) {
	trigger, _ := e.object.get("trigger-rule")
	e.eachMatch(trigger.value, 0, func(match object) {
		if parameter, ok := match.get("parameter"); ok {
			is = is || strings.HasPrefix(strings.ToLower(parameter.value.text("name")), "x-github-")
		}
	})
	return is
}

// constant tells of a rule that compares what stands in the file with what
// stands in the file, and so never holds. One that always holds may be a switch.
func (e *entry) constant(match object) {
	parameter, ok := match.get("parameter")
	if !ok || match.text("type") == rule.TypeIP || match.text("type") == rule.TypeScalr {
		return
	}
	e.deprecatedSource(parameter.value)
	ref := parameter.value.ref()
	if ref.Source != delivery.String {
		return
	}
	switch match.text("type") {
	case rule.TypeValue:
		if ref.Name == match.text("value") {
			return
		}
	case rule.TypeRegex:
		if expression, err := regexp.Compile(match.text("regex")); err != nil || expression.MatchString(ref.Name) {
			return // the reader tells, or it holds
		}
	}
	e.add(parameter.value.at("source"), ruleStringPath, Error, fmt.Sprintf("write source: payload (or header, query) to compare the value %q of the request", ref.Name),
		"source string is the text %q itself: the rule never holds, whatever was sent", ref.Name)
}

// unreachable tells of parts that can never hold or are never asked.
func (e *entry) unreachable(o object, depth int) {
	what, part := firstPart(o)
	if depth > maxDepth {
		return
	}
	switch what {
	case "and":
		e.contradiction(part.items())
	case "or":
		e.afterAlways(part.items())
	case "not":
		e.unreachable(part, depth+1)
		return
	default:
		return
	}
	for _, item := range part.items() {
		e.unreachable(item, depth+1)
	}
}

// contradiction tells of an and whose rules want two values of one parameter.
func (e *entry) contradiction(rules []object) {
	type wanted struct {
		value string
		line  int
	}
	seen := map[delivery.Ref]wanted{}
	for _, r := range rules {
		what, match := firstPart(r)
		parameter, ok := member{}, false
		if what == "match" && match.text("type") == rule.TypeValue {
			parameter, ok = match.get("parameter")
		}
		if !ok || match.node == nil {
			continue
		}
		ref := parameter.value.ref()
		if ref.Source == delivery.Header {
			ref.Name = strings.ToLower(ref.Name)
		}
		want := wanted{match.text("value"), e.place(match.at("value")).Line}
		if earlier, twice := seen[ref]; twice && earlier.value != want.value {
			e.add(match.at("value"), ruleUnreachable, Error, "put the values into an or, one match each (or one of type regex)",
				"this and never holds: %s is to have two values at once, this one and that of line %d", parameter.value.ref(), earlier.line)
			return
		}
		seen[ref] = want
	}
}

// afterAlways tells of rules of an or behind one that always holds.
func (e *entry) afterAlways(rules []object) {
	for i, r := range rules[:max(0, len(rules)-1)] {
		what, part := firstPart(r)
		always := what == "and" && len(part.items()) == 0
		if what == "match" && part.text("type") == rule.TypeRegex && slices.Contains([]string{".*", "^.*$", "^.*", ".*$", "^"}, part.text("regex")) {
			parameter, ok := part.get("parameter")
			source := parameter.value
			always = ok && slices.Contains([]delivery.Source{delivery.RawRequestBody, delivery.EntirePayload, delivery.EntireHeaders, delivery.EntireQuery, delivery.Request}, source.ref().Source)
		}
		if always {
			e.add(rules[i+1].node, ruleUnreachable, Warning, "take out the rule that always holds, or what stands behind it",
				"this is never asked: the rule before it, in line %d, always holds", r.node.Line)
			return
		}
	}
}
