// Package delivery reads one request: its body within bounds, by its content
// type, and any value of it by source and name.
//
// A Delivery renders each value byte for byte as webhook 2.8.2 does, because
// rules compare these texts and scripts receive them. JSON is read straight
// from the body: one pass checks it and remembers where the outermost members
// stand, and a value is then found in the text; no maps are built. Forms and
// headers stay as net/http and net/url give them; XML becomes JSON text once.
//
// The package does not check who sent a request, does not decide whether it
// triggers anything, and keeps nothing once the Delivery is gone.
package delivery

import (
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"strings"
	"unsafe"

	"github.com/pawlhq/pawl/internal/run"
)

// Options are what a hook says about reading its deliveries.
type Options struct {
	// ContentType takes the place of the request's Content-Type header
	// (incoming-payload-content-type); empty for none. A multipart form is read by
	// the boundary that the request itself names.
	ContentType string

	// JSONParameters name payload, header and query values whose text is JSON and
	// becomes an object there (parse-parameters-as-json). Other sources are left
	// alone, and so is text that is no object.
	JSONParameters []Ref

	// Element is what the source element means, as JSON: one element of the value
	// that the hook's for-each names. Empty for none.
	Element string

	// Sender knows what only the system that called means by its deliveries; nil:
	// nothing is known of it.
	Sender Sender

	// Expressions works out the values of source cel; nil: there are none.
	Expressions Expressions
}

// Sender reads what a system has its own way of saying.
type Sender interface {
	// SenderName is the preset's name.
	SenderName() string

	// Message gives the message that a delivery wraps, and its content type;
	// false where the body itself is the payload.
	Message(*run.Delivery) (body []byte, contentType string, wrapped bool)

	// EventType finds the event type, SenderID the sender's own id of a delivery;
	// "" where there is none.
	EventType(*Delivery) string
	SenderID(*Delivery) string
}

// Expressions works out the value of source cel whose name is an expression, of
// a delivery and its present element. The error says why there is none, in words.
type Expressions interface {
	Value(d *Delivery, expression string) (string, error)
}

// Delivery is a run.Delivery from which values are read. Each part of it is
// parsed when a value of it is first wanted. It is for one goroutine; the
// run.Delivery must not change while it is used.
type Delivery struct {
	*run.Delivery

	options  Options
	loaded   bool
	document *document // the payload, if it is JSON or XML
	form     *fields   // the payload, if it is a form
	refused  error     // why a multipart form cannot be parsed
	problems []error
	forPaths string // the payload for paths, made when first wanted

	headers, query *fields
	element        *document // of options.Element, made when first wanted
	known          *known    // nil until something is asked that Sender or Expressions tells
}

// New makes a Delivery of a request. It reads nothing yet.
func New(record *run.Delivery, options Options) *Delivery {
	return &Delivery{Delivery: record, options: options}
}

// kind is how a payload is parsed.
type kind int

const (
	unparsed kind = iota
	jsonBody
	formBody
	xmlBody
	multipartBody
)

func (d *Delivery) contentType() string {
	if d.options.ContentType != "" {
		return d.options.ContentType
	}
	return d.Header.Get("Content-Type")
}

// kindOf finds a parser by the letters in a content type, with webhook's
// spelling. A multipart form comes first: its boundary may hold any letters,
// and webhook loses a form whose boundary happens to hold "json" or "xml".
func kindOf(contentType string) kind {
	switch {
	case strings.HasPrefix(contentType, "multipart/form-data;"):
		return multipartBody
	case strings.Contains(contentType, "json"):
		return jsonBody
	case strings.Contains(contentType, "x-www-form-urlencoded"):
		return formBody
	case strings.Contains(contentType, "xml"):
		return xmlBody
	}
	return unparsed
}

// Parse parses what must be parsed before rules are asked: a multipart form.
// The error is a *ParseError. A payload of another kind that cannot be parsed
// is no error but absent; Problem says why.
func (d *Delivery) Parse() error {
	if kindOf(d.contentType()) != multipartBody {
		return nil
	}
	d.load()
	return d.refused
}

// Validate parses the payload even if nobody asked for a value, and returns
// what Problem then does.
func (d *Delivery) Validate() error {
	d.load()
	return d.Problem()
}

// Problem says what could not be parsed of what was looked at so far: the
// payload, or parameters that are to be parsed as JSON. It is for the log: such
// values count as missing, or stay text. The texts of values are not in it.
func (d *Delivery) Problem() error { return errors.Join(d.problems...) }

func (d *Delivery) problem(format string, arguments ...any) {
	d.problems = append(d.problems, fmt.Errorf(format, arguments...))
}

// load parses the payload, once.
func (d *Delivery) load() {
	if d.loaded {
		return
	}
	d.loaded = true
	contentType, text := d.contentType(), d.text()
	if s := d.sender(); s != nil {
		if message, ofMessage, wrapped := s.Message(d.Delivery); wrapped {
			contentType, text = ofMessage, textFrom(message)
			if kindOf(contentType) == multipartBody {
				contentType = "" // a form's boundary stands in a header, which a message has not
			}
		}
	}
	var err error
	switch kindOf(contentType) {
	case jsonBody:
		if d.document, err = parseDocument(text, maxDepth); err != nil {
			d.problem("the body is no JSON payload: %w", err)
		} else if d.document.text == "null" {
			d.document = nil
		}
	case formBody:
		var values url.Values
		if values, err = url.ParseQuery(text); err != nil {
			d.problem("the body is no form: %w", err)
		} else {
			d.form = &fields{texts: values}
		}
	case xmlBody:
		if d.document, err = parseXML(bytesOf(text)); err != nil {
			d.problem("the body is no XML payload: %w", err)
		}
	case multipartBody:
		if d.form, err = parseMultipart(d.Delivery, d.filesAsJSON()); err != nil {
			d.refused = &ParseError{err}
			d.problems = append(d.problems, d.refused)
			return
		}
	default:
		if len(text) > 0 {
			d.problem("the content type %q is none that is parsed: the body has no values", contentType)
		}
	}
	d.parseParameters(Payload, func(name string) (err error) {
		switch {
		case d.form != nil:
			return d.form.parseParameter(name)
		case d.document != nil:
			d.document, err = d.document.parseParameter(name)
			return err
		}
		return errAbsent
	})
}

// text is the body without a copy. Nothing changes the body of an accepted
// delivery, and the string keeps it alive.
func (d *Delivery) text() string { return textFrom(d.Body) }

func textFrom(bytes []byte) string { return unsafe.String(unsafe.SliceData(bytes), len(bytes)) }

// bytesOf is the reverse of textFrom, for reading alone.
func bytesOf(text string) []byte { return unsafe.Slice(unsafe.StringData(text), len(text)) }

func (d *Delivery) filesAsJSON() (names []string) {
	for _, parameter := range d.options.JSONParameters {
		if parameter.Source == Payload {
			names = append(names, parameter.Name)
		}
	}
	return names
}

// parseParameters calls parse with the name of each parameter of a source that
// is to become an object.
func (d *Delivery) parseParameters(source Source, parse func(name string) error) {
	for _, parameter := range d.options.JSONParameters {
		if parameter.Source.canonical() != source {
			continue
		}
		if err := parse(parameter.Name); err != nil {
			d.problem("%s %q as JSON: %w", parameter.Source, parameter.Name, err)
		}
	}
}

func (d *Delivery) headerFields() *fields {
	if d.headers == nil {
		d.headers = &fields{texts: d.Header}
		d.parseParameters(Header, func(name string) error {
			return d.headers.parseParameter(textproto.CanonicalMIMEHeaderKey(name))
		})
	}
	return d.headers
}

// queryFields parses the query. As with net/http, pairs that are malformed are
// dropped.
func (d *Delivery) queryFields() *fields {
	if d.query == nil {
		values, err := url.ParseQuery(d.RawQuery)
		if err != nil {
			d.problem("part of the query is dropped: %w", err)
		}
		d.query = &fields{texts: values}
		d.parseParameters(Query, d.query.parseParameter)
	}
	return d.query
}
