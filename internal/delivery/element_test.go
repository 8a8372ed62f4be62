package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/run"
)

// The element of for-each renders like any other value, and names lead into it.
func TestElement(t *testing.T) {
	tests := []struct{ element, name, want string }{
		{``, "", missing},
		{``, "a", missing},
		{`"v1.2"`, "", "v1.2"},
		{`"\u00e9 \"q\""`, "", `é "q"`},
		{`1.50`, "", "1.50"},
		{`true`, "", "true"},
		{`null`, "", "<nil>"},
		{`""`, "", ""},
		{` "v1" `, "", "v1"},
		{`{"b": 1, "a": [ 2 ]}`, "", `{"a":[2],"b":1}`},
		{`[ 1, "x" ]`, "", `[1,"x"]`},
		{`{"tag": {"name": "v1"}}`, "tag.name", "v1"},
		{` {"tag": {"name": "v1"}}`, "tag.name", "v1"},
		{`{"tag.name": "whole", "tag": {"name": "v1"}}`, "tag.name", "whole"},
		{`{"k": 1, "k": 2}`, "k", "2"},
		{`{"a": [{"b": 1}, {"b": 2}]}`, "a.#.b", "[1,2]"},
		{`["x", "y"]`, "1", "y"},
		{`"v1"`, "name", missing},
		{`{"a": 1}`, "b", missing},
		{`{"a": 1}`, "b.#", missing},
		{`{"a": `, "", missing},
	}
	for _, tt := range tests {
		d := New(&run.Delivery{}, Options{Element: tt.element})
		if got := valueOf(t, d, Ref{Element, tt.name}); got != tt.want {
			t.Errorf("%q of the element %q is %q, want %q", tt.name, tt.element, got, tt.want)
		}
		if broken := tt.element == `{"a": `; (d.Problem() != nil) != broken {
			t.Errorf("the element %q has the problem %v", tt.element, d.Problem())
		}
	}
	d := New(&run.Delivery{}, Options{Element: `"one"`})
	first := valueOf(t, d, Ref{Source: Element})
	d.SetElement(`"two"`)
	if second := valueOf(t, d, Ref{Source: Element}); first != "one" || second != "two" {
		t.Errorf("the elements are %q and %q", first, second)
	}
}

// A list has its elements; a scalar is a list of one; what is missing, null or
// empty has none; an object does not fit.
func TestElements(t *testing.T) {
	record := &run.Delivery{
		RawQuery: "tag=v1&none=&path=%22x%22%ff",
		Header:   http.Header{"Content-Type": {"application/json"}, "X-Tags": {"a b"}},
		Body: []byte(`{"tags": ["v1", "v2", "v1"], "mixed": [1.50, null, {"a": [2]} , [] ], "one": "v1", "number": 7,
			"yes": true, "null": null, "empty": [ ], "text": "", "object": {"a": 1}, "images": [{"tag": "a"}, {"tag": "b"}]}`),
	}
	tests := []struct {
		source Source
		name   string
		want   []string
		err    string
	}{
		{Payload, "tags", []string{`"v1"`, `"v2"`, `"v1"`}, ""},
		{Payload, "mixed", []string{`1.50`, `null`, `{"a": [2]}`, `[]`}, ""},
		{Payload, "images.#.tag", []string{`"a"`, `"b"`}, ""},
		{Payload, "one", []string{`"v1"`}, ""},
		{Payload, "number", []string{`7`}, ""},
		{Payload, "yes", []string{`true`}, ""},
		{Payload, "images.#", []string{`2`}, ""},
		{Payload, "null", nil, ""},
		{Payload, "empty", nil, ""},
		{Payload, "text", nil, ""},
		{Payload, "missing", nil, ""},
		{Payload, "object", nil, `payload "object" is an object, not a list`},
		{Header, "x-tags", []string{`"a b"`}, ""},
		{Header, "x-none", nil, ""},
		{Query, "tag", []string{`"v1"`}, ""},
		{QueryAlias, "tag", []string{`"v1"`}, ""},
		{Query, "none", nil, ""},
		{Query, "path", []string{`"\"x\"\ufffd"`}, ""},
		{Request, "method", nil, "source request has no elements"},
	}
	for _, tt := range tests {
		ref := Ref{tt.source, tt.name}
		got, err := New(record, Options{}).Elements(ref)
		text := ""
		if err != nil {
			text = err.Error()
		}
		if diff := cmp.Diff(tt.want, got); diff != "" || text != tt.err {
			t.Errorf("%v: error %q, want %q; elements (-want +got):\n%s", ref, text, tt.err, diff)
		}
	}
}

func TestElementsAreBounded(t *testing.T) {
	for _, n := range []int{MaxElements, MaxElements + 1} {
		body := `{"a":[` + strings.TrimSuffix(strings.Repeat("0,", n), ",") + `]}`
		got, err := typed("application/json", body).Elements(Ref{Payload, "a"})
		var unfit *ElementsError
		switch {
		case n <= MaxElements && (err != nil || len(got) != n):
			t.Errorf("%d elements: %d, %v", n, len(got), err)
		case n > MaxElements && (!errors.As(err, &unfit) || err.Error() != fmt.Sprintf(`payload "a" has more than %d elements`, MaxElements)):
			t.Errorf("%d elements: %d, %v", n, len(got), err)
		}
	}
}

// FuzzElement holds that the elements of any body are found again as elements,
// and that any text is taken for one without a panic.
func FuzzElement(f *testing.F) {
	f.Add(`["v1", {"a": 1}]`, "a")
	f.Add(`[[1, [2]], null]`, "0.#")
	f.Add("[\"\xff\"]", "")
	f.Add(` {"a": 1`, "a")
	f.Fuzz(func(t *testing.T, text, name string) {
		_, _ = New(&run.Delivery{}, Options{Element: text}).Value(Ref{Element, name})
		elements, err := typed("application/json", text).Elements(Ref{Payload, "root"})
		if err != nil {
			return
		}
		for i, element := range elements {
			d := New(&run.Delivery{}, Options{Element: element})
			got, err := d.Value(Ref{Source: Element})
			if err != nil || d.Problem() != nil {
				t.Fatalf("element %d of %q, %q: %v, %v", i, text, element, err, d.Problem())
			}
			if again, _ := typed("application/json", text).Value(Ref{Payload, fmt.Sprintf("root.%d", i)}); len(elements) > 1 && got != again {
				t.Fatalf("element %d of %q is %q, by its number %q", i, text, got, again)
			}
		}
	})
}
