package delivery

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// appendCanonical appends the JSON value in text as encoding/json would write
// it again after reading it into maps: compact, keys sorted, of equal keys the
// last, numbers as written, < > & and U+2028/9 escaped.
func appendCanonical(out []byte, text string) []byte {
	r := renderer{text: text, out: out, canonical: true, containers: containers(text)}
	r.write(0)
	return r.out
}

// normalise writes the JSON value in text compactly, in its order, with each
// key once (the last of equal ones) and spelt one way. This is the text that
// paths are resolved in.
func normalise(text string) string {
	r := renderer{text: text, out: make([]byte, 0, len(text)), containers: containers(text)}
	r.write(0)
	return string(r.out)
}

// container is where an object or list ends, and the number of the first
// container that starts behind it. With these, what a container holds is
// skipped at once: without them each level of nesting would read all that is
// in it again.
type container struct{ end, next int }

// containers lists the containers of text in the order of their starts.
func containers(text string) []container {
	var list []container
	var open []int
	for pos := 0; pos < len(text); {
		switch text[pos] {
		case '"':
			pos = skipString(text, pos)
			continue
		case '{', '[':
			open = append(open, len(list))
			list = append(list, container{})
		case '}', ']':
			last := len(open) - 1
			list[open[last]] = container{end: pos + 1, next: len(list)}
			open = open[:last]
		}
		pos++
	}
	return list
}

type renderer struct {
	text       string
	out        []byte
	canonical  bool
	containers []container
	next       int      // number of the next container
	members    []placed // scratch, used as a stack
}

// placed is a member of an object: its key decoded, where its value starts, and
// the number of the first container from there on.
type placed struct {
	key         string
	start, next int
}

// write appends the value at pos and returns where it ends. The recursion is as
// deep as a scanner allowed.
func (r *renderer) write(pos int) int {
	switch r.text[pos] {
	case '{':
		return r.object(pos)
	case '[':
		r.next++
		r.out = append(r.out, '[')
		for pos = skipSpace(r.text, pos+1); r.text[pos] != ']'; pos = skipSpace(r.text, pos) {
			if r.text[pos] == ',' {
				r.out = append(r.out, ',')
				pos = skipSpace(r.text, pos+1)
			}
			pos = r.write(pos)
		}
		r.out = append(r.out, ']')
		return pos + 1
	case '"':
		end := skipString(r.text, pos)
		r.string(r.text[pos:end])
		return end
	}
	end := skipScalar(r.text, pos)
	r.out = append(r.out, r.text[pos:end]...)
	return end
}

// string appends a string. In a canonical text it is spelt as encoding/json
// does, else as it came unless it holds what is no UTF-8.
func (r *renderer) string(quoted string) {
	inside := quoted[1 : len(quoted)-1]
	if isCanonical(inside) || !r.canonical && utf8.ValidString(inside) {
		r.out = append(r.out, quoted...)
		return
	}
	r.out = appendString(r.out, decodeString(inside))
}

func (r *renderer) object(pos int) int {
	self := r.containers[r.next]
	first := len(r.members)
	r.collect(pos)
	list := unique(r.members[first:])
	if !r.canonical {
		slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(a.start, b.start) })
	}
	r.out = append(r.out, '{')
	for i := range list {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		r.out = append(appendString(r.out, list[i].key), ':')
		r.next = list[i].next
		r.write(list[i].start)
	}
	r.out = append(r.out, '}')
	clear(r.members[first:])
	r.members = r.members[:first]
	r.next = self.next
	return self.end
}

// collect puts the members of the object at pos on the stack.
func (r *renderer) collect(pos int) {
	r.next++
	pos++
	for {
		m, ok := nextMember(r.text, pos)
		if !ok {
			return
		}
		key := decodeString(r.text[m.keyStart:m.keyEnd])
		r.members = append(r.members, placed{key: key, start: m.start, next: r.next})
		switch r.text[m.start] {
		case '{', '[':
			pos, r.next = r.containers[r.next].end, r.containers[r.next].next
		default:
			pos = skipValue(r.text, m.start)
		}
	}
}

// unique sorts members by key and keeps the last of equal ones.
func unique(list []placed) []placed {
	slices.SortFunc(list, func(a, b placed) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.start, b.start))
	})
	kept := list[:0]
	for i := range list {
		if i+1 == len(list) || list[i].key != list[i+1].key {
			kept = append(kept, list[i])
		}
	}
	return kept
}
