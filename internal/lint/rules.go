package lint

// Rule is one kind of finding.
type Rule struct {
	Name     string
	Severity Severity // as a rule; single findings may matter less or more
	Summary  string   // what it finds, in one sentence
}

// The names of the rules.
const (
	ruleFile           = "hook-file"
	ruleSyntax         = "syntax"
	ruleNoHooks        = "no-hooks"
	ruleUnknownKey     = "unknown-key"
	ruleUnquoted       = "unquoted"
	ruleSecretOnValue  = "secret-on-value"
	ruleSecretObject   = "secret-object"
	ruleMatchList      = "match-list"
	ruleNoEffect       = "no-effect"
	ruleBadPattern     = "bad-pattern"
	ruleDuplicate      = "duplicate"
	ruleOpenRule       = "open-rule"
	ruleCoalesce       = "coalesce-elements"
	ruleNoAuth         = "no-authentication"
	ruleOpen           = "open"
	ruleInClear        = "secret-in-clear"
	ruleSecretFile     = "secret-file"
	ruleSignatureValue = "signature-as-value"
	ruleWrongSignature = "wrong-signature"
	ruleDeprecated     = "deprecated"
	ruleUnreachable    = "unreachable-rule"
	ruleMissing        = "command-missing"
	ruleCannotStart    = "command-cannot-start"
	ruleLineEnds       = "script-line-ends"
	ruleScript         = "script-syntax"
	ruleWritable       = "writable"
	ruleStringPath     = "string-that-is-a-path"
	ruleUnexpanded     = "unexpanded"
	ruleTemplate       = "template"
	ruleUnknownValue   = "unknown-value"
	ruleUnknownEvent   = "unknown-event"
	ruleOptionLike     = "option-like"
)

// Rules lists all rules: those of the reader of hook files first.
func Rules() []Rule {
	return []Rule{
		{ruleSyntax, Error, "The file is neither JSON nor YAML."},
		{ruleFile, Error, "A key has a value that it cannot have; webhook may find out by a request only."},
		{ruleNoHooks, Warning, "A file holds no hook, or a directory no hook file."},
		{ruleUnknownKey, Warning, "A key means nothing where it stands; in a hook with keys of Pawl's own that is an error."},
		{ruleUnquoted, Warning, "YAML reads a word without quotes as a number or a boolean, and a text is meant."},
		{ruleSecretOnValue, Error, "A secret stands in a rule of a type that verifies nothing with it."},
		{ruleSecretObject, Error, "The secret of a match rule is an object; there it is text."},
		{ruleMatchList, Error, "match is a list; it is one object, and several stand in and or or."},
		{ruleNoEffect, Warning, "A key has no effect beside what else the hook says."},
		{ruleBadPattern, Error, "A regular expression or an address range cannot be compiled."},
		{ruleDuplicate, Error, "An id or a key stands there twice."},
		{ruleOpenRule, Error, "A trigger rule is empty: it holds for everyone, or never."},
		{ruleCoalesce, Warning, "With for-each and coalesce, a queue.key without the element lets runs of other elements be lost."},
		{ruleNoAuth, Warning, "Nothing checks who calls: anyone may trigger the hook."},
		{ruleOpen, Note, "The hook says auth: none."},
		{ruleInClear, Warning, "A secret stands in the hook file itself."},
		{ruleSecretFile, Warning, "The file of a secret can be read by others, or the secret is not set."},
		{ruleSignatureValue, Error, "A signature is compared as if it were a fixed value."},
		{ruleWrongSignature, Error, "A signature is verified in a way that its sender does not sign."},
		{ruleDeprecated, Note, "An old name is used; webhook may drop it."},
		{ruleUnreachable, Error, "A part of a trigger rule can never hold, or is never asked."},
		{ruleMissing, Error, "The command is not there; a warning where it may be on the server."},
		{ruleCannotStart, Error, "The command cannot be started: not executable, no #! line, a missing interpreter."},
		{ruleLineEnds, Error, "The script has Windows line ends (CRLF)."},
		{ruleScript, Error, "The shell script cannot be parsed."},
		{ruleWritable, Warning, "Others may change the script, the hook file, or what they lie in."},
		{ruleStringPath, Warning, "A value of source string looks like the name of a payload value."},
		{ruleUnexpanded, Warning, "A $NAME is meant to become the value of a variable, and stays as it is."},
		{ruleTemplate, Error, "The file is a template and is not read as one."},
		{ruleUnknownValue, Warning, "No sample of the hook's sender has a value of that name."},
		{ruleUnknownEvent, Warning, "No such event type is known of the hook's sender."},
		{ruleOptionLike, Note, "A value that the sender chooses may begin with a dash, and the command take it for an option."},
	}
}
