package delivery

import (
	"cmp"
	"slices"
	"strings"
)

// appendCanonical appends the JSON value in text as encoding/json would write
// it again after reading it into maps: compact, keys sorted, of equal keys the
// last, numbers as written, < > & and U+2028/9 escaped.
//
// Beside what it appends it takes up to four bytes for each of text: 16 for a
// member of an object, 8 for an object or list in one.
func appendCanonical(out []byte, text string) []byte {
	r := renderer{text: text, out: slices.Grow(out, canonicalSize(text)), canonical: true, containers: containers(text)}
	r.write(0)
	return r.out
}

// normalise writes the JSON value in text compactly, in its order, with each
// key once (the last of equal ones) and spelt one way. This is the text that
// paths are resolved in.
func normalise(text string) string {
	r := renderer{text: text, out: make([]byte, 0, len(text)), containers: containers(text)}
	r.write(0)
	return textOf(r.out)
}

type renderer struct {
	text       string
	out        []byte
	canonical  bool
	containers containerTable
	next       uint32   // number of the next container
	members    []placed // scratch, used as a stack
	decoded    []byte   // scratch too: keys that are not in text as they are
}

// placed is a member of an object: where its key stands, decoded, in text or, as
// many bytes behind text's end, in decoded; where its value starts; and the
// number of the first container from there on.
type placed struct{ key, length, start, next uint32 }

func (r *renderer) key(p placed) string {
	if int(p.key) < len(r.text) {
		return r.text[p.key : p.key+p.length]
	}
	at := int(p.key) - len(r.text)
	return textOf(r.decoded[at : at+int(p.length) : at+int(p.length)])
}

// write appends the value at pos and returns where it ends. The recursion is as
// deep as a scanner allowed.
func (r *renderer) write(pos int) int {
	switch r.text[pos] {
	case '{':
		return r.object(pos)
	case '[':
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

// string appends a string: in a canonical text spelt as encoding/json does, else
// as it came.
func (r *renderer) string(quoted string) {
	inside := quoted[1 : len(quoted)-1]
	if !r.canonical || isCanonical(inside) {
		r.out = append(r.out, quoted...)
		return
	}
	r.out = append(appendRespelt(append(r.out, '"'), inside), '"')
}

func (r *renderer) object(pos int) int {
	first, firstDecoded := len(r.members), len(r.decoded)
	end := r.collect(pos)
	behind := r.next
	list := r.unique(r.members[first:])
	if !r.canonical {
		slices.SortFunc(list, func(a, b placed) int { return cmp.Compare(a.start, b.start) })
	}
	r.out = append(r.out, '{')
	for i, member := range list {
		if i > 0 {
			r.out = append(r.out, ',')
		}
		if r.canonical {
			r.out = appendString(r.out, r.key(member))
		} else {
			r.out = appendMinimal(r.out, r.key(member))
		}
		r.out = append(r.out, ':')
		r.next = member.next
		if c := r.text[member.start]; c == '{' || c == '[' {
			r.next++
		}
		r.write(int(member.start))
	}
	r.out = append(r.out, '}')
	r.members, r.decoded = r.members[:first], r.decoded[:firstDecoded]
	r.next = behind
	return end
}

// collect puts the members of the object at pos on the stack, and returns where
// the object ends.
func (r *renderer) collect(pos int) int {
	pos++
	for {
		m, ok := nextMember(r.text, pos)
		if !ok {
			return skipSpace(r.text, pos) + 1
		}
		p := placed{key: uint32(m.keyStart), length: uint32(m.keyEnd - m.keyStart), start: uint32(m.start), next: r.next}
		if inside := r.text[m.keyStart:m.keyEnd]; !isDecoded(inside) {
			at := len(r.decoded)
			r.decoded = appendDecoded(slices.Grow(r.decoded, len(inside)), inside)
			p.key, p.length = uint32(len(r.text)+at), uint32(len(r.decoded)-at)
		}
		if n := len(r.members); n == cap(r.members) && n >= 1024 {
			// Many: from here on no larger scratch than these members need.
			r.members = slices.Grow(r.members, r.count(pos))
		}
		r.members = append(r.members, p)
		pos = r.skip(m.start)
	}
}

// count returns how many members the object has from pos on.
func (r *renderer) count(pos int) (n int) {
	next := r.next
	for m, ok := nextMember(r.text, pos); ok; m, ok = nextMember(r.text, r.skip(m.start)) {
		n++
	}
	r.next = next
	return n
}

// skip returns where a member's value ends that starts at pos, without looking
// into it.
func (r *renderer) skip(pos int) int {
	if c := r.text[pos]; c != '{' && c != '[' {
		return skipValue(r.text, pos)
	}
	c := r.containers.at(r.next)
	r.next = c.next
	return int(c.end)
}

// unique sorts members by key and keeps the last of equal ones.
func (r *renderer) unique(list []placed) []placed {
	slices.SortFunc(list, func(a, b placed) int {
		if order := strings.Compare(r.key(a), r.key(b)); order != 0 {
			return order
		}
		return cmp.Compare(a.start, b.start)
	})
	kept := list[:0]
	for i := range list {
		if i+1 == len(list) || r.key(list[i]) != r.key(list[i+1]) {
			kept = append(kept, list[i])
		}
	}
	return kept
}
