package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
)

var (
	// variable is a text that is nothing but the name of a variable, and
	// variables one that holds some; the braces are a shell's and Compose's.
	variable  = regexp.MustCompile(`^\$(?:[A-Za-z_][A-Za-z0-9_]*|\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=?+][^}]*)?\})$`)
	variables = regexp.MustCompile(`\$(?:[A-Z_][A-Z0-9_]+|\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=?+][^}]*)?\})`)

	// dotted is a name as those of payload values are.
	dotted = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_#]+)+$`)

	// action is an action of a template of hook files.
	action = regexp.MustCompile(`\{\{-?\s*(?:getenv|cat|credential|if|range|with|end|else|template|define|/\*|\$\w*\s*:?=|"|printf)\b?[^\n]*\}\}`)
)

func isVariable(text string) bool { return variable.MatchString(text) }

// slips tells of what is written as if it meant more than it does.
func (e *entry) slips() {
	for _, key := range []string{"execute-command", "command-working-directory"} {
		if m, ok := e.object.get(key); ok && m.value.isText() {
			if found := variables.FindString(m.value.node.Value); found != "" {
				e.add(m.value.node, ruleUnexpanded, Error, "write the path itself; or begin Pawl with -template and write {{ getenv \"NAME\" }}",
					"%s: hook files expand no variables: %s stays as it is", key, found)
			}
		}
	}
	for _, key := range []string{"pass-arguments-to-command", "pass-environment-to-command", "pass-file-to-command"} {
		passed, ok := e.object.get(key)
		if !ok {
			continue
		}
		for i, item := range passed.value.items() {
			e.deprecatedSource(item)
			ref := item.ref()
			if ref.Source != delivery.String {
				e.variableName(item)
				continue
			}
			if variable.MatchString(ref.Name) && !e.isForShell(i) {
				e.add(item.at("name"), ruleUnexpanded, Warning, "the command inherits the variable: read it there; or begin Pawl with -template and write {{ getenv \"NAME\" | printf \"%q\" }}",
					"%s: hook files expand no variables: the command gets the text %s", key, ref.Name)
			}
			if isPayloadName(ref.Name) {
				e.add(item.at("source"), ruleStringPath, Warning, "write source: payload if the value of that name is meant",
					"%s: source string passes the text %q itself, which looks like the name of a payload value", key, ref.Name)
			}
		}
	}
	if trigger, ok := e.object.get("trigger-rule"); ok {
		e.eachMatch(trigger.value, 0, e.matchSlips)
	}
	if secret, ok := e.object.get("secret"); ok && secret.value.isText() && isVariable(secret.value.node.Value) {
		e.add(secret.value.node, ruleUnexpanded, Error, "write secret: {env: NAME}", "secret: hook files expand no variables: the secret is the text %s, which anyone can guess", secret.value.node.Value)
	}
}

// matchSlips looks at what a match rule compares with.
func (e *entry) matchSlips(match object) {
	if parameter, ok := match.get("parameter"); ok {
		e.variableName(parameter.value)
	}
	for _, key := range []string{"secret", "value", "ip-range"} {
		m, ok := match.get(key)
		if !ok || !m.value.isText() || !isVariable(m.value.node.Value) {
			continue
		}
		e.add(m.value.node, ruleUnexpanded, Error, "begin Pawl with -template and write {{ getenv \"NAME\" | printf \"%q\" }}",
			"%s: hook files expand no variables: it is the text %s, which anyone can guess", key, m.value.node.Value)
	}
}

// variableName tells of a value that is named by a variable.
func (e *entry) variableName(value object) {
	if ref := value.ref(); isVariable(ref.Name) {
		e.add(value.at("name"), ruleUnexpanded, Warning, "write the value's own name", "hook files expand no variables: the value named %s is looked for", ref.Name)
	}
}

// isForShell reports whether the hook's argument is one that a shell reads as a
// script: it expands variables.
func (e *entry) isForShell(argument int) bool {
	shells := []string{"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "env", "busybox"}
	return argument > 0 && slices.Contains(shells, path.Base(e.object.text("execute-command")))
}

// isPayloadName reports whether a text can hardly be meant as itself.
func isPayloadName(text string) bool {
	if !dotted.MatchString(text) {
		return false
	}
	head, rest, _ := strings.Cut(text, ".")
	last := text[strings.LastIndex(text, ".")+1:]
	if slices.Contains([]string{"user.name", "user.email"}, text) { // git config's
		return false
	}
	endings := []string{
		"com", "org", "net", "io", "dev", "local", "internal", "lan", "sh", "py", "rb", "js", "php", "pl", "txt", "conf", "cfg", "ini", "log", "md",
		"yaml", "yml", "json", "xml", "html", "service", "socket", "timer", "target", "tar", "gz", "zip", "env", "pem", "key", "git", "lock", "toml", "sql", "db", "exe", "bat", "ps1",
	}
	if slices.Contains(endings, strings.ToLower(last)) || rest == "" {
		return false
	}
	return slices.Contains(heads(), head)
}

// heads are the outermost names of the payloads of usual senders.
func heads() []string {
	return []string{
		"payload", "body", "repository", "head_commit", "commits", "pusher", "sender", "push_data", "project", "object_attributes",
		"pull_request", "pullrequest", "release", "issue", "comment", "workflow_run", "check_run", "registry_package", "package",
		"organization", "installation", "actor", "event_data", "push", "alerts", "commonLabels", "groupLabels", "target", "events",
		"resources", "updated_tags", "vulnerability", "merge_request", "user", "build", "data", "request", "detail", "header", "headers", "query",
	}
}

// templates tells of a file that is a template and is not read as one.
func (f *file) templates(text string) {
	if f.options.Template {
		return
	}
	at := action.FindStringIndex(text)
	if at == nil {
		return
	}
	before := text[:at[0]]
	line := strings.Count(before, "\n") + 1
	column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
	f.findings = append(f.findings, Finding{
		Rule: ruleTemplate, At: hook.Position{File: f.name, Line: line, Column: column}, Severity: Error,
		Text: "this is an action of a template, and the file is not read as one: it stays as it is",
		Fix:  "give -template, to pawl and to pawl check",
	})
}
