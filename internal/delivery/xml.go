package delivery

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

var errNoElement = errors.New("it holds no element")

// parseXML reads the first element of an XML body into a JSON text, in which
// values are then found as in any other. The rules are those of mxj, which
// webhook uses: an attribute is a key with "-" before it, elements that repeat
// become a list, an element without attributes and elements is its text, an
// empty one is "", and the text beside attributes or elements is "#text".
// White space around a text is dropped, namespaces are too.
func parseXML(body []byte) (*document, error) {
	counter := &xmlCounter{body: body}
	r := xmlReader{decoder: xml.NewDecoder(counter), counter: counter}
	for {
		token, err := r.token()
		if err == io.EOF {
			return nil, errNoElement
		}
		if err != nil {
			return nil, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		top, err := r.element(start, 1)
		if err != nil {
			return nil, err
		}
		all := &node{}
		all.add(start.Name.Local, top)
		text := textOf(all.appendTo(make([]byte, 0, all.size())))
		// Elements nest half as deep as the bound lets JSON nest: lists come in
		// between.
		return parseDocument(text, 2*maxDepth+1)
	}
}

type xmlReader struct {
	decoder *xml.Decoder
	counter *xmlCounter
}

func (r *xmlReader) token() (xml.Token, error) {
	r.counter.beginToken()
	return r.decoder.Token()
}

// node is an element or an attribute: a text, or keys with one or more nodes
// each.
type node struct {
	text   string
	keys   []string
	values map[string][]*node
}

func (n *node) add(key string, child *node) {
	if n.values == nil {
		n.values = make(map[string][]*node)
	}
	if _, ok := n.values[key]; !ok {
		n.keys = append(n.keys, key)
	}
	n.values[key] = append(n.values[key], child)
}

// set is add, but takes the place of what is there.
func (n *node) set(key string, child *node) {
	if _, ok := n.values[key]; ok {
		n.values[key] = []*node{child}
		return
	}
	n.add(key, child)
}

const textKey = "#text"

// element reads what an element holds, up to its end tag.
func (r *xmlReader) element(start xml.StartElement, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	n := &node{}
	for _, attribute := range start.Attr {
		n.set("-"+attribute.Name.Local, &node{text: attribute.Value})
	}
	for {
		token, err := r.token()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			child, err := r.element(token, depth+1)
			if err != nil {
				return nil, err
			}
			n.add(token.Name.Local, child)
		case xml.EndElement:
			if n.text != "" && len(n.keys) > 0 {
				n.set(textKey, &node{text: n.text})
			}
			return n, nil
		case xml.CharData:
			// Of several texts the last counts, but one before the first element
			// counts before all behind it: so does mxj.
			switch text := strings.Trim(string(token), "\t\r\b\n "); {
			case text == "":
			case len(n.keys) > 0:
				n.set(textKey, &node{text: text})
			default:
				n.text = text
			}
		}
	}
}

// size is how many bytes appendTo may append.
func (n *node) size() int {
	if len(n.keys) == 0 {
		return minimalSize(n.text)
	}
	size := len(`{}`)
	for _, key := range n.keys {
		size += minimalSize(key) + len(`:,[]`)
		for _, child := range n.values[key] {
			size += child.size() + len(`,`)
		}
	}
	return size
}

// appendTo appends the node as JSON. The decoder made sure that all is UTF-8.
func (n *node) appendTo(out []byte) []byte {
	if len(n.keys) == 0 {
		return appendMinimal(out, n.text)
	}
	out = append(out, '{')
	for i, key := range n.keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendMinimal(out, key), ':')
		list := n.values[key]
		if len(list) == 1 {
			out = list[0].appendTo(out)
			continue
		}
		for j, child := range list {
			out = append(out, "[,"[min(j, 1)])
			out = child.appendTo(out)
		}
		out = append(out, ']')
	}
	return append(out, '}')
}
