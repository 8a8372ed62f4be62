package cli

import (
	"io"
	"unicode/utf8"
)

// colourOnly passes on to a terminal what a script printed, without what could
// tell the terminal to do something: of its control sequences colours alone
// remain. What a script prints may come from a sender.
type colourOnly struct {
	out  io.Writer
	rest []byte // a sequence, or a character, that has only begun
}

// maxSequence is how long a colour's control sequence may be.
const maxSequence = 40

func (c *colourOnly) Write(p []byte) (int, error) {
	data := append(c.rest, p...)
	kept := make([]byte, 0, len(data))
	i := 0
	for i < len(data) {
		size, colour, whole := sequence(data[i:])
		if !whole {
			break
		}
		switch b := data[i]; {
		case colour, size > 1:
			kept = append(kept, data[i:i+size]...)
		case b >= 0x80, b < ' ' && b != '\n' && b != '\t' && b != '\r', b == 0x7f:
			kept = append(kept, "·"...)
		default:
			kept = append(kept, b)
		}
		i += size
	}
	c.rest = append([]byte(nil), data[i:]...)
	if _, err := c.out.Write(kept); err != nil {
		return 0, err
	}
	return len(p), nil
}

// sequence gives the length of what data begins with: a colour (ESC [ 1;31 m), a
// character of several bytes that is printed as it is, or one byte. whole is
// false where more must come to tell.
func sequence(data []byte) (size int, colour, whole bool) {
	if data[0] == 0x1b {
		for i := 1; i < len(data) && i < maxSequence; i++ {
			switch b := data[i]; {
			case i == 1 && b != '[':
				return 1, false, true
			case i == 1, b >= '0' && b <= '9', b == ';', b == ':':
			case b == 'm':
				return i + 1, true, true
			default:
				return 1, false, true
			}
		}
		return 1, false, len(data) >= maxSequence
	}
	if data[0] < utf8.RuneSelf {
		return 1, false, true
	}
	if !utf8.FullRune(data) {
		return 1, false, false
	}
	r, size := utf8.DecodeRune(data)
	if harmless(r) != r {
		return 1, false, true // each of its bytes becomes a dot
	}
	return size, false, true
}
