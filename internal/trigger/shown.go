package trigger

import (
	"regexp"
	"strings"
)

// What is compared in an expression: a text, and the texts of a list.
var (
	comparedText = regexp.MustCompile(`((?:==|!=)\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')`)
	textCompared = regexp.MustCompile(`(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')(\s*(?:==|!=))`)
	comparedList = regexp.MustCompile(`(\bin\s*)\[[^\]]*\]`)
)

// Shown is an expression, or a reason with one in it, as logs and explanations show
// it: where it looks at headers or the query, the texts that it compares are left
// out, for one may be a token.
func Shown(text string) string {
	if !strings.Contains(text, "headers") && !strings.Contains(text, "query") {
		return text
	}
	text = comparedText.ReplaceAllString(text, `${1}"…"`)
	text = textCompared.ReplaceAllString(text, `"…"${1}`)
	return comparedList.ReplaceAllString(text, `${1}[…]`)
}
