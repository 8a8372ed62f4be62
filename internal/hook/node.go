package hook

import (
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/expression"
)

// aliasedNodes and aliasedTimes bound what one file may come to when its aliases
// are followed: so many nodes, and so many times what is written in it. A few
// lines of aliases to aliases would fill any memory.
const (
	aliasedNodes = 20_000
	aliasedTimes = 10
)

// reader reads the nodes of one file and gathers what is wrong with them.
type reader struct {
	file     string
	options  Options
	parsed   []byte   // the text that the nodes are of
	lines    [][]byte // of parsed, once they are asked for
	problems Problems
	budget   int                              // how many nodes may be read still
	joined   map[int][]int                    // line to the columns after which two characters are missing
	digests  map[*yaml.Node][sha256.Size]byte // of what has an anchor
	named    []Awaited                        // the files that the hooks name, besides commands

	compilations map[written]compilation

	// Of the hook that is being read:
	entry
}

// entry is what is known of the hook that is being read.
type entry struct {
	key         string                // that is being read, as in "queue.key"
	own         bool                  // a key of Pawl's was there
	places      map[string]*yaml.Node // the values of Pawl's keys, as in "queue.key"
	onceFor     string                // the key that is read is asked once for a delivery
	elements    []elementUse          // where an element of for-each is asked for
	directory   string                // command-working-directory
	bounds      []Bound
	expressions expression.Set
	caller      caller
	advices     Problems // warnings that no key of Pawl's makes more of
}

func (r *reader) note(node *yaml.Node, severity Severity, format string, args ...any) {
	if r.budget < 0 {
		return // what is read now is not in the file
	}
	at := r.position(node.Line, node.Column)
	r.problems = append(r.problems, Problem{At: at, Severity: severity, Text: fmt.Sprintf(format, args...)})
}

// refuse notes what keeps the file from being loaded.
func (r *reader) refuse(node *yaml.Node, format string, args ...any) {
	r.note(node, Refusal, format, args...)
}

// wrong notes what webhook would find by a request at best.
func (r *reader) wrong(node *yaml.Node, format string, args ...any) {
	r.note(node, Error, format, args...)
}

// advise notes what may well be meant so, and refuses no file.
func (r *reader) advise(node *yaml.Node, format string, args ...any) {
	if r.budget < 0 {
		return
	}
	at := r.position(node.Line, node.Column)
	r.advices = append(r.advices, Problem{At: at, Severity: Warning, Text: fmt.Sprintf(format, args...)})
}

// wrongIf notes an error about a key, if it is one.
func (r *reader) wrongIf(node *yaml.Node, key string, err error) {
	if err != nil {
		r.wrong(node, "%s: %v", key, err)
	}
}

// resolve follows an alias to what it stands for. When the budget is used up it
// gives null.
func (r *reader) resolve(node *yaml.Node) *yaml.Node {
	r.budget--
	if r.budget == 0 {
		r.refuse(node, "the file comes to over %d times its size when its aliases are followed", aliasedTimes)
	}
	if r.exhausted() {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: node.Line, Column: node.Column}
	}
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// exhausted reports whether the file came to too many nodes: what was read of it
// is not whole.
func (r *reader) exhausted() bool { return r.budget <= 0 }

// field is one key of an object and its value.
type field struct {
	name       string // as written
	key, value *yaml.Node
}

// folded is the name without regard to case, as webhook compares names.
func (f field) folded() string { return strings.ToLower(strings.ToUpper(f.name)) }

// fields is the keys of an object, each once.
type fields struct {
	list  []field
	at    map[string]int // by folded name
	exact bool           // names that differ in their case alone are two
}

// put adds a field unless its name is there already, which it reports.
func (fs *fields) put(f field) (earlier *field) {
	name := f.name
	if !fs.exact {
		name = f.folded()
	}
	if at, ok := fs.at[name]; ok {
		return &fs.list[at]
	}
	if fs.at == nil {
		fs.at = map[string]int{}
	}
	fs.at[name] = len(fs.list)
	fs.list = append(fs.list, f)
	return nil
}

// fieldsOf gives the keys of an object. One that stands twice counts as its
// last, as in webhook, and a key of the object itself more than one that a merge
// key (<<) brings.
func (r *reader) fieldsOf(node *yaml.Node) []field { return r.gather(node, fields{}) }

// fieldsAsWritten is fieldsOf where case counts.
func (r *reader) fieldsAsWritten(node *yaml.Node) []field { return r.gather(node, fields{exact: true}) }

func (r *reader) gather(node *yaml.Node, own fields) []field {
	var merges []*yaml.Node
	for i := 0; i+1 < len(node.Content) && !r.exhausted(); i += 2 {
		key, value := r.resolve(node.Content[i]), r.resolve(node.Content[i+1])
		switch {
		case key.Kind != yaml.ScalarNode:
			r.refuse(node.Content[i], "a key is a word, not %s", kindOf(key))
		case key.Tag == "!!merge":
			merges = append(merges, value)
		default:
			f := field{key.Value, node.Content[i], value}
			if earlier := own.put(f); earlier != nil {
				r.note(earlier.key, Warning, "the key %q stands in line %d again; the last one counts", earlier.name, f.key.Line)
				*earlier = f
			}
		}
	}
	for _, merge := range merges {
		for _, f := range r.merged(merge) {
			own.put(f)
		}
	}
	return own.list
}

// merged gives what a merge key brings: the fields of one object, or of several
// in a list, the first of which counts.
func (r *reader) merged(node *yaml.Node) []field {
	switch node.Kind {
	case yaml.MappingNode:
		return r.fieldsOf(node)
	case yaml.SequenceNode:
		var all fields
		for _, item := range node.Content {
			item = r.resolve(item)
			for _, f := range r.object("an item of a merge key (<<)", item) {
				all.put(f)
			}
		}
		return all.list
	}
	r.refuse(node, "a merge key (<<) takes an object or a list of them, not %s", kindOf(node))
	return nil
}

// object gives the fields of what must be an object. Null has none.
func (r *reader) object(what string, node *yaml.Node) []field {
	switch {
	case isNull(node):
		return nil
	case node.Kind != yaml.MappingNode:
		r.refuse(node, "%s is an object, not %s", what, kindOf(node))
		return nil
	}
	return r.fieldsOf(node)
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
