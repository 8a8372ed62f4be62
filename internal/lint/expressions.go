package lint

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
)

// quotedText is a text literal of an expression, and headerText one of headers or
// query by its name, at either side of ==.
const (
	quotedText = `(?:"(?:[^"\\]|\\.)+"|'(?:[^'\\]|\\.)+')`
	headerText = `(headers|query)\s*(?:\[\s*["']([^"']+)["']\s*\]|\.([A-Za-z_][A-Za-z0-9_]*))`
)

var (
	headerFirst = regexp.MustCompile(headerText + `\s*[!=]=\s*` + quotedText)
	headerLast  = regexp.MustCompile(quotedText + `\s*[!=]=\s*` + headerText)
)

// expressions tells of expressions that compare a header or a query parameter
// with a text that stands there, as one would a token: the text is no secret of
// the hook's, and is not compared as one.
func (e *entry) expressions() {
	if m, ok := e.object.get("when"); ok && m.value.isText() {
		e.comparedToken(m.value.node)
	}
	for _, value := range e.refs() {
		if value.ref().Source == delivery.CEL {
			e.comparedToken(value.at("name"))
		}
	}
}

func (e *entry) comparedToken(at *yaml.Node) {
	for _, expression := range []*regexp.Regexp{headerFirst, headerLast} {
		for _, found := range expression.FindAllStringSubmatch(at.Value, -1) {
			name := found[2] + found[3]
			part := strings.TrimSuffix(found[1], "s")
			if part == "header" && rule.IsPlainHeader(name) {
				continue
			}
			e.add(at, ruleInClear, Warning, "write auth: {"+part+": {name: "+name+"}} with secret: {file: PATH} in place of the comparison",
				"the expression compares %s %s with a text that stands in the hook file: if that is a token, whoever reads the file can call the hook, and it is not compared in constant time", part, name)
			return
		}
	}
}
