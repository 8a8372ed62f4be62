package delivery

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pawlhq/pawl/internal/run"
)

func jsonDelivery(body []byte, parameters ...Ref) *Delivery {
	record := &run.Delivery{Body: body, Header: http.Header{"Content-Type": {"application/json"}}}
	return New(record, Options{JSONParameters: parameters})
}

// FuzzValue compares what is found in any body by any literal name with the
// reference.
func FuzzValue(f *testing.F) {
	for _, seed := range []struct{ body, name string }{
		{`{"a": {"b": 1}} trailing {`, "a.b"},
		{`[{"id": 1}, {"id": 2}]`, "root.1.id"},
		{`{"a.b": "raw", "a": {"b": "walked", "c": 1E5}}`, "a.b"},
		{`{"k": {"x": 1}, "k": {"x": [2, -0.0]}}`, "k.x"},
		{`{"\u0061": "\ud83d\ude00\ud800", "a\u2028": "<&>"}`, "a"},
		{"{\"\xff\": \"\xff\xfe\"}", "\ufffd"},
		{`{"o": {"z": null, "a": {"y": [], "b": {}}, "z": true}}`, "o"},
		{`{"a": ["x", ["y"]]}`, "a.01.0"},
		{`{"a": ["x"]}`, "a.18446744073709551615"},
		{`{"": {"": ""}}`, "."},
		{`nul`, ""}, {`null`, ""}, {`"text"`, ""}, {`-`, ""}, {`{"a":01}`, "a"},
		{`{"a":1,}`, "a"}, {`[1,]`, "root"}, {"\v[1]", "root"}, {`{"a":"\x"}`, "a"},
		{`{"o": {"s": "\/", "u": "\u0041\b\f", "v": "\u2028", "w": "\u2029"}}`, "o"},
		{"{\"o\": [\"a\u2028\", \"b\u2029\"]}", "o"},
		{`{"a":"\u00g0"}`, "a"}, {`{"a":"\u00/0"}`, "a"}, {`{"a":"\u00:0"}`, "a"}, {`{"a":"\u00aF"}`, "a"}, {`{"a":"\u00@0"}`, "a"},
		{"{\"a\":\"\n\"}", "a"}, {`{"a":1e}`, "a"}, {`{"a":tru}`, "a"}, {`{"a" 1}`, "a"},
	} {
		f.Add([]byte(seed.body), seed.name)
	}
	f.Fuzz(func(t *testing.T, body []byte, name string) {
		if isPath(name) || !utf8.ValidString(name) {
			t.Skip() // paths are not webhook's; hook files are UTF-8
		}
		compareWithReference(t, body, name)
	})
}

func compareWithReference(t *testing.T, body []byte, name string) {
	t.Helper()
	if referenceDepth(body) > maxDepth {
		if jsonDelivery(body).Validate() == nil {
			t.Fatalf("a body nested too deep was parsed")
		}
		return
	}
	d := jsonDelivery(body)
	payload, wantErr := referencePayload(body)
	if err := d.Validate(); (err != nil) != (wantErr != nil) {
		t.Fatalf("body %q: problem %v, reference %v", body, err, wantErr)
	}
	want, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Value(Ref{Source: EntirePayload}); err != nil || got != string(want) {
		t.Fatalf("body %q: entire payload %q, %v; want %q", body, got, err, want)
	}
	got, err := d.Value(Ref{Payload, name})
	found, wantErr := referenceFind(name, payload)
	if IsMissing(err) != (wantErr != nil) || (err != nil && !IsMissing(err)) {
		t.Fatalf("body %q, name %q: %q, %v; reference %v, %v", body, name, got, err, found, wantErr)
	}
	if err == nil && got != referenceRender(found) {
		t.Fatalf("body %q, name %q: %q, want %q", body, name, got, referenceRender(found))
	}
}

// FuzzPath holds that any path in any body ends without a panic and gives what
// it gives for the same body without duplicate keys.
func FuzzPath(f *testing.F) {
	for _, path := range []string{
		"commits.#.id", `tags.#(%"v*")`, `a.#(k=="<").v`, "*", "a|@reverse", "@pretty", "{a,b.c}", "[a,b]",
		"a.#", "!5", "#", "a.@keys", "a.#(b>1)#.c", "root.#.x", "@this", "@fromstr", "@tostr", "@dig:x", "a.?",
	} {
		f.Add([]byte(`{"a":[{"k":"<","v":1,"v":2}],"tags":["v1"],"b":{"c":"\ud800"},"a":[{"k":"<","v":3}]}`), path)
	}
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		d := jsonDelivery(body)
		if d.Validate() != nil || d.document == nil {
			return
		}
		got, err := d.Value(Ref{Payload, path})
		if err != nil && !IsMissing(err) {
			t.Fatalf("path %q: %v", path, err)
		}
		if d.document.root || strings.Contains(path, "@tostr") {
			return // tostr shows the white space, which a normal text has not
		}
		again, err2 := jsonDelivery([]byte(normalise(d.document.text))).Value(Ref{Payload, path})
		if got != again || (err == nil) != (err2 == nil) {
			t.Fatalf("body %q, path %q: %q, %v; without duplicates %q, %v", body, path, got, err, again, err2)
		}
	})
}

// FuzzParameter holds that a text parsed as JSON is found as if it had stood
// there as an object.
func FuzzParameter(f *testing.F) {
	f.Add(`{"a": 1, "b": [null]} x`, "p.b.0")
	f.Add(`null`, "p")
	f.Add("{\"\xff\": \"<\"}", "p")
	f.Fuzz(func(t *testing.T, text, name string) {
		if isPath(name) || !utf8.ValidString(name) {
			t.Skip()
		}
		body, err := json.Marshal(map[string]any{"z": []any{nil}, "p": text})
		if err != nil {
			t.Fatal(err)
		}
		text = string([]rune(text)) // as Marshal wrote it
		if referenceDepth([]byte(text)) > maxDepth {
			t.Skip()
		}
		payload := map[string]any{"z": []any{nil}, "p": text}
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.UseNumber()
		var object map[string]any
		if decoder.Decode(&object) == nil {
			payload["p"] = object
		}
		found, wantErr := referenceFind(name, payload)
		got, err := jsonDelivery(body, Ref{Payload, "p"}).Value(Ref{Payload, name})
		if IsMissing(err) != (wantErr != nil) || (err == nil && got != referenceRender(found)) {
			t.Fatalf("text %q, name %q: %q, %v; want %v, %v", text, name, got, err, found, wantErr)
		}
	})
}
