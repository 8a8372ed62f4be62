package delivery

import (
	"bytes"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

// part is one part of a form; a type makes it a file.
type part struct{ name, contentType, text string }

// multipartDelivery writes a form as net/http's clients do.
func multipartDelivery(t *testing.T, boundary string, parts []part, parameters ...Ref) *Delivery {
	t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	if err := writer.SetBoundary(boundary); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", p.name)}}
		if p.contentType != "" {
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename="f"`, p.name))
			header.Set("Content-Type", p.contentType)
		}
		w, err := writer.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(p.text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	record := &run.Delivery{Body: body.Bytes(), Header: http.Header{"Content-Type": {writer.FormDataContentType()}}}
	return New(record, Options{JSONParameters: parameters})
}

func TestMultipart(t *testing.T) {
	many := func(n int) []part { return make([]part, n, n+1) }
	const json = "application/json"
	tests := []struct {
		name    string
		parts   []part
		ask     string
		want    string
		refused string
	}{
		{"the first file of a name", []part{{"f", json, `{"n": 1}`}, {"f", json, `{"n": 2}`}}, "f.n", "1", ""},
		{"the first file of a name, though it is no JSON", []part{{"f", "text/plain", `x`}, {"f", json, `{"n": 2}`}}, "f", missing, ""},
		{"a file before a value", []part{{"f", json, `{"n": 1}`}, {"f", "", "text"}}, "f", `{"n":1}`, ""},
		{"text that is no UTF-8", []part{{"v", "", "\xff"}}, "v", "\xff", ""},
		{"null in a file", []part{{"f", json, "null"}}, "f", "null", ""},
		{"an unnamed part", []part{{"", "", "lost"}, {"v", "", "1"}}, "v", "1", ""},
		{"dotted names", []part{{"a.b", "", "1"}}, "a.b", "1", ""},
		{"as many parts as there may be", append(many(maxParts-1), part{"v", "", "1"}), "v", "1", ""},
		{"one part more", append(many(maxParts), part{"v", "", "1"}), "v", "", "part 1001: more than 1000 parts"},
		{"values that just fit", []part{{"v", "", strings.Repeat("x", maxValueBytes-1-entryBytes)}}, "w", missing, ""},
		{"a byte more", []part{{"v", "", strings.Repeat("x", maxValueBytes-entryBytes)}}, "w", "", "more than 11534336 bytes of values"},
		{"values that do not fit together", []part{{"v", "", strings.Repeat("x", 6<<20)}, {"w", "", strings.Repeat("x", 6<<20)}}, "w", "", "part 2: more than"},
		{"a large file", []part{{"f", "image/png", strings.Repeat("x", 12<<20)}, {"v", "", "1"}}, "v", "1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := multipartDelivery(t, "b", tt.parts)
			err := d.Parse()
			var refused *ParseError
			if errors.As(err, &refused) != (tt.refused != "") || err != nil && !strings.Contains(err.Error(), tt.refused) {
				t.Fatalf("Parse() = %v, want %q", err, tt.refused)
			}
			checkProblem(t, d.Problem(), tt.refused)
			if tt.refused == "" {
				if got := valueOf(t, d, Ref{Payload, tt.ask}); got != tt.want {
					t.Errorf("%s = %q, want %q", tt.ask, got, tt.want)
				}
			}
		})
	}
}

// A signature must cover what came: webhook sees an empty body here.
func TestMultipartKeepsTheRawBody(t *testing.T) {
	d := multipartDelivery(t, "b", []part{{"v", "", "1"}})
	if got := valueOf(t, d, Ref{Source: RawRequestBody}); got != string(d.Body) || !strings.Contains(got, "--b--") {
		t.Errorf("raw body %q", got)
	}
}

// webhook loses a form when the letters json or xml happen to be in its
// boundary, which senders draw at random.
func TestBoundaryWithLettersOfOtherTypes(t *testing.T) {
	for _, boundary := range []string{"a-json-b", "xml", "x-www-form-urlencoded"} {
		d := multipartDelivery(t, boundary, []part{{"v", "", "1"}})
		if err := d.Parse(); err != nil {
			t.Fatal(err)
		}
		if got := valueOf(t, d, Ref{Payload, "v"}); got != "1" {
			t.Errorf("boundary %s: v = %q", boundary, got)
		}
	}
}

// As in webhook, net/http parses the query along with the form.
func TestMultipartWithAMalformedQuery(t *testing.T) {
	d := multipartDelivery(t, "b", []part{{"v", "", "1"}})
	d.RawQuery = "a=1;b=2"
	var refused *ParseError
	if err := d.Parse(); !errors.As(err, &refused) {
		t.Errorf("Parse() = %v", err)
	}
}

func FuzzMultipart(f *testing.F) {
	f.Add("b", "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--b--\r\n")
	f.Add("b", "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\nContent-Type: application/json\r\n\r\n{\"n\":1}\r\n--b--")
	f.Fuzz(func(t *testing.T, boundary, body string) {
		d := typed("multipart/form-data; boundary="+boundary, body, Ref{Payload, "a"})
		// What is refused has no values; all else renders as JSON.
		refused := d.Parse() != nil
		whole := valueOf(t, d, Ref{Source: EntirePayload})
		if _, _, _, err := scanValue(whole, 2*maxDepth); err != nil || refused && whole != "null" {
			t.Fatalf("refused %v, entire payload %q: %v", refused, whole, err)
		}
	})
}
