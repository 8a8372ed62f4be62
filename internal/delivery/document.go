package delivery

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// document is a JSON text in which values are found by name, straight from the
// text. It is an object, a list, or null.
type document struct {
	text  string   // exactly one value, accepted by a scanner; UTF-8
	index []member // of the outermost object; nil if it has too many members

	// root says that text is a list that stands for {"root": text}: webhook puts
	// a body that is a list under this name.
	root bool

	// nils are the offsets of those nulls that stand for an empty object: a text
	// "null" that was parsed as a parameter. They render as "null", whereas other
	// nulls render as "<nil>".
	nils []int
}

// value is a value as it was found.
type value struct {
	text    string
	literal bool // text is the value itself, not JSON
	null    bool // the null that stands for an empty object
}

func literalValue(text string) value { return value{text: text, literal: true} }

// render returns the value as it reaches rules and scripts: a string is its
// text, numbers are as they were written, objects and lists are canonical JSON,
// and null is "<nil>".
func (v value) render() string {
	switch {
	case v.literal, v.null:
		return v.text
	case v.text[0] == '"':
		return decodeString(v.text[1 : len(v.text)-1])
	case v.text[0] == '{', v.text[0] == '[':
		return textOf(appendCanonical(nil, v.text))
	case v.text[0] == 'n':
		return "<nil>"
	}
	return v.text
}

var errAbsent = errors.New("it is not in the request")

func notObject(err error) error { return fmt.Errorf("its text is no JSON object: %w", err) }

var errScalar = errors.New("it is neither an object nor a list")

// parseDocument reads the first JSON value of text. What follows it is dropped,
// as webhook does. limit is how deep it may be nested.
//
// What is no UTF-8 is replaced here, once: escapes and keys can then be told
// apart by their bytes, and no rendering is larger than canonicalSize says.
func parseDocument(text string, limit int) (*document, error) {
	start, end, index, err := scanValue(text, limit)
	if err != nil {
		return nil, err
	}
	if valid := toValid(text[start:end]); len(valid) != end-start {
		text = valid
		if start, end, index, err = scanValue(text, limit); err != nil {
			return nil, err
		}
	}
	d := &document{text: text[start:end], index: index}
	switch text[start] {
	case '{':
		for i := range index {
			m := &index[i]
			m.keyStart, m.keyEnd = m.keyStart-start, m.keyEnd-start
			m.start, m.end = m.start-start, m.end-start
		}
	case '[':
		d.root = true
	case 'n':
	default:
		return nil, errScalar
	}
	return d, nil
}

// parseObject is parseDocument for what must be an object or null: a parameter
// parsed as JSON, a file in a form.
func parseObject(text string) (*document, error) {
	d, err := parseDocument(text, maxDepth)
	switch {
	case err != nil:
		return nil, err
	case d.root:
		return nil, errors.New("it is a list, not an object")
	case d.text == "null":
		d.nils = []int{0}
	}
	return d, nil
}

// whole returns the document as a value.
func (d *document) whole() value {
	return value{text: d.text, null: slices.Contains(d.nils, 0)}
}

// size is how many bytes appendTo may append.
func (d *document) size() int { return canonicalSize(d.text) + len(`{"root":}`) }

// appendTo appends the whole document as canonical JSON.
func (d *document) appendTo(out []byte) []byte {
	if !d.root {
		return appendCanonical(out, d.text)
	}
	out = append(slices.Grow(out, d.size()), `{"root":`...)
	return append(appendCanonical(out, d.text), '}')
}

// find returns the value of that name as webhook resolves it: a whole key comes
// first, then the part before the first dot, and so on in what that names;
// digits index lists. The last of equal keys counts.
func (d *document) find(name string) (value, bool) {
	start, end, ok := d.locate(name)
	if !ok {
		return value{}, false
	}
	return value{text: d.text[start:end], null: slices.Contains(d.nils, start)}, true
}

// locate returns where the value of that name stands in the text.
func (d *document) locate(name string) (start, end int, ok bool) {
	if d.root {
		head, rest, dotted := strings.Cut(name, ".")
		if head != "root" {
			return 0, 0, false
		}
		if !dotted {
			return 0, len(d.text), true
		}
		return locate(d.text, 0, rest)
	}
	if d.text[0] == '{' && d.index != nil {
		c := newChoice(name)
		for i := range d.index {
			c.see(d.text, &d.index[i])
		}
		return c.locate(d.text)
	}
	return locate(d.text, 0, name)
}

// locate finds name in the value at pos.
func locate(text string, pos int, name string) (start, end int, ok bool) {
	switch text[pos] {
	case '{':
		c := newChoice(name)
		for m, ok := nextMember(text, pos+1); ok; m, ok = nextMember(text, m.end) {
			m.end = skipValue(text, m.start)
			c.see(text, &m)
		}
		return c.locate(text)
	case '[':
		head, rest, dotted := strings.Cut(name, ".")
		number, err := strconv.ParseUint(head, 10, 64)
		if err != nil {
			return 0, 0, false
		}
		start, ok = element(text, pos, number)
		if !ok {
			return 0, 0, false
		}
		if dotted {
			return locate(text, start, rest)
		}
		return start, skipValue(text, start), true
	}
	return 0, 0, false
}

// choice looks for a name among an object's members: for the last whose key is
// all of it, and the last whose key is its part before the first dot.
type choice struct {
	name, head, rest string
	dotted           bool
	whole            member // its start is 0 while there is none
	part             int    // where the value starts; 0 while there is none
}

func newChoice(name string) choice {
	c := choice{name: name}
	c.head, c.rest, c.dotted = strings.Cut(name, ".")
	return c
}

func (c *choice) see(text string, m *member) {
	switch key := text[m.keyStart:m.keyEnd]; {
	case spells(key, c.name):
		c.whole = *m
	case c.dotted && spells(key, c.head):
		c.part = m.start
	}
}

// locate returns where the value is, looking further in the part if need be.
func (c *choice) locate(text string) (start, end int, ok bool) {
	switch {
	case c.whole.start > 0:
		return c.whole.start, c.whole.end, true
	case c.dotted && c.part > 0:
		return locate(text, c.part, c.rest)
	}
	return 0, 0, false
}

// element returns where the list at pos has its element of that number.
func element(text string, pos int, number uint64) (start int, ok bool) {
	pos = skipSpace(text, pos+1)
	for text[pos] != ']' {
		if number == 0 {
			return pos, true
		}
		number--
		if pos = skipSpace(text, skipValue(text, pos)); text[pos] == ',' {
			pos = skipSpace(text, pos+1)
		}
	}
	return 0, false
}

// parseParameter makes an object of the text that stands at name, in a new
// document. What is no text (an object already, a number, null) stays.
func (d *document) parseParameter(name string) (*document, error) {
	start, end, ok := d.locate(name)
	if !ok {
		return d, errAbsent
	}
	if d.text[start] != '"' {
		return d, nil
	}
	object, err := parseObject(decodeString(d.text[start+1 : end-1]))
	if err != nil {
		return d, notObject(err)
	}
	text := d.text[:start] + object.text + d.text[end:]
	// Each parameter may be as deep as a document; hooks name few of them.
	_, _, index, err := scanValue(text, len(text))
	if err != nil {
		return d, err
	}
	replaced := &document{text: text, index: index, root: d.root}
	for _, offset := range d.nils {
		if offset > start {
			offset += len(text) - len(d.text)
		}
		replaced.nils = append(replaced.nils, offset)
	}
	if object.nils != nil {
		replaced.nils = append(replaced.nils, start)
	}
	return replaced, nil
}
