package cli

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/pawlhq/pawl/internal/sender"
)

// tellNew says what was written, and what to do now.
func (a *app) tellNew(o *newHookOptions, s *sender.Sender, paths newPaths, secret string) {
	fmt.Fprintf(a.stdout, "%s: hook %q for %s\n", paths.hook, o.name, s.Title)
	switch {
	case secret != "":
		fmt.Fprintf(a.stdout, "%s: its secret, for this user alone\n", paths.secret)
	case s.IssuesSecret:
		fmt.Fprintf(a.stdout, "%s is not there yet: write the secret that %s shows into it (mode 0600); until then the hook is not loaded\n", paths.secret, s.Title)
	}
	if events := o.takes(s); len(events) > 0 {
		fmt.Fprintf(a.stdout, "It runs for %s alone (events).\n", strings.Join(events, ", "))
	}
	fmt.Fprintf(a.stdout, "\nAt the sender:\n")
	for i, step := range s.Steps(o.operator(secret)) {
		fmt.Fprintf(a.stdout, "%3d. %s\n", i+1, step)
	}
	if len(o.topics) > 1 {
		fmt.Fprintf(a.stdout, "     The same for %s.\n", strings.Join(o.topics[1:], ", "))
	}
	if o.url == "" {
		fmt.Fprintf(a.stdout, "(%s stands for where your Pawl is reached: -url sets it)\n", exampleURL)
	}
	file := shellWord(paths.hook)
	fmt.Fprintf(a.stdout, "\nThen:\n  pawl check %[1]s\n  pawl serve -hooks %[1]s -hotreload\n  pawl send -hooks %[1]s %[2]s\n", file, o.name)
}

// shellWord writes a text so that a shell takes it as one word.
func shellWord(text string) string {
	plain := strings.IndexFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+,:@%=", r)
	}) < 0
	if plain && text != "" && text[0] != '-' {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'"'"'`) + "'"
}
