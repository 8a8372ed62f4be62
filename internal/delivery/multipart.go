package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"

	"github.com/pawlhq/pawl/internal/run"
)

const (
	// maxParts and maxValueBytes are webhook's bounds for a multipart form with
	// its default -max-multipart-mem. Files do not count: they are bounded by the
	// body, and read only if they are JSON.
	maxParts      = 1000
	maxValueBytes = 11 << 20

	// entryBytes is what each value counts beside its name and text, as in
	// net/http.
	entryBytes = 200
)

// ParseError says why a multipart body cannot be parsed. It is the one kind of
// payload whose faults webhook answers: with 500.
type ParseError struct{ Err error }

func (e *ParseError) Error() string { return "parse the multipart form: " + e.Err.Error() }

func (e *ParseError) Unwrap() error { return e.Err }

var (
	errManyParts   = fmt.Errorf("more than %d parts", maxParts)
	errLargeValues = fmt.Errorf("more than %d bytes of values", maxValueBytes)
)

// form collects a multipart body. Nothing of it is ever written to disk.
type form struct {
	fields fields
	asJSON []string // names of files that are JSON whatever their type
	seen   map[string]bool
	bytes  int
}

// parseMultipart reads a multipart body: values, and as objects those files
// that are application/json by their type or named in asJSON. Of several values,
// or several files, of one name the first counts; a file that is an object
// counts before a value. The result is nil if nothing was found.
func parseMultipart(record *run.Delivery, asJSON []string) (*fields, error) {
	// net/http parses the query along with the form and fails on either.
	if _, err := url.ParseQuery(record.RawQuery); err != nil {
		return nil, fmt.Errorf("the query: %w", err)
	}
	mediaType, parameters, err := mime.ParseMediaType(record.Header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("the Content-Type header: %w", err)
	}
	if mediaType != "multipart/form-data" {
		return nil, fmt.Errorf("the Content-Type header says %q, not multipart/form-data", mediaType)
	}
	boundary, ok := parameters["boundary"]
	if !ok {
		return nil, errors.New("the Content-Type header names no boundary")
	}
	f := form{asJSON: asJSON, seen: make(map[string]bool)}
	f.fields.texts = make(map[string][]string)
	reader := multipart.NewReader(bytes.NewReader(record.Body), boundary)
	for count := 0; ; count++ {
		part, err := reader.NextPart()
		if err == io.EOF {
			break
		}
		if err == nil && count == maxParts {
			err = errManyParts
		}
		if err == nil {
			err = f.add(part)
		}
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", count+1, err)
		}
	}
	if len(f.fields.texts)+len(f.fields.objects) == 0 {
		return nil, nil
	}
	return &f.fields, nil
}

func (f *form) add(part *multipart.Part) error {
	name := part.FormName()
	if name == "" {
		return nil
	}
	f.bytes += len(name) + entryBytes
	if part.FileName() != "" {
		return f.addFile(name, part)
	}
	room := maxValueBytes - f.bytes
	if room < 0 {
		return errLargeValues
	}
	text, err := readText(io.LimitReader(part, int64(room)+1))
	if err != nil {
		return err
	}
	if f.bytes += len(text); len(text) > room {
		return errLargeValues
	}
	if _, ok := f.fields.texts[name]; !ok {
		f.fields.texts[name] = []string{text}
	}
	return nil
}

func (f *form) addFile(name string, part *multipart.Part) error {
	if f.seen[name] {
		return nil
	}
	f.seen[name] = true
	if !slices.Contains(f.asJSON, name) && !slices.Contains(part.Header["Content-Type"], "application/json") {
		return nil
	}
	text, err := readText(part)
	if err != nil {
		return err
	}
	object, err := parseObject(text)
	if err != nil {
		// A file that is no object is null, as with webhook: its name is there.
		object = &document{text: "null", nils: []int{0}}
	}
	f.fields.set(name, object)
	return nil
}

// readText reads all of a part into memory that is not copied again.
func readText(part io.Reader) (string, error) {
	var text bytes.Buffer
	if _, err := text.ReadFrom(part); err != nil {
		return "", err
	}
	return textOf(text.Bytes()), nil
}
