package delivery

import "fmt"

// MaxElements is how many elements the value of a for-each may have.
const MaxElements = 1000

// ElementsError says that a value cannot be taken apart: the delivery does not
// fit the hook.
type ElementsError struct {
	Ref    Ref
	Reason string
}

func (e *ElementsError) Error() string { return e.Ref.String() + " " + e.Reason }

// SetElement makes a JSON text the element that the source element means from
// now on; empty for none.
func (d *Delivery) SetElement(element string) {
	d.options.Element = element
	d.element = nil
}

// findElement looks in the element of for-each: without a name it is the
// element itself.
func (d *Delivery) findElement(name string) (value, bool) {
	if d.options.Element == "" {
		return value{}, false
	}
	if d.element == nil {
		element, err := parseElement(d.options.Element)
		if err != nil {
			d.problem("the element is no JSON value: %w", err)
			d.options.Element = ""
			return value{}, false
		}
		d.element = element
	}
	if name == "" {
		return d.element.whole(), true
	}
	if found, ok := d.element.find(name); ok || !isPath(name) {
		return found, ok
	}
	if hasManyValues(d.element.text) {
		d.problems = append(d.problems, errManyValues)
		return value{}, false
	}
	return findPath(pathText(d.element.text), name)
}

// parseElement is parseDocument for what may be a scalar too. A list is not
// called root: its values are 0, 1 and so on.
func parseElement(text string) (*document, error) {
	text = toValid(text)
	start, end, index, err := scanValue(text, maxDepth)
	if err != nil {
		return nil, err
	}
	if start > 0 {
		index = nil // its places are those of the text before it is cut
	}
	return &document{text: text[start:end], index: index}, nil
}

// Elements takes the value that ref names apart: of a list each element, of a
// text, a number or a boolean the value itself, each as JSON. A value that is
// missing, null or empty has none. The error is an *ElementsError where the
// value is an object or has more than MaxElements; any other means that no
// request has such a value.
//
// The texts are parts of the body, not copies, and keep all of it in memory.
func (d *Delivery) Elements(ref Ref) ([]string, error) {
	var found value
	var ok bool
	switch ref.Source.canonical() {
	case Payload:
		found, ok = d.findPayload(ref.Name)
	case Header:
		found, ok = d.findHeader(ref.Name)
	case Query:
		found, ok = d.queryFields().find(ref.Name)
	default:
		return nil, fmt.Errorf("source %s has no elements", ref.Source)
	}
	switch {
	case !ok, found.text == "", found.null:
		return nil, nil
	case found.literal:
		return []string{quote(found.text)}, nil
	}
	switch found.text[0] {
	case 'n':
		return nil, nil
	case '{':
		return nil, &ElementsError{ref, "is an object, not a list"}
	case '[':
		return listed(ref, found.text)
	case '"':
		if found.text == `""` {
			return nil, nil
		}
	}
	return []string{found.text}, nil
}

// listed gives the elements of a list in its order, as often as they stand in
// it: two pushes of one tag both count.
func listed(ref Ref, text string) ([]string, error) {
	var elements []string
	for pos := skipSpace(text, 1); text[pos] != ']'; {
		if len(elements) == MaxElements {
			return nil, &ElementsError{ref, fmt.Sprintf("has more than %d elements", MaxElements)}
		}
		end := skipValue(text, pos)
		elements = append(elements, text[pos:end])
		if pos = skipSpace(text, end); text[pos] == ',' {
			pos = skipSpace(text, pos+1)
		}
	}
	return elements, nil
}

// quote makes a JSON string of a text.
func quote(text string) string {
	return textOf(appendString(make([]byte, 0, stringSize(text)), text))
}
