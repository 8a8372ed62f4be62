package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

// typed makes a Delivery of a body of a content type.
func typed(contentType, body string, parameters ...Ref) *Delivery {
	record := &run.Delivery{Body: []byte(body), Header: http.Header{"Content-Type": {contentType}}}
	return New(record, Options{JSONParameters: parameters})
}

// missing stands in tables for a value that is not in the request.
const missing = "(missing)"

func valueOf(t *testing.T, d *Delivery, ref Ref) string {
	t.Helper()
	got, err := d.Value(ref)
	if IsMissing(err) {
		return missing
	}
	if err != nil {
		t.Fatalf("%v: %v", ref, err)
	}
	return got
}

func TestParseSource(t *testing.T) {
	for _, name := range []string{
		"payload", "header", "query", "element", "request", "raw-request-body",
		"entire-payload", "entire-headers", "entire-query", "string",
	} {
		if got, ok := ParseSource(name); !ok || string(got) != name {
			t.Errorf("ParseSource(%q) = %q, %v", name, got, ok)
		}
	}
	if got, ok := ParseSource("url"); !ok || got != Query {
		t.Errorf(`ParseSource("url") = %q, %v`, got, ok)
	}
	for _, name := range []string{"", "Payload", "body", "payload ", "entire-body"} {
		if got, ok := ParseSource(name); ok {
			t.Errorf("ParseSource(%q) = %q, want none", name, got)
		}
	}
}

// A value that this request lacks is told from one that no request has.
func TestErrors(t *testing.T) {
	d := typed("application/json", `{}`)
	tests := []struct {
		ref     Ref
		missing bool
		text    string
	}{
		{Ref{Payload, "a"}, true, `payload "a" is not in the request`},
		{Ref{Header, "a"}, true, `header "a" is not in the request`},
		{Ref{QueryAlias, "a"}, true, `url "a" is not in the request`},
		{Ref{Request, "host"}, false, `source request has no "host", only method and remote-addr`},
		{Ref{"body", "a"}, false, `unknown source "body"`},
	}
	for _, tt := range tests {
		_, err := d.Value(tt.ref)
		if err == nil || IsMissing(err) != tt.missing || err.Error() != tt.text {
			t.Errorf("%v: %v", tt.ref, err)
		}
	}
	if IsMissing(nil) {
		t.Error("no error is none of a missing value")
	}
	if !IsMissing(fmt.Errorf("argument 1: %w", &MissingError{})) {
		t.Error("a wrapped error is not known")
	}
}

func TestHeaderNames(t *testing.T) {
	record := &run.Delivery{Header: http.Header{
		"X-Meta": {`{"Foo": 1, "foo": 2, "a-B": 3, "a-b": 4}`, `{}`}, "X-Text": {"b\xe9b"}, "X.y": {"dotted"}, "X-None": {},
	}}
	d := New(record, Options{JSONParameters: []Ref{{Header, "x-META"}}})
	tests := []struct{ name, want string }{
		{"x-meta", `{"Foo":1,"a-B":3,"a-b":4,"foo":2}`},
		{"x-meta.foo", "2"},
		{"X-Meta.a-b", "3"}, // webhook respells all of the name
		{"x-text", "b\xe9b"},
		{"x.y", "dotted"},
		{"x-none", missing},
		{"X-Text.a", missing},
		{"X-Absent.a", missing},
	}
	for _, tt := range tests {
		if got := valueOf(t, d, Ref{Header, tt.name}); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, got, tt.want)
		}
	}
	want := `{"X-Meta":{"Foo":1,"a-B":3,"a-b":4,"foo":2},"X-Text":"b\ufffdb","X.y":"dotted"}`
	if got := valueOf(t, d, Ref{Source: EntireHeaders}); got != want {
		t.Errorf("entire headers %s, want %s", got, want)
	}
	if record.Header.Get("X-Meta")[0] != '{' {
		t.Error("the record was changed")
	}
	capital := New(&run.Delivery{Header: http.Header{"X-Meta": {`{"Foo": 1}`}}}, Options{JSONParameters: []Ref{{Header, "X-Meta"}}})
	if got := valueOf(t, capital, Ref{Header, "x-meta.Foo"}); got != "1" {
		t.Errorf("a key in capitals: %q", got)
	}
}

func TestJSONParameters(t *testing.T) {
	payload := func(names ...string) (refs []Ref) {
		for _, name := range names {
			refs = append(refs, Ref{Payload, name})
		}
		return refs
	}
	tests := []struct {
		name        string
		contentType string
		body        string
		parameters  []Ref
		ask, want   string
		problem     string
	}{
		{"a dotted name", "application/json", `{"a": {"b": "{\"c\": 1}"}}`, payload("a.b"), "a.b.c", "1", ""},
		{"within a list", "application/json", `["{\"c\": 1}", 2]`, payload("root.0"), "root", `[{"c":1},2]`, ""},
		{"one within another", "application/json", `{"a": "{\"b\": \"{\\\"c\\\": 1}\"}", "z": 0}`, payload("a", "a.b"), "a.b.c", "1", ""},
		{"one within another, in a form", "x-www-form-urlencoded", `a={"b":"{\"c\":1}"}`, payload("a", "a.b"), "a.b.c", "1", ""},
		{"the last of equal keys", "application/json", `{"a": 1, "a": "{}", "b": 2}`, payload("a"), "a", "{}", ""},
		{"members behind it are still found", "application/json", `{"a": "{\"b\": 1, \"c\": 2}", "z": [3]}`, payload("a"), "z.0", "3", ""},
		{"null", "application/json", `{"y": null, "n": "null"}`, payload("n"), "n", "null", ""},
		{"a null that came as one", "application/json", `{"y": null, "n": "null"}`, payload("n"), "y", "<nil>", ""},
		{"null before another", "application/json", `{"m": "{}", "n": "null"}`, payload("n", "m"), "n", "null", ""},
		{"null behind another", "application/json", `{"n": "null", "m": "{\"a\":1}"}`, payload("n", "m"), "n", "null", ""},
		{"null in a form", "x-www-form-urlencoded", "n=null", payload("n"), "n", "null", ""},
		{"null holds nothing", "x-www-form-urlencoded", "n=null", payload("n"), "n.a", missing, ""},
		{"in XML", "text/xml", `<r><j>{"a": [1]}</j></r>`, payload("r.j"), "r.j.a.0", "1", ""},
		{"a path in what was a text", "x-www-form-urlencoded", `p={"c":[{"id":1},{"id":2}]}`, payload("p"), "p.c.#.id", "[1,2]", ""},
		{"a list", "application/json", `{"a": "[1]"}`, payload("a"), "a", "[1]", "it is a list, not an object"},
		{"no JSON", "application/json", `{"a": "{"}`, payload("a"), "a", "{", "at byte 1: it ends before its value does"},
		{"a number", "application/json", `{"a": 5}`, payload("a"), "a", "5", ""},
		{"absent", "application/json", `{"a": 5}`, payload("b"), "a", "5", `payload "b" as JSON: it is not in the request`},
		{"no payload", "application/json", ``, payload("b"), "b", missing, `it is not in the request`},
		{"too deep", "application/json", `{"a": "{\"b\":` + strings.Repeat("[", maxDepth) + `"}`, payload("a"), "a",
			`{"b":` + strings.Repeat("[", maxDepth), "nested deeper than 1000 levels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := typed(tt.contentType, tt.body, tt.parameters...)
			if got := valueOf(t, d, Ref{Payload, tt.ask}); got != tt.want {
				t.Errorf("%s = %q, want %q", tt.ask, got, tt.want)
			}
			checkProblem(t, d.Problem(), tt.problem)
		})
	}
}

func checkProblem(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil && want != "" || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
		t.Errorf("problem %v, want %q", err, want)
	}
}

// What cannot be parsed is no payload, and the log can say why.
func TestProblem(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	deepXML := func(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }
	tests := []struct{ name, contentType, body, problem string }{
		{"an object", "application/json", `{"a": 1}`, ""},
		{"null", "application/json", `null`, ""},
		{"cut", "application/json", `{"a": 1`, "the body is no JSON payload: at byte 7: it ends before its value does"},
		{"empty", "application/json", ``, "at byte 0: it ends before"},
		{"a byte order mark", "application/json", "\ufeff{}", `at byte 0: 'ï' where a value must begin`},
		{"no comma", "application/json", `{"a": 1 "b"}`, `at byte 8: '"' after a value`},
		{"no colon", "application/json", `{"a" 1}`, "at byte 5: '1' where a colon must stand"},
		{"no key", "application/json", `{1: 2}`, "at byte 1: '1' where a key must begin"},
		{"a comma too many", "application/json", `{"a": 1,}`, "at byte 8: '}' where a key must begin"},
		{"a control character", "application/json", "{\"a\": \"\n\"}", "at byte 7: the control character '\\n' in a string"},
		{"an unknown escape", "application/json", `{"a": "\x"}`, "at byte 7: an escape that JSON does not know"},
		{"a scalar", "application/json", `"text"`, "it is neither an object nor a list"},
		{"deep", "application/json", deep(maxDepth), ""},
		{"too deep", "application/json", deep(maxDepth + 1), "at byte 1000: nested deeper than 1000 levels"},
		{"deep XML", "text/xml", deepXML(maxDepth), ""},
		{"too deep XML", "text/xml", deepXML(maxDepth + 1), "nested deeper than 1000 levels"},
		{"large XML", "text/xml", "<a>" + strings.Repeat("<b/>", maxNodes-1) + "</a>", ""},
		{"too large XML", "text/xml", "<a>" + strings.Repeat("<b/>", maxNodes) + "</a>", "more than 100000 elements"},
		{"no XML", "text/xml", "text", "it holds no element"},
		{"a form", "x-www-form-urlencoded", "a=%zz", `the body is no form: invalid URL escape "%zz"`},
		{"unparsed", "text/plain", "text", `the content type "text/plain" is none that is parsed`},
		{"unparsed but empty", "text/plain", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := typed(tt.contentType, tt.body)
			if err := d.Parse(); err != nil {
				t.Errorf("Parse() = %v: only multipart forms are parsed beforehand", err)
			}
			checkProblem(t, d.Problem(), "") // nobody looked yet
			checkProblem(t, d.Validate(), tt.problem)
			checkProblem(t, d.Problem(), tt.problem)
			if whole := valueOf(t, d, Ref{Source: EntirePayload}); tt.problem != "" && whole != "null" {
				t.Errorf("entire payload %.50q", whole)
			}
		})
	}
}

func TestKindOf(t *testing.T) {
	tests := map[string]kind{
		"application/json":                        jsonBody,
		"application/vnd.github+json":             jsonBody,
		"application/JSON":                        unparsed,
		"application/x-www-form-urlencoded":       formBody,
		"x-www-form-urlencoded; json":             jsonBody,
		"application/soap+xml":                    xmlBody,
		"text/xml; x-www-form-urlencoded":         formBody,
		"multipart/form-data; boundary=b":         multipartBody,
		"multipart/form-data; boundary=json":      multipartBody, // webhook loses this form
		"multipart/form-data":                     unparsed,
		"multipart/mixed; boundary=b":             unparsed,
		"Multipart/form-data; boundary=b":         unparsed,
		"":                                        unparsed,
		"text/plain; charset=json-with-something": jsonBody,
	}
	for contentType, want := range tests {
		if got := kindOf(contentType); got != want {
			t.Errorf("kindOf(%q) = %v, want %v", contentType, got, want)
		}
	}
}

// The record is what came; reading it changes nothing in it.
func TestReadingChangesNothing(t *testing.T) {
	body := `{"b": "{\"x\": 1}", "a": [2, 1]}`
	d := typed("application/json", body, Ref{Payload, "b"})
	for _, ref := range []Ref{{Source: EntirePayload}, {Payload, "b.x"}, {Payload, "a.#"}, {Source: RawRequestBody}} {
		_ = valueOf(t, d, ref)
	}
	if string(d.Body) != body || valueOf(t, d, Ref{Source: RawRequestBody}) != body {
		t.Errorf("the body is now %q", d.Body)
	}
}

// What every accepted delivery does must not allocate by the size of its body.
func TestAllocations(t *testing.T) {
	large := largePayload()
	record := jsonDelivery(large).Delivery
	got := testing.AllocsPerRun(10, func() {
		if _, err := New(record, Options{}).Value(Ref{Payload, "repository.owner.name"}); err != nil {
			t.Fatal(err)
		}
	})
	if got > 10 {
		t.Errorf("%v allocations for one value of a large payload", got)
	}
}
