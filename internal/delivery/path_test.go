package delivery

import (
	"fmt"
	"strings"
	"testing"
)

const forge = `{
	"commits": [
		{"id": "c0", "author": {"name": "Eve"}, "added": ["a", "b"]},
		{"id": "c1", "author": {"name": "Jána <j>"}, "added": []}
	],
	"updated_tags": ["v1", "latest", "v2"],
	"labels": {"team": "red", "tier": "1"},
	"a*b": "literal star", "x": {"#": "literal hash", "@this": 5}, "n": null
}`

// A path is tried where no literal name is found.
func TestPaths(t *testing.T) {
	tests := []struct{ name, want string }{
		{"commits.#.id", `["c0","c1"]`},
		{"commits.#", "2"},
		{`commits.#(id=="c1").author.name`, "Jána <j>"},
		{`commits.#(author.name=="Jána <j>").id`, "c1"},
		{"commits.#.author.name", `["Eve","Jána \u003cj\u003e"]`}, // lists render as elsewhere
		{`updated_tags.#(%"v*")`, "v1"},
		{`updated_tags.#(%"v*")#`, `["v1","v2"]`},
		{"updated_tags|@reverse|0", "v2"},
		{"updated_tags.@reverse.0", "v2"},
		{"labels.t*m", "red"},
		{"labels.tie?", "1"},
		{"labels|@keys", `["team","tier"]`},
		{"[updated_tags.0,labels.tier]", `["v1","1"]`},
		{"{labels.team,n}", `{"n":null,"team":"red"}`},
		{"commits.0.added|@tostr", `["a", "b"]`},
		{"labels|@pretty", `{"team":"red","tier":"1"}`},
		{"n|@this", "<nil>"},

		{"a*b", "literal star"}, // a key that is there comes first
		{"x.#", "literal hash"},
		{"x.@this", "5"},

		{"commits.#.nope", "[]"},
		{`updated_tags.#(=="v9")`, missing},
		{"nope|@reverse", missing},
		{"nope*", missing},
	}
	d := jsonDelivery([]byte(forge))
	for _, tt := range tests {
		if got := valueOf(t, d, Ref{Payload, tt.name}); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Names that webhook does not find stay missing, even if gjson alone would
// find something.
func TestNamesThatAreNoPaths(t *testing.T) {
	body := `{"a": ["x", {"k": 1}], "s": "text", "a.b": {"c": 1}, "list": [{"#text": 1}], "w": "y"}`
	for _, name := range []string{
		"a.-1", "a.+1", "a.2", "a.5", "a.x", "s.x", "s.0", "a.b.c", `a\.b`, `a\.b.c`,
		"list.#text", "list.0.#texts", "@id", "@", "a.@id", "user@host", "..0", "..#", "w.", ".w", "a.1.k.0", "",
	} {
		if got := valueOf(t, jsonDelivery([]byte(body)), Ref{Payload, name}); got != missing {
			t.Errorf("%s = %q, want it missing", name, got)
		}
		if isPath(name) {
			t.Errorf("isPath(%q)", name)
		}
	}
	query := typed("text/plain", "")
	query.RawQuery = "abc=1"
	query.Header.Set("X-Abc", "1")
	for _, ref := range []Ref{{Query, "a*"}, {Header, "X-*"}} { // paths are for payloads
		if got := valueOf(t, query, ref); got != missing {
			t.Errorf("%v = %q, want it missing", ref, got)
		}
	}
}

// The last of equal keys counts in paths too, at every depth, however the keys
// are spelt and however many there are.
func TestPathsAndEqualKeys(t *testing.T) {
	var many strings.Builder
	for i := range 40 {
		fmt.Fprintf(&many, `"k%d": 0, `, i)
	}
	tests := []struct{ body, name, want string }{
		{`{"a": [1], "a": [2, 3]}`, "a.#", "2"},
		{`{"a": {"b": [1], "b": [2, 3]}}`, "a.b.#", "2"},
		{`{"l": [{"k": 1, "k": 2}, {"k": 3}]}`, "l.#.k", "[2,3]"},
		{`{"l": [{"k": 1, "k": 2}, {"k": 3}]}`, "l.#(k==1).k", missing},
		{`{"a": [1], "\u0061": [2, 3]}`, "a.#", "2"},
		{`{"a": {"b": 1, "c": 2}, "a": {"c": 3}}`, "a.*", "3"},
		{`{"a": {` + many.String() + `"z": [1], "z": [1, 2]}}`, "a.z.#", "2"},
		{`[{"k": 1, "k": 2}]`, "root.#.k", "[2]"},
		{"{\"\xff\": [1], \"\xfe\": [1, 2]}", "\ufffd.#", "2"}, // both are U+FFFD once read
	}
	for _, tt := range tests {
		if got := valueOf(t, jsonDelivery([]byte(tt.body)), Ref{Payload, tt.name}); got != tt.want {
			t.Errorf("%s in %s = %q, want %q", tt.name, tt.body, got, tt.want)
		}
	}
}

// Paths serve every kind of payload.
func TestPathsInOtherPayloads(t *testing.T) {
	tests := []struct{ contentType, body, name, want string }{
		{"text/xml", `<r><i k="1"/><i k="2"/></r>`, "r.i.#.-k", `["1","2"]`},
		{"x-www-form-urlencoded", "tag_a=1&other=2", "tag_*", "1"},
		{"application/json", `[{"id":1},{"id":2}]`, "root.#.id", "[1,2]"},
		{"text/plain", "text", "*", missing},
	}
	for _, tt := range tests {
		if got := valueOf(t, typed(tt.contentType, tt.body), Ref{Payload, tt.name}); got != tt.want {
			t.Errorf("%s in %s = %q, want %q", tt.name, tt.body, got, tt.want)
		}
	}
}
