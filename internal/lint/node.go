package lint

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
)

// file is a hook file that is looked at.
type file struct {
	name     string
	options  Options
	place    func(*yaml.Node) hook.Position
	budget   int // how many nodes may be looked at still
	findings []Finding
}

// budget bounds what aliases to aliases may come to.
const budget = 200_000

// entry is one hook of a file.
type entry struct {
	*file
	object object
	id     string
	hook   *hook.Hook // nil where the file could not be loaded
}

// look looks at all of a hook.
func (e *entry) look() {
	e.callers()
	e.unset()
	e.secrets()
	e.command()
	e.arguments()
	e.slips()
	e.values()
	e.expressions()
	if trigger, ok := e.object.get("trigger-rule"); ok {
		e.tree(trigger.value)
	}
}

// add notes a finding at a node; nil is the hook itself.
func (e *entry) add(at *yaml.Node, r string, severity Severity, fix, format string, args ...any) {
	if at == nil {
		at = e.object.node
	}
	e.file.findings = append(e.file.findings, Finding{
		Rule: r, At: e.place(at), Hook: e.id, Severity: severity, Text: fmt.Sprintf(format, args...), Fix: fix,
	})
}

// object is a node that may be an object or a list, with aliases followed one
// step: what nests in itself was refused by the reader.
type object struct {
	file *file
	node *yaml.Node
}

// member is a key of an object with its value.
type member struct {
	key    *yaml.Node
	value  object
	merged bool // it comes by a merge key (<<)
}

func resolve(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// items gives the items of a list; none of what is no list.
func (o object) items() []object {
	if o.node == nil { // of a key that is not there
		return nil
	}
	node := resolve(o.node)
	if o.file.budget -= len(node.Content); node.Kind != yaml.SequenceNode || o.file.budget < 0 {
		return nil
	}
	items := make([]object, len(node.Content))
	for i, item := range node.Content {
		items[i] = object{o.file, resolve(item)}
	}
	return items
}

// members gives the keys of an object, those that a merge key brings last.
func (o object) members() []member {
	if o.node == nil {
		return nil
	}
	node := resolve(o.node)
	if o.file.budget -= len(node.Content); node.Kind != yaml.MappingNode || o.file.budget < 0 {
		return nil
	}
	var own, merged []member
	for i := 0; i+1 < len(node.Content); i += 2 {
		m := member{node.Content[i], object{o.file, resolve(node.Content[i+1])}, false}
		if resolve(m.key).Tag != "!!merge" {
			own = append(own, m)
			continue
		}
		merged = append(merged, m.value.members()...)
		for _, item := range m.value.items() {
			merged = append(merged, item.members()...)
		}
	}
	for _, m := range merged {
		m.merged = true
		own = append(own, m)
	}
	return own
}

// get finds a key, in any case, as the reader does; of several of an object's own
// the last counts.
func (o object) get(name string) (found member, ok bool) {
	for _, m := range o.members() {
		if strings.EqualFold(resolve(m.key).Value, name) {
			if !ok || !m.merged {
				found, ok = m, true
			}
		}
	}
	return found, ok
}

// text gives the text of a key, "" where there is none.
func (o object) text(name string) string {
	m, ok := o.get(name)
	if !ok || m.value.node.Kind != yaml.ScalarNode {
		return ""
	}
	return m.value.node.Value
}

// ref reads a value's source and name.
func (o object) ref() delivery.Ref {
	return delivery.Ref{Source: delivery.Source(o.text("source")), Name: o.text("name")}
}

// isText reports whether a node is text and not empty.
func (o object) isText() bool {
	return o.node != nil && o.node.Kind == yaml.ScalarNode && o.node.Value != "" && o.node.ShortTag() != "!!null"
}

// at is the node of a key's value, or the object's own where it has none.
func (o object) at(name string) *yaml.Node {
	if m, ok := o.get(name); ok {
		return m.value.node
	}
	return o.node
}
