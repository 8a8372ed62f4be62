package delivery

import (
	"fmt"
	"io"
)

// maxNodes is how many elements and attributes an XML payload may have. Each
// costs memory a hundred times its shortest spelling, five hundred bytes for an
// element in another.
const maxNodes = 100_000

var errManyNodes = fmt.Errorf("more than %d elements and attributes", maxNodes)

// xmlCounter hands a body to an XML decoder byte by byte, counts the elements
// and attributes on the way, and fails when they are too many: the decoder
// itself collects all attributes of an element before it shows one of them.
//
// It follows the decoder closely enough to be exact: beginToken tells it where a
// token starts, an element is a "<" before a name, and an attribute is what
// stands in quotes in the element's tag. The decoder takes no attribute without.
type xmlCounter struct {
	body  []byte
	pos   int
	nodes int
	place xmlPlace
	quote byte // that ends the attribute being read; 0 outside
}

// xmlPlace is what the byte that was read last belongs to.
type xmlPlace int

const (
	betweenTokens xmlPlace = iota
	afterBracket           // the "<" that begins a token
	inTag                  // of an element
	elsewhere              // a text, an end tag, a comment or the like
)

// beginToken says that a token is asked for next. A text ends where the decoder
// has read the "<" of the next token: that is not read again.
func (c *xmlCounter) beginToken() {
	c.place, c.quote = betweenTokens, 0
	if c.pos > 0 && c.body[c.pos-1] == '<' {
		c.place = afterBracket
	}
}

// ReadByte is what the decoder reads with.
func (c *xmlCounter) ReadByte() (byte, error) {
	if c.pos == len(c.body) {
		return 0, io.EOF
	}
	b := c.body[c.pos]
	c.pos++
	switch c.place {
	case betweenTokens:
		c.place = elsewhere
		if b == '<' {
			c.place = afterBracket
		}
	case afterBracket:
		c.place = elsewhere
		if b != '/' && b != '!' && b != '?' {
			c.place = inTag
			c.nodes++
		}
	case inTag:
		c.see(b)
	}
	if c.nodes > maxNodes {
		return 0, errManyNodes
	}
	return b, nil
}

// see counts the attributes of a tag.
func (c *xmlCounter) see(b byte) {
	switch {
	case c.quote == b:
		c.quote = 0
	case c.quote == 0 && (b == '"' || b == '\''):
		c.quote = b
		c.nodes++
	}
}

// Read is there for the decoder's sake, which asks for an io.Reader and then
// uses ReadByte alone.
func (c *xmlCounter) Read(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		if p[n], err = c.ReadByte(); err == nil {
			n++
		}
	}
	return n, err
}
