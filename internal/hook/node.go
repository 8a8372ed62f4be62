package hook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// maxNodes bounds what one file may come to when its aliases are followed, and
// maxDepth how deeply it may nest: an alias inside its own anchor never ends.
const (
	maxNodes = 200_000
	maxDepth = 100
)

// reader reads the nodes of one file and gathers what is wrong with them.
type reader struct {
	file     string
	hook     string // id of the hook being read
	own      bool   // the hook being read has a key of Pawl's
	problems Problems
	nodes    int
}

func (r *reader) note(node *yaml.Node, severity Severity, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		At:   Position{r.file, node.Line, node.Column},
		Hook: r.hook, Severity: severity, Text: fmt.Sprintf(format, args...),
	})
}

// refuse notes what keeps the file from being loaded.
func (r *reader) refuse(node *yaml.Node, format string, args ...any) {
	r.note(node, Refusal, format, args...)
}

// resolve follows an alias to what it stands for. Past maxNodes it gives null.
func (r *reader) resolve(node *yaml.Node) *yaml.Node {
	r.nodes++
	if r.nodes == maxNodes {
		r.refuse(node, "the file comes to more than %d nodes when its aliases are followed", maxNodes)
	}
	if r.nodes >= maxNodes {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: node.Line, Column: node.Column}
	}
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// field is one key of a mapping and its value.
type field struct {
	name       string
	key, value *yaml.Node
}

// fields gives the keys of a mapping, each once. A key that stands twice counts
// as its last, and a key of the mapping itself more than one that a merge key
// (<<) brings. What is null counts as absent, as in webhook.
func (r *reader) fields(node *yaml.Node, depth int) []field {
	var own, merged []field
	for i := 0; i+1 < len(node.Content) && depth < maxDepth; i += 2 {
		key, value := r.resolve(node.Content[i]), r.resolve(node.Content[i+1])
		if key.Kind != yaml.ScalarNode {
			r.refuse(key, "a key is a word, not %s", kindOf(key))
			continue
		}
		if key.Tag == "!!merge" {
			merged = append(merged, r.merged(value, depth+1)...)
			continue
		}
		own = put(own, field{key.Value, node.Content[i], value})
	}
	for _, f := range merged {
		if !slices.ContainsFunc(own, f.same) {
			own = append(own, f)
		}
	}
	return slices.DeleteFunc(own, func(f field) bool { return isNull(f.value) })
}

// merged gives what a merge key brings: the fields of one mapping, or of
// several in a list, the first of which counts.
func (r *reader) merged(node *yaml.Node, depth int) []field {
	switch node.Kind {
	case yaml.MappingNode:
		return r.fields(node, depth)
	case yaml.SequenceNode:
		var all []field
		for _, item := range node.Content {
			if item = r.resolve(item); item.Kind == yaml.MappingNode {
				for _, f := range r.fields(item, depth) {
					if !slices.ContainsFunc(all, f.same) {
						all = append(all, f)
					}
				}
			}
		}
		return all
	}
	r.refuse(node, "a merge key (<<) takes a mapping or a list of them, not %s", kindOf(node))
	return nil
}

// same compares names as webhook does: without regard to case.
func (f field) same(other field) bool { return strings.EqualFold(f.name, other.name) }

func put(list []field, f field) []field {
	if at := slices.IndexFunc(list, f.same); at >= 0 {
		list[at] = f
		return list
	}
	return append(list, f)
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null" }

// kindOf names what stands there, for an error that says what should.
func kindOf(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		switch node.ShortTag() {
		case "!!bool":
			return "a boolean (" + node.Value + ")"
		case "!!int", "!!float":
			return "a number (" + node.Value + ")"
		case "!!null":
			return "nothing"
		}
		return "text (" + strconv.Quote(node.Value) + ")"
	}
	return "something else"
}

// text reads text. An unquoted number or boolean becomes what YAML 1.1 makes of
// it, as in webhook (0123 is 83, on is true), and is told where that differs
// from what was written.
func (r *reader) text(f field) string {
	if f.value.Kind != yaml.ScalarNode {
		r.refuse(f.value, "%s is text, not %s", f.name, kindOf(f.value))
		return ""
	}
	text := f.value.Value
	if plain(f.value) {
		text = plainText(f.value)
	}
	if text != f.value.Value {
		r.note(f.value, Warning, "%s: %s without quotes is read as %q", f.name, f.value.Value, text)
	}
	return text
}

// plain reports whether a scalar stands there without quotes, so that YAML
// decides what it is.
func plain(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.Style&^yaml.FlowStyle == 0
}

// plainText gives the text that YAML 1.1 makes of an unquoted scalar.
func plainText(node *yaml.Node) string {
	if truth, ok := truth(node.Value); ok {
		return strconv.FormatBool(truth)
	}
	number := strings.ReplaceAll(node.Value, "_", "")
	switch node.ShortTag() {
	case "!!int":
		if n, err := strconv.ParseInt(number, 0, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case "!!float":
		if x, err := strconv.ParseFloat(number, 64); err == nil {
			if n, err := strconv.ParseUint(number, 10, 64); err == nil {
				return strconv.FormatUint(n, 10)
			}
			return strconv.FormatFloat(x, 'g', -1, 64)
		}
	}
	return node.Value
}

// truth reads the words for booleans of YAML 1.1.
func truth(word string) (value, ok bool) {
	if word != strings.ToLower(word) && word != strings.ToUpper(word) && word != strings.ToUpper(word[:1])+strings.ToLower(word[1:]) {
		return false, false
	}
	switch strings.ToLower(word) {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// boolean reads true or false, and the other words of YAML 1.1 as webhook does.
func (r *reader) boolean(f field) bool {
	if value, ok := truth(f.value.Value); ok && plain(f.value) {
		return value
	}
	r.refuse(f.value, "%s is true or false (without quotes), not %s", f.name, kindOf(f.value))
	return false
}

func (r *reader) number(f field) int {
	if f.value.Kind == yaml.ScalarNode && f.value.ShortTag() == "!!int" {
		if n, err := strconv.ParseInt(strings.ReplaceAll(f.value.Value, "_", ""), 0, 32); err == nil {
			return int(n)
		}
	}
	r.refuse(f.value, "%s is a whole number (without quotes), not %s", f.name, kindOf(f.value))
	return 0
}

// duration reads a length of time as in 90s, 15m or 1h30m.
func (r *reader) duration(f field) time.Duration {
	d, err := time.ParseDuration(f.value.Value)
	if f.value.Kind != yaml.ScalarNode || err != nil || d < 0 {
		r.refuse(f.value, "%s is a length of time as in 90s, 15m or 1h30m, not %s", f.name, kindOf(f.value))
		return 0
	}
	return d
}

// size reads a number of bytes as in 4096, 512KiB, 10MiB or 1GiB.
func (r *reader) size(f field) int64 {
	n, err := ParseSize(f.value.Value)
	if f.value.Kind != yaml.ScalarNode || err != nil {
		r.refuse(f.value, "%s is a size as in 512KiB, 10MiB or 1GiB, not %s", f.name, kindOf(f.value))
	}
	return n
}

// items gives the items of a list.
func (r *reader) items(f field) []*yaml.Node {
	if f.value.Kind != yaml.SequenceNode {
		r.refuse(f.value, "%s is a list, not %s", f.name, kindOf(f.value))
		return nil
	}
	items := make([]*yaml.Node, len(f.value.Content))
	for i, item := range f.value.Content {
		items[i] = r.resolve(item)
	}
	return items
}

// object gives the fields of what must be an object.
func (r *reader) object(what string, node *yaml.Node, depth int) []field {
	if node.Kind != yaml.MappingNode {
		if !isNull(node) {
			r.refuse(node, "%s is an object, not %s", what, kindOf(node))
		}
		return nil
	}
	return r.fields(node, depth)
}
