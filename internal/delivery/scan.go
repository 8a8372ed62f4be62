package delivery

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxDepth is how deep objects, lists and elements may stand in one another.
	// Deeper payloads are not parsed: whatever walks them, here or in a script,
	// would need a stack that the sender chooses.
	maxDepth = 1000

	// maxIndexed is how many members of the outermost object are remembered by
	// the scan. An object with more is searched anew for each value: the index
	// must not cost more memory than the body itself.
	maxIndexed = 1024

	// maxText is how many bytes a JSON text may have: places in it are kept as 32
	// bits, of which what is rendered needs a few more.
	maxText = 1 << 30
)

var (
	errTooDeep = fmt.Errorf("nested deeper than %d levels", maxDepth)
	errLong    = fmt.Errorf("longer than %d bytes", maxText)
	errCut     = errors.New("it ends before its value does")
)

// member is where an object's key and value stand in a text. The key is without
// its quotes, still escaped.
type member struct {
	keyStart, keyEnd int
	start, end       int
}

// scanner reads one JSON value and accepts exactly what encoding/json accepts.
// It neither recurses nor builds anything but the index of the outermost
// object, so its cost is one pass over the text.
type scanner struct {
	text    string
	pos     int
	open    []byte // the brackets that are open
	limit   int    // how many may be
	index   []member
	indexed bool // index is wanted, and complete so far
}

// scanValue reads the first JSON value of text. It returns where the value
// starts and ends, and, if it is an object of at most maxIndexed members, those.
// What follows the value is not looked at.
func scanValue(text string, limit int) (start, end int, index []member, err error) {
	if len(text) > maxText {
		return 0, 0, nil, errLong
	}
	var stack [64]byte
	s := scanner{text: text, open: stack[:0], limit: limit, indexed: true}
	s.space()
	start = s.pos
	if err := s.value(); err != nil {
		return 0, 0, nil, fmt.Errorf("at byte %d: %w", s.pos, err)
	}
	if !s.indexed {
		s.index = nil
	}
	return start, s.pos, s.index, nil
}

func (s *scanner) space() {
	for s.pos < len(s.text) && isSpace(s.text[s.pos]) {
		s.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// value reads a value with everything in it.
func (s *scanner) value() error {
	for {
		s.space()
		if s.pos == len(s.text) {
			return errCut
		}
		s.mark()
		opened, err := s.begin()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		again, err := s.afterValue()
		if err != nil || !again {
			return err
		}
	}
}

// begin reads a scalar or an empty container, or enters a container that holds
// something; then the next thing to read is a value.
func (s *scanner) begin() (opened bool, err error) {
	switch c := s.text[s.pos]; c {
	case '{', '[':
		if len(s.open) >= s.limit {
			return false, errTooDeep
		}
		s.pos++
		s.space()
		if s.pos < len(s.text) && s.text[s.pos] == c+2 { // '{'+2 is '}', '['+2 is ']'
			s.pos++
			return false, nil
		}
		s.open = append(s.open, c)
		if c == '{' {
			return true, s.key()
		}
		return true, nil
	case '"':
		return false, s.string()
	case 't':
		return false, s.literal("true")
	case 'f':
		return false, s.literal("false")
	case 'n':
		return false, s.literal("null")
	default:
		return false, s.number()
	}
}

// afterValue reads what stands after a value: closing brackets, and the comma
// before the next one. It reports whether a value must follow.
func (s *scanner) afterValue() (again bool, err error) {
	for len(s.open) > 0 {
		s.markEnd()
		s.space()
		if s.pos == len(s.text) {
			return false, errCut
		}
		top := s.open[len(s.open)-1]
		switch c := s.text[s.pos]; c {
		case ',':
			s.pos++
			if top == '{' {
				return true, s.key()
			}
			return true, nil
		case top + 2:
			s.pos++
			s.open = s.open[:len(s.open)-1]
		default:
			return false, fmt.Errorf("%q after a value", c)
		}
	}
	return false, nil
}

func (s *scanner) key() error {
	s.space()
	if s.pos == len(s.text) {
		return errCut
	}
	if c := s.text[s.pos]; c != '"' {
		return fmt.Errorf("%q where a key must begin", c)
	}
	start := s.pos + 1
	if err := s.string(); err != nil {
		return err
	}
	if s.indexed && len(s.open) == 1 {
		switch len(s.index) {
		case maxIndexed:
			s.indexed = false
		case 0:
			s.index = make([]member, 1, 16)
			s.index[0] = member{keyStart: start, keyEnd: s.pos - 1}
		default:
			s.index = append(s.index, member{keyStart: start, keyEnd: s.pos - 1})
		}
	}
	s.space()
	if s.pos == len(s.text) {
		return errCut
	}
	if c := s.text[s.pos]; c != ':' {
		return fmt.Errorf("%q where a colon must stand", c)
	}
	s.pos++
	return nil
}

func (s *scanner) mark() {
	if len(s.open) == 1 && s.indexed && s.open[0] == '{' {
		s.index[len(s.index)-1].start = s.pos
	}
}

func (s *scanner) markEnd() {
	if len(s.open) == 1 && s.indexed && s.open[0] == '{' {
		s.index[len(s.index)-1].end = s.pos
	}
}

// string reads a string. Bytes that are no UTF-8 are let through, as
// encoding/json does: they are replaced when the string is rendered.
func (s *scanner) string() error {
	text, i := s.text, s.pos+1
	for {
		for len(text)-i >= 8 && allOrdinary(text[i:i+8]) {
			i += 8
		}
		for i < len(text) && isOrdinary(text[i]) {
			i++
		}
		if i == len(text) {
			s.pos = i
			return errCut
		}
		switch c := text[i]; c {
		case '"':
			s.pos = i + 1
			return nil
		case '\\':
			n := escapeLength(text[i:])
			if n == 0 {
				s.pos = i
				return errors.New("an escape that JSON does not know")
			}
			i += n
		default:
			s.pos = i
			return fmt.Errorf("the control character %q in a string", c)
		}
	}
}

// isOrdinary reports whether c stands in a string for itself, or for a part of
// a character.
func isOrdinary(c byte) bool { return c >= ' ' && c != '"' && c != '\\' }

// allOrdinary is isOrdinary for eight bytes at once: most of a payload is in
// its strings, and this reads them three times as fast. The sum of the terms
// has the highest bit of some byte set if any byte is below the space, a quote
// or a backslash (and no other byte: those from 0x80 are masked out).
func allOrdinary(text string) bool {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	_ = text[7]
	x := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
	quote, backslash := x^('"'*ones), x^('\\'*ones)
	found := (x-' '*ones)&^x | (quote-ones)&^quote | (backslash-ones)&^backslash
	return found&highest == 0
}

// escapeLength is the length of the escape sequence at the start of text, 0 if
// it is none.
func escapeLength(text string) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case 'b', 'f', 'n', 'r', 't', '\\', '/', '"':
		return 2
	case 'u':
		if len(text) < 6 {
			return 0
		}
		for _, c := range []byte(text[2:6]) {
			if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return fmt.Errorf("what begins with %q is no value", word[0])
	}
	s.pos += len(word)
	return nil
}

func (s *scanner) number() error {
	start := s.pos
	s.accept('-', '-')
	switch {
	case s.accept('0', '0'):
	case s.digits():
	case s.pos > start:
		return errors.New("a minus sign without a number")
	default:
		return fmt.Errorf("%q where a value must begin", s.text[s.pos])
	}
	if s.accept('.', '.') && !s.digits() {
		return errors.New("a number without digits after its point")
	}
	if s.accept('e', 'E') {
		s.accept('+', '-')
		if !s.digits() {
			return errors.New("a number without digits in its exponent")
		}
	}
	return nil
}

// accept reads one byte if it is a or b.
func (s *scanner) accept(a, b byte) bool {
	if s.pos < len(s.text) && (s.text[s.pos] == a || s.text[s.pos] == b) {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > start
}
