package cli

import (
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	tests := []struct {
		name, text string
		body, path string
		err        string // "" if none
	}{
		{"as it goes over the wire", "POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", "body", "/hooks/a", ""},
		{"bare line ends", "POST /hooks/a HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody", "body", "/hooks/a", ""},
		{"without Content-Length the rest", "POST /hooks/a?b=c HTTP/1.0\n\n a\r\nb\n", " a\r\nb\n", "/hooks/a", ""},
		{"in chunks", "POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", "body", "/hooks/a", ""},
		{"a line end behind the body, as editors add", "POST /hooks/a HTTP/1.1\nHost: x\nContent-Length: 4\n\nbody\n", "body", "/hooks/a", ""},
		{"a head alone", "GET /hooks/a HTTP/1.1\nHost: x", "", "/hooks/a", ""},
		{"an encoded path", "GET /hooks/a%20b HTTP/1.1\nHost: x\n\n", "", "/hooks/a b", ""},
		{"as GitHub's page shows it", "Request URL: https://hooks.example.com/hooks/a?b=c\nRequest method: POST\nAccept: */*\nX-GitHub-Event: push\n\nbody", "body", "/hooks/a", ""},
		{"without a version", "POST /hooks/a\nHost: x\n\nbody", "body", "/hooks/a", ""},
		{"a page's URL without the method", "Request URL: https://x/hooks/a\nAccept: */*\n\n", "", "", `1: an HTTP request begins`},
		{"a page's URL that is none", "Request URL: a\nRequest method: POST\n\n", "", "", `1: an HTTP request begins`},
		{"no empty line before the body", "POST / HTTP/1.1\nHost: x\n{\"ref\":\"main\"}", "", "", `3: this is no header line (Name: value), and before a body stands an empty line`},
		{"nothing", "", "", "", `1: an HTTP request begins with a line as in POST /hooks/deploy HTTP/1.1, not ""`},
		{"a body alone", `{"a":1}`, "", "", "1: an HTTP request begins"},
		{"a line that is no header", "POST / HTTP/1.1\nHost: x\nno header\n\n", "", "", "3: this is no header line"},
		{"cut short", "POST / HTTP/1.1\nHost: x\nContent-Length: 9\n\nbody", "", "", "5: the body has 4 bytes and Content-Length says 9"},
		{"two requests", "POST / HTTP/1.1\nHost: x\nContent-Length: 4\n\nbodyPOST / HTTP/1.1\n", "", "", "5: 16 bytes follow the body"},
		{"a length that is none", "POST / HTTP/1.1\nHost: x\nContent-Length: x\n\nbody", "", "", "1: this is no HTTP request"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := parseRequest([]byte(test.text))
			if test.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.err) {
					t.Errorf("%v, want %s", err, test.err)
				}
				return
			}
			if err != nil || string(d.Body) != test.body || d.Path != test.path {
				t.Errorf("%v %+v", err, d)
			}
		})
	}
}

// FuzzParseRequest reads anything.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"))
	f.Add([]byte("POST /hooks/a HTTP/1.1\nTransfer-Encoding: chunked\n\n4\nbody\n0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := parseRequest(text)
		if err == nil && len(d.Body) > len(text) {
			t.Errorf("the body has %d bytes of %d", len(d.Body), len(text))
		}
		if err != nil && err.Error() == "" {
			t.Error("an error says nothing")
		}
	})
}
