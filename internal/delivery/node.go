package delivery

import (
	"iter"
	"maps"
	"slices"
)

// Node is a value of a delivery as expressions see it: JSON as it stands in the
// text, read where it is looked at and not before, or a text of a form. It is
// small, for there may be one for each two bytes of a body. The zero Node is
// null.
type Node struct {
	text string
	as   *notJSON // what text is instead; nil: JSON
}

// notJSON is what a Node is that is no JSON value as it stands.
type notJSON struct {
	root bool    // the text is a list, which stands for {"root": list}
	form *fields // an object of texts; without: the text itself
}

// NodeKind is the kind of a Node.
type NodeKind int

// The kinds of nodes.
const (
	NullNode NodeKind = iota
	BoolNode
	NumberNode
	TextNode
	ListNode
	ObjectNode
)

// PayloadNode is the whole payload; false where there is none.
func (d *Delivery) PayloadNode() (Node, bool) {
	d.load()
	switch {
	case d.document != nil && d.document.root:
		return Node{d.document.text, &notJSON{root: true}}, true
	case d.document != nil:
		return Node{text: d.document.text}, true
	case d.form != nil:
		return Node{as: &notJSON{form: d.form}}, true
	}
	return Node{}, false
}

// ElementNode is the present element of for-each; false where there is none.
func (d *Delivery) ElementNode() (Node, bool) {
	found, ok := d.findElement("")
	return Node{text: found.text}, ok
}

// QueryTexts are the parameters of the query. They must not be changed.
func (d *Delivery) QueryTexts() map[string][]string { return d.queryFields().texts }

// Kind is what kind of value it is.
func (n Node) Kind() NodeKind {
	switch {
	case n.as != nil && (n.as.form != nil || n.as.root):
		return ObjectNode
	case n.as != nil:
		return TextNode
	case n.text == "":
		return NullNode
	}
	switch n.text[0] {
	case '{':
		return ObjectNode
	case '[':
		return ListNode
	case '"':
		return TextNode
	case 't', 'f':
		return BoolNode
	case 'n':
		return NullNode
	}
	return NumberNode
}

// Text is the value as it reaches rules and scripts.
func (n Node) Text() string {
	switch {
	case n.as == nil && n.text == "":
		return "<nil>"
	case n.as == nil:
		return value{text: n.text}.render()
	case n.as.form != nil:
		return textOf(n.as.form.appendTo(nil))
	case n.as.root:
		return textOf((&document{text: n.text, root: true}).appendTo(nil))
	}
	return n.text
}

// Size is how many bytes have to be read to know all of it.
func (n Node) Size() int {
	if n.as != nil && n.as.form != nil {
		return n.as.form.size()
	}
	return len(n.text)
}

// Members goes through the members of an object. A key may come twice: the last
// counts.
func (n Node) Members() iter.Seq2[string, Node] {
	return func(yield func(string, Node) bool) {
		switch {
		case n.as != nil && n.as.form != nil:
			n.as.form.members(yield)
		case n.as != nil && n.as.root:
			yield("root", Node{text: n.text})
		case n.Kind() == ObjectNode:
			for m, ok := nextMember(n.text, 1); ok; m, ok = nextMember(n.text, m.end) {
				m.end = skipValue(n.text, m.start)
				if !yield(decodeString(n.text[m.keyStart:m.keyEnd]), Node{text: n.text[m.start:m.end]}) {
					return
				}
			}
		}
	}
}

// members goes through fields in the order of their names.
func (f *fields) members(yield func(string, Node) bool) {
	literal := &notJSON{}
	names := slices.AppendSeq(slices.Collect(maps.Keys(f.texts)), maps.Keys(f.objects))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if object := f.objects[name]; object != nil {
			if !yield(name, Node{text: object.text}) {
				return
			}
		} else if texts := f.texts[name]; len(texts) > 0 && !yield(name, Node{texts[0], literal}) {
			return
		}
	}
}

// Elements goes through the elements of a list.
func (n Node) Elements() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.Kind() != ListNode {
			return
		}
		for pos := skipSpace(n.text, 1); n.text[pos] != ']'; {
			end := skipValue(n.text, pos)
			if !yield(Node{text: n.text[pos:end]}) {
				return
			}
			if pos = skipSpace(n.text, end); n.text[pos] == ',' {
				pos = skipSpace(n.text, pos+1)
			}
		}
	}
}
