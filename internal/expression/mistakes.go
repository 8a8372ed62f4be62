package expression

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
)

// maxErrors is how many mistakes of one expression are told.
const maxErrors = 5

// undeclared is how the checker tells of a name that it does not know.
var undeclared = regexp.MustCompile(`^undeclared reference to '([^']*)'`)

// unwanted is how the parser tells of a word where another must stand.
var unwanted = regexp.MustCompile(`^(?:mismatched|extraneous) input '([^']*)'`)

// syntaxErrors puts what is wrong with an expression into words. Of a text that
// cannot be parsed the first mistake counts: what follows is of its making.
func syntaxErrors(text string, issues *cel.Issues) []*SyntaxError {
	var errs []*SyntaxError
	for _, issue := range issues.Errors() {
		what, unparsed := strings.CutPrefix(issue.Message, "Syntax error: ")
		line, column := max(1, issue.Location.Line()), max(1, issue.Location.Column()+1)
		e := &SyntaxError{line, column, words(what, rest(text, line, column))}
		if len(errs) == maxErrors {
			break
		}
		if !slices.ContainsFunc(errs, func(other *SyntaxError) bool { return *other == *e }) {
			errs = append(errs, e)
		}
		if unparsed {
			break
		}
	}
	return errs
}

// words says what one mistake is. The parser's own words, which name its tokens,
// say nothing to a person. rest is the expression from the mistake on.
func words(what, rest string) string {
	what, _, _ = strings.Cut(what, "\n")
	name, word := undeclared.FindStringSubmatch(what), unwanted.FindStringSubmatch(what)
	switch {
	case strings.HasPrefix(what, "token recognition error at: '="):
		return "one = means nothing here: to compare write =="
	case strings.HasPrefix(what, "token recognition error at: '&"):
		return "one & means nothing here: and is written &&"
	case strings.HasPrefix(what, "token recognition error at: '|"):
		return "one | means nothing here: or is written ||"
	case strings.HasPrefix(what, "token recognition error at: '\""), strings.HasPrefix(what, "token recognition error at: ''"):
		return "a text begins here and has no end: its closing quote is missing"
	case strings.Contains(what, "'<EOF>'"):
		return "the expression ends too early: something is missing behind it"
	case word != nil && strings.EqualFold(word[1], "and"):
		return "and is written &&"
	case word != nil && strings.EqualFold(word[1], "or"):
		return "or is written ||"
	case word != nil:
		return fmt.Sprintf("%q cannot stand here", word[1])
	case strings.HasPrefix(what, "invalid matches argument"):
		return "this is no regular expression that matches could use (https://github.com/google/re2/wiki/Syntax)"
	case name != nil && strings.HasPrefix(strings.TrimPrefix(rest, name[1]), "("):
		return fmt.Sprintf("unknown function %q", name[1])
	case name != nil:
		return fmt.Sprintf("unknown name %q: a value of the payload is payload.%s; known are payload, headers, query, method, sender, event and element", name[1], name[1])
	}
	if cut := strings.Index(what, " expecting "); cut >= 0 {
		what = what[:cut]
	}
	return strings.ReplaceAll(what, " (in container '')", "")
}

// rest gives a text from a place on.
func rest(text string, line, column int) string {
	lines := strings.SplitAfter(text, "\n")
	if line > len(lines) {
		return ""
	}
	characters := []rune(lines[line-1])
	return string(characters[min(column-1, len(characters)):])
}
