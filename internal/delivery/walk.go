package delivery

import "strings"

// The functions here walk text that a scanner has accepted.

// skipSpace returns where the white space at pos ends.
func skipSpace(text string, pos int) int {
	for isSpace(text[pos]) {
		pos++
	}
	return pos
}

// skipString returns where the string that starts at pos ends.
func skipString(text string, pos int) int {
	for pos++; ; pos++ {
		pos += strings.IndexByte(text[pos:], '"')
		escapes := 0
		for text[pos-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return pos + 1
		}
	}
}

// skipValue returns where the value that starts at pos ends.
func skipValue(text string, pos int) int {
	depth := 0
	for pos < len(text) {
		switch text[pos] {
		case '"':
			pos = skipString(text, pos)
		case '{', '[':
			depth++
			pos++
			continue
		case '}', ']':
			depth--
			pos++
		case ' ', '\n', '\t', '\r', ',', ':':
			pos++
			continue
		default:
			pos = skipScalar(text, pos)
		}
		if depth == 0 {
			return pos
		}
	}
	return pos
}

// skipScalar returns where the number or word that starts at pos ends.
func skipScalar(text string, pos int) int {
	for pos < len(text) {
		switch text[pos] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return pos
		}
		pos++
	}
	return pos
}

// nextMember reads the key and the value of an object's member; pos is behind
// the opening bracket or behind the member before. It reports false at the end.
func nextMember(text string, pos int) (member, bool) {
	if pos = skipSpace(text, pos); text[pos] == ',' {
		pos = skipSpace(text, pos+1)
	}
	if text[pos] == '}' {
		return member{}, false
	}
	m := member{keyStart: pos + 1}
	m.keyEnd = skipString(text, pos) - 1
	m.start = skipSpace(text, skipSpace(text, m.keyEnd+1)+1)
	return m, true
}
