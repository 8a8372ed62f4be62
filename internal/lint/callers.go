package lint

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
)

// fixOpen says how a hook is closed.
const fixOpen = `add a trigger-rule that checks a signature (payload-hmac-sha256), a token or addresses, or sender and secret; auth: none where anyone may`

// callers tells of a hook that anyone may trigger.
func (e *entry) callers() {
	auth, asks := e.object.get("auth")
	if asks && auth.value.isText() && auth.value.node.Value == "none" {
		e.add(auth.key, ruleOpen, Note, "give it a secret if its callers can keep one", "auth: none: anyone may trigger it")
		return
	}
	_, named := e.object.get("sender")
	if _, secret := e.object.get("secret"); asks || named || secret {
		return // the reader asks for what is missing
	}
	if e.hook != nil && len(rule.Guards(e.hook.Rule)) > 0 {
		return // the answer that the server acts on; what follows looks for its reason
	}
	may := "may"
	if e.hook == nil {
		may = "could" // the hook is not loaded as it is
	}
	fixOpen := fixOpen
	if known := e.senderOf(); known != "" {
		fixOpen = "write sender: " + known + " with secret: {file: PATH} (pawl senders " + known + " says more); auth: none where anyone may"
	}
	trigger, has := e.object.get("trigger-rule")
	if !has {
		e.add(nil, ruleNoAuth, Warning, fixOpen, "nothing checks who calls: anyone %s trigger it", may)
		return
	}
	names := &names{}
	by := guarded(trigger.value, names, 0)
	switch {
	case by == byAll && e.hook == nil:
		return
	case by == bySome:
		e.add(trigger.key, ruleNoAuth, Warning, fixOpen,
			"nothing checks who calls in one branch of an or: anyone %s trigger it that way", may)
	default:
		if len(names.list) > 0 {
			e.add(nil, ruleNoAuth, Warning, fixOpen,
				"nothing checks who calls: anyone %s trigger it (%s is no secret: any caller can send it)", may, strings.Join(names.list, ", "))
			return
		}
		e.add(nil, ruleNoAuth, Warning, fixOpen, "nothing checks who calls: anyone %s trigger it", may)
	}
}

// guard says through how much of a rule only known callers come.
type guard int

const (
	byNone guard = iota
	bySome       // of an or, some branches
	byAll
)

// names gathers headers that are compared and are no secrets.
type names struct{ list []string }

// guarded judges a rule.
func guarded(o object, found *names, depth int) guard {
	what, part := firstPart(o)
	if depth > maxDepth {
		return byAll
	}
	switch what {
	case "and":
		best := byNone
		for _, item := range part.items() {
			best = max(best, guarded(item, found, depth+1))
		}
		return best
	case "or":
		items := part.items()
		if len(items) == 0 {
			return byAll // it never holds
		}
		worst, best := byAll, byNone
		for _, item := range items {
			one := guarded(item, found, depth+1)
			worst, best = min(worst, one), max(best, one)
		}
		if worst != byAll && best != byNone {
			return bySome
		}
		return worst
	case "not":
		return guarded(part, found, depth+1)
	case "match":
		return guardedMatch(part, found)
	}
	return byAll // it never holds
}

func guardedMatch(match object, found *names) guard {
	if len(match.members()) == 0 {
		return byAll // the reader tells
	}
	if uses := rule.Uses(match.text("type")); uses != nil && match.text("type") != rule.TypeValue && match.text("type") != rule.TypeRegex {
		return byAll // an address or a signature
	}
	parameter, _ := match.get("parameter")
	ref := parameter.value.ref()
	source, _ := delivery.ParseSource(string(ref.Source))
	switch {
	case source == delivery.Header && rule.IsPlainHeader(ref.Name):
		if !slices.Contains(found.list, ref.Name) {
			found.list = append(found.list, ref.Name)
		}
		return byNone
	case source == delivery.Header, source == delivery.Query, source == delivery.EntireHeaders, source == delivery.EntireQuery,
		source == delivery.Request && strings.EqualFold(ref.Name, "remote-addr"):
		return byAll
	case source == delivery.Payload && delivery.CredentialName(ref.Name) == delivery.IsCredential:
		return byAll // Slack's and Mattermost's token is in the payload
	}
	return byNone
}

// maxDepth bounds how deeply rules are followed; the reader refuses deeper ones.
const maxDepth = 100

// firstPart gives the part of a rule that counts.
func firstPart(o object) (what string, part object) {
	for _, what := range []string{"and", "or", "not", "match"} {
		if m, ok := o.get(what); ok && m.value.node.ShortTag() != "!!null" {
			return what, m.value
		}
	}
	return "", object{}
}

// secrets tells of secrets that stand in the hook file, and of files of secrets
// that others may read.
func (e *entry) secrets() {
	if secret, ok := e.object.get("secret"); ok {
		e.secret(secret.value.node, secret.value, true)
		for _, item := range secret.value.items() {
			e.secret(item.node, item, true)
		}
	}
	if trigger, ok := e.object.get("trigger-rule"); ok {
		e.eachMatch(trigger.value, 0, func(match object) {
			if secret, ok := match.get("secret"); ok && slices.Contains(rule.Uses(match.text("type")), "secret") {
				e.secret(secret.key, secret.value, false)
			}
			e.token(match)
		})
	}
	for _, list := range []string{"pass-arguments-to-command", "pass-environment-to-command", "pass-file-to-command"} {
		passed, _ := e.object.get(list)
		if passed.value.node == nil {
			continue
		}
		for _, item := range passed.value.items() {
			if secret, ok := item.get("secret"); ok {
				e.secret(secret.value.node, secret.value, true)
			}
		}
	}
}

// secret judges one secret; own says that the key is Pawl's, which takes
// {file: …} and the like.
func (e *entry) secret(at *yaml.Node, value object, own bool) {
	if file, ok := value.get("file"); ok && own && file.value.isText() {
		e.secretFile(file.key, file.value.node.Value)
		return
	}
	switch {
	case !value.isText(), e.options.Template, strings.Contains(value.node.Value, "{{"), isVariable(value.node.Value):
		return // none, or told otherwise; what a template gives may stand elsewhere
	case own:
		e.add(at, ruleInClear, Warning, "put it in a file of its own (mode 0600) and write secret: {file: PATH}, or {credential: NAME}, {env: NAME}",
			"the secret stands in the hook file: whoever reads the file can call the hook")
	default:
		use := "use sender (or auth) with secret: {file: PATH}"
		if known := e.senderOf(); known != "" {
			use = "write sender: " + known + " with secret: {file: PATH} in place of this rule"
			if known == "github" {
				use += " (GitHub's SHA-256 signature is verified then, which it sends beside SHA-1)"
			}
		}
		e.add(at, ruleInClear, Warning, use+`; or -template and {{ credential "NAME" | printf "%q" }}`,
			"the secret stands in the hook file: whoever reads the file can sign")
	}
}

// token tells of a token that stands in the hook file to be compared.
func (e *entry) token(match object) {
	value, ok := match.get("value")
	parameter, has := match.get("parameter")
	if !ok || !has || match.text("type") != rule.TypeValue || parameter.value.ref().Credential() != delivery.IsCredential {
		return
	}
	if !value.value.isText() || e.options.Template || strings.Contains(value.value.node.Value, "{{") || isVariable(value.value.node.Value) {
		return
	}
	ref := parameter.value.ref()
	how, bearer := "auth: {header: {name: "+ref.Name+"}}", ""
	switch {
	case strings.EqualFold(ref.Name, "Authorization"):
		how = "auth: {bearer: {}}, or {basic: {user: NAME}},"
		if word, rest, ok := strings.Cut(value.value.node.Value, " "); ok && rest != "" {
			bearer = "; the word " + word + " before it is no part of the secret"
		}
	case ref.Source != delivery.Header:
		how = "auth: {query: {name: " + ref.Name + "}}"
	}
	e.add(value.key, ruleInClear, Warning, "write "+how+" with secret: {file: PATH}, in place of this rule"+bearer,
		"the secret that callers send stands in the hook file: whoever reads the file can call the hook")
}

// eachMatch calls f with each match of a rule.
func (e *entry) eachMatch(o object, depth int, f func(match object)) {
	if depth > maxDepth {
		return
	}
	what, part := firstPart(o)
	switch what {
	case "and", "or":
		for _, item := range part.items() {
			e.eachMatch(item, depth+1, f)
		}
	case "not":
		e.eachMatch(part, depth+1, f)
	case "match":
		f(part)
	}
}
