package sender

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/json"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// samples holds a directory for each preset. A file is one delivery: its event,
// the names of header lines that were left out because they authenticate it, its
// header lines, an empty line, its body and one line end. Names, hosts, keys and
// people in them are invented.
//
//go:embed samples
var samples embed.FS

// Sample is a delivery as a sender makes it, without what authenticates it.
type Sample struct {
	Event  string // as the preset finds it; "" where it finds none
	Header http.Header
	Body   []byte

	without []string // header lines that authenticate, canonical
}

// Samples are deliveries of the sender, the most usual first; they may be
// changed. They show what bodies look like, but not every key of every event.
func (s *Sender) Samples() []Sample {
	directory := path.Join("samples", s.fileName())
	entries, err := samples.ReadDir(directory) // in the order of their names
	if err != nil {
		return nil
	}
	var all []Sample
	for _, entry := range entries {
		text, err := samples.ReadFile(path.Join(directory, entry.Name()))
		if err != nil {
			continue
		}
		if sample, ok := readSample(text); ok {
			all = append(all, sample)
		}
	}
	return all
}

// readSample reads one file of samples.
func readSample(text []byte) (Sample, bool) {
	head, body, ok := bytes.Cut(text, []byte("\n\n"))
	if !ok {
		return Sample{}, false
	}
	lines, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.Clone(head), "\n\n"...)))).ReadMIMEHeader()
	if err != nil {
		return Sample{}, false
	}
	sample := Sample{Event: lines.Get("Event"), Header: http.Header(lines), Body: bytes.TrimSuffix(body, []byte("\n"))}
	if without := lines.Get("Without"); without != "" {
		for name := range strings.SplitSeq(without, ", ") {
			sample.without = append(sample.without, http.CanonicalHeaderKey(name))
		}
	}
	sample.Header.Del("Event")
	sample.Header.Del("Without")
	return sample, true
}

// Fields lists the names of payload values in the sender's samples, sorted, with
// 0 for each index: "commits.0.id". It is empty where nothing can be said of the
// sender's bodies.
func (s *Sender) Fields() []string {
	known := s.fields()
	names := make([]string, 0, len(known))
	for name := range known {
		if strings.HasSuffix(name, below) {
			continue
		}
		names = append(names, strings.ReplaceAll(name, anyIndex, "0"))
	}
	slices.Sort(names)
	return names
}

// HasField reports whether deliveries of the sender can have a value of that
// name, as far as its samples tell; true where they do not. It is for advice: a
// sender may send what no sample shows.
func (s *Sender) HasField(source delivery.Source, name string) bool {
	switch source {
	case delivery.Payload:
		return s.hasPayload(name)
	case delivery.Header:
		return s.hasHeader(name)
	}
	return true
}

const (
	anyIndex = "#"
	below    = ".*" // after the name of a value that is empty in a sample
)

// hasPayload looks for a dotted name. Paths that search, and names of senders
// whose bodies are the operator's own, cannot be judged.
func (s *Sender) hasPayload(name string) bool {
	if s.anyBody || name == "" || strings.ContainsAny(name, `\|@*?()[]{}!`) {
		return true
	}
	known := s.fields()
	if len(known) == 0 {
		return true
	}
	segments := strings.Split(name, ".")
	if s.keys != nil {
		return known[segments[0]] || slices.Contains(s.keys, segments[0])
	}
	prefix := ""
	for i, segment := range segments {
		if isIndex(segment) {
			segment = anyIndex
		}
		prefix = strings.TrimPrefix(prefix+"."+segment, ".")
		switch {
		case slices.Contains(s.free, segment) && known[prefix], known[prefix+below]:
			return true
		case segment == anyIndex && i == len(segments)-1: // the list's length, or an element of plain values
			return true
		case segment != anyIndex && !known[prefix]:
			return false
		}
	}
	return true
}

// isIndex reports whether a part of a name is a place in a list.
func isIndex(segment string) bool {
	return segment == anyIndex || segment != "" && strings.Trim(segment, "0123456789") == ""
}

// fields are the names of all payload values in the samples. What is empty there
// may hold anything, so it counts as known with all that is below.
func (s *Sender) fields() map[string]bool {
	known := map[string]bool{}
	for _, sample := range s.Samples() {
		record := &run.Delivery{Method: http.MethodPost, Header: sample.Header, Body: sample.Body}
		body := sample.Body
		message, wrapped := s.Unwrap(record)
		switch contentType := sample.Header.Get("Content-Type"); {
		case wrapped:
			body = message.Body
		case strings.Contains(contentType, "x-www-form-urlencoded"):
			values, _ := url.ParseQuery(string(body))
			for name := range values {
				known[name] = true
			}
			continue
		}
		var value any
		if json.Unmarshal(body, &value) == nil {
			addFields(known, "", value)
		}
	}
	return known
}

func addFields(known map[string]bool, prefix string, value any) {
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			known[prefix+below] = true
		}
		for key, inner := range value {
			name := strings.TrimPrefix(prefix+"."+key, ".")
			known[name] = true
			addFields(known, name, inner)
		}
	case nil:
		known[prefix+below] = true
	case []any:
		if len(value) == 0 {
			known[prefix+below] = true
		}
		for _, inner := range value {
			addFields(known, strings.TrimPrefix(prefix+"."+anyIndex, "."), inner)
		}
	}
}

// hasHeader looks for a header among those of the samples, what authenticates
// included, and those that any client or proxy may add.
func (s *Sender) hasHeader(name string) bool {
	name = http.CanonicalHeaderKey(strings.SplitN(name, ".", 2)[0])
	all := s.Samples()
	if s.anyHeader || len(all) == 0 {
		return true
	}
	switch name {
	case "Accept", "Accept-Encoding", "Authorization", "Connection", "Content-Length", "Content-Type", "Date", "Forwarded", "Host", "Traceparent",
		"Tracestate", "User-Agent", "Via", "X-Real-Ip", "X-Request-Id":
		return true
	}
	if strings.HasPrefix(name, "X-Forwarded-") {
		return true
	}
	for _, sample := range all {
		if _, ok := sample.Header[name]; ok || slices.Contains(sample.without, name) {
			return true
		}
	}
	return false
}
