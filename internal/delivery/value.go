package delivery

import (
	"errors"
	"fmt"
	"net/textproto"
	"strings"
)

// Source is a part of a request that values are taken from, as hook files spell
// it.
type Source string

// The sources. QueryAlias is webhook's older name of Query.
const (
	Payload        Source = "payload"
	Header         Source = "header"
	Query          Source = "query"
	QueryAlias     Source = "url"
	Element        Source = "element"
	Request        Source = "request"
	RawRequestBody Source = "raw-request-body"
	EntirePayload  Source = "entire-payload"
	EntireHeaders  Source = "entire-headers"
	EntireQuery    Source = "entire-query"
	String         Source = "string"
	CEL            Source = "cel"
)

// ParseSource returns the source that a hook file names; it must be spelt
// exactly. For the alias "url" it is Query.
func ParseSource(s string) (Source, bool) {
	switch source := Source(s).canonical(); source {
	case Payload, Header, Query, Element, Request, RawRequestBody, EntirePayload, EntireHeaders, EntireQuery, String, CEL:
		return source, true
	}
	return "", false
}

func (s Source) canonical() Source {
	if s == QueryAlias {
		return Query
	}
	return s
}

// Ref names one value of a request. What Name means depends on the source: for
// payload, header and query it is a name; for element a name in it, or empty for
// the element itself; for request "method" or "remote-addr" in any case; for
// string the value itself; for cel an expression; for the others nothing.
type Ref struct {
	Source Source
	Name   string
}

// String returns the ref as it is written in logs.
func (r Ref) String() string {
	if r.Name == "" {
		return string(r.Source)
	}
	return fmt.Sprintf("%s %q", r.Source, r.Name)
}

// MissingError says that a request has no value of that name. A rule that asks
// for it does not match; an argument is empty, a variable is not set.
type MissingError struct{ Ref Ref }

func (e *MissingError) Error() string { return e.Ref.String() + " is not in the request" }

// IsMissing reports whether err says that a value is not in the request, in
// contrast to one that no request can have.
func IsMissing(err error) bool {
	var missing *MissingError
	return errors.As(err, &missing)
}

// Value returns the value that ref names, as webhook renders it. The error is a
// *MissingError if the request has none; any other error means that no request
// has: an unknown source, an unknown name of source request.
//
// The text may be a part of the body, not a copy, and keep all of it in memory.
func (d *Delivery) Value(ref Ref) (string, error) {
	var found value
	var ok bool
	switch ref.Source.canonical() {
	case Payload:
		found, ok = d.findPayload(ref.Name)
	case Header:
		found, ok = d.findHeader(ref.Name)
	case Query:
		found, ok = d.queryFields().find(ref.Name)
	case Element:
		found, ok = d.findElement(ref.Name)
	case Request:
		return d.requestValue(ref.Name)
	case String:
		return ref.Name, nil
	case RawRequestBody:
		return d.text(), nil
	case EntirePayload:
		return d.entirePayload(), nil
	case EntireHeaders:
		return textOf(d.headerFields().appendTo(nil)), nil
	case EntireQuery:
		return textOf(d.queryFields().appendTo(nil)), nil
	case CEL:
		return d.computed(ref)
	default:
		return "", fmt.Errorf("unknown source %q", ref.Source)
	}
	if !ok {
		return "", &MissingError{ref}
	}
	return found.render(), nil
}

// findPayload looks for the literal name first, then for a path.
func (d *Delivery) findPayload(name string) (found value, ok bool) {
	d.load()
	switch {
	case d.document != nil:
		found, ok = d.document.find(name)
	case d.form != nil:
		found, ok = d.form.find(name)
	default:
		return value{}, false
	}
	if ok || !isPath(name) {
		return found, ok
	}
	if d.forPaths == "" {
		d.forPaths = d.pathText()
	}
	return findPath(d.forPaths, name)
}

// pathText makes the text for paths. It is an empty object if the payload has
// too many values for them.
func (d *Delivery) pathText() string {
	if d.form != nil {
		return d.form.pathText()
	}
	if hasManyValues(d.document.text) {
		d.problems = append(d.problems, errManyValues)
		return "{}"
	}
	if d.document.root {
		return `{"root":` + pathText(d.document.text) + `}`
	}
	return pathText(d.document.text)
}

// findHeader looks for a name in any case. In a header that was parsed as JSON
// webhook respells the rest of the name too; it is tried as written as well.
func (d *Delivery) findHeader(name string) (value, bool) {
	headers := d.headerFields()
	found, ok := headers.find(textproto.CanonicalMIMEHeaderKey(name))
	if head, rest, dotted := strings.Cut(name, "."); !ok && dotted {
		found, ok = headers.find(textproto.CanonicalMIMEHeaderKey(head) + "." + rest)
	}
	return found, ok
}

func (d *Delivery) requestValue(name string) (string, error) {
	switch strings.ToLower(name) {
	case "method":
		return d.Method, nil
	case "remote-addr":
		return d.RemoteAddr, nil
	}
	return "", fmt.Errorf("source request has no %q, only method and remote-addr", name)
}

func (d *Delivery) entirePayload() string {
	d.load()
	switch {
	case d.document != nil:
		return textOf(d.document.appendTo(nil))
	case d.form != nil:
		return textOf(d.form.appendTo(nil))
	}
	return "null"
}
