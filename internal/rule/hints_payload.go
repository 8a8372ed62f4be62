package rule

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// missingPayload says why a payload has no value of a name that it seems to have.
func (l *hintList) missingPayload(ref delivery.Ref, r *Request) {
	contentType := r.Header.Get("Content-Type")
	if form, err := r.Value(delivery.Ref{Source: delivery.Payload, Name: "payload"}); err == nil && holdsValue(form, ref) {
		l.add("the body is a form (%s) whose field payload holds the JSON, and %s is in there: have the sender send application/json, "+
			"or add parse-parameters-as-json: [{source: payload, name: payload}] and name it payload.%s", contentType, ref, ref.Name)
		return
	}
	text := string(bytes.TrimSpace(r.Body))
	if len(text) == 0 {
		l.add("the body is empty")
		return
	}
	whole, _ := r.Value(delivery.Ref{Source: delivery.EntirePayload})
	if whole == "null" || whole == "{}" || !strings.Contains(contentType, "json") && holdsValue(text, ref) {
		if json.Valid([]byte(text)) && holdsValue(text, ref) {
			l.add("the body is JSON and has %s, but its content type is %q, by which it is not read so: have the sender send application/json, "+
				"or add incoming-payload-content-type: application/json", ref, contentType)
			return
		}
	}
	if strings.Contains(contentType, "json") && !json.Valid([]byte(text)) {
		l.add("the body is no JSON, though its content type says so: it has no values")
		return
	}
	var payload any
	if json.Unmarshal([]byte(whole), &payload) != nil {
		return
	}
	if strings.HasPrefix(text, "[") && !strings.HasPrefix(ref.Name, "root") && holdsValue(text, delivery.Ref{Source: delivery.Payload, Name: "root.0." + ref.Name}) {
		l.add("the payload is an array, whose elements are named root.0, root.1…: %q would be there as %q", ref.Name, "root.0."+ref.Name)
		return
	}
	if near := nearestPath(ref.Name, payload); near != "" {
		l.add("the payload has no %q, but %q", ref.Name, near)
	}
}

// holdsValue reports whether a JSON text has a value of that name.
func holdsValue(text string, ref delivery.Ref) bool {
	inner := delivery.New(&run.Delivery{Body: []byte(text)}, delivery.Options{ContentType: "application/json"})
	_, err := inner.Value(ref)
	return err == nil
}

// nearestPath is the dotted name of a payload's value that is most like one that
// it has not: where the first part that is missing is a slip of another, or
// stands one object further in.
func nearestPath(name string, payload any) string {
	parts := strings.Split(name, ".")
	at := payload
	for i, part := range parts {
		object, ok := at.(map[string]any)
		if !ok {
			return ""
		}
		next, found := object[part]
		if found {
			at = next
			continue
		}
		names := slices.Sorted(maps.Keys(object))
		if near := nearest(part, names); near != "" {
			return strings.Join(append(append(slices.Clone(parts[:i]), near), parts[i+1:]...), ".")
		}
		for _, inner := range names {
			if below, ok := object[inner].(map[string]any); ok && below[part] != nil {
				return strings.Join(append(append(slices.Clone(parts[:i]), inner), parts[i:]...), ".")
			}
		}
		return ""
	}
	return ""
}

// nearest is the name that another is most likely a slip of, or "": one that
// differs in case, dashes and underscores alone, or in a letter or two.
func nearest(name string, names []string) string {
	plain := func(text string) string {
		return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(text))
	}
	slices.Sort(names)
	best, least := "", 3
	for _, candidate := range names {
		if candidate == name {
			continue
		}
		off := Distance(plain(name), plain(candidate))
		if off < least && off <= len(name)/4 {
			best, least = candidate, off
		}
	}
	return best
}

// maxName is how long names may be that are compared letter by letter.
const maxName = 64

// Distance counts the insertions, deletions and changes of a byte that turn a into
// b (Levenshtein). Names over 64 bytes that differ are farther apart than any two
// others of their lengths.
func Distance(a, b string) int {
	if len(a) > maxName || len(b) > maxName {
		if a == b {
			return 0
		}
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := before
			if a[i] != b[j] {
				changed++
			}
			before = row[j+1]
			row[j+1] = min(row[j]+1, row[j+1]+1, changed)
		}
	}
	return row[len(b)]
}
