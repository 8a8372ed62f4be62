package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

func TestCGIAnswers(t *testing.T) {
	html := http.Header{"Content-Type": {"text/html"}}
	long := "X-Long: " + strings.Repeat("x", maxCGIHead)
	tests := []struct {
		name, output string
		outcome      run.Outcome
		status       int
		header       http.Header // some of it
		body         string
	}{
		{"status, header lines, body", "Status: 404 Not Found\nContent-Type: text/html\n\n<p>no</p>\n", exited(0), 404, html, "<p>no</p>\n"},
		{"lines end with CRLF", "Status: 404\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n", exited(0), 404, html, "<p>\r\n\r\n"},
		{"names in any case, blanks around values", "STATUS:403\ncontent-TYPE:   text/html \n\nx", exited(0), 403, html, "x"},
		{"no status: that of success", "Content-Type: text/html\n\nx", exited(0), 201, html, "x"},
		{"no header lines: the type is guessed", "\nhello", exited(0), 201, http.Header{"Content-Type": {"text/plain; charset=utf-8"}}, "hello"},
		{"a page is not guessed", "\n<html><script>", exited(0), 201, http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}}, "<html><script>"},
		{"a place without a status", "Location: https://example.org/\n\n", exited(0), 302, http.Header{"Location": {"https://example.org/"}}, ""},
		{"a place with one", "Status: 303\nLocation: /here\n\n", exited(0), 303, http.Header{"Location": {"/here"}}, ""},
		{"a header twice", "Set-Cookie: a=b\nSet-Cookie: c=d\n\n", exited(0), 201, http.Header{"Set-Cookie": {"a=b", "c=d"}}, ""},
		{"the script's header lines stand above the hook's", "X-A: script\n\n", exited(0), 201, http.Header{"X-A": {"script"}}, ""},
		{"the hook's stand where the script is silent", "\n", exited(0), 201, http.Header{"X-A": {"hook"}}, ""},
		{"a length is found, not believed", "Content-Length: 2\n\nmore than two", exited(0), 201, nil, "more than two"},
		{"it fails when the answer has begun", "Status: 200\n\nx", exited(1), 200, nil, "x"},
		{"the end stands for the empty line", "Status: 204\n", exited(0), 204, nil, ""},
		{"if in the middle of a line", "Status: 204", exited(0), 204, nil, ""},
		{"no output at all", "", exited(0), 201, nil, ""},
		{"it fails before the empty line", "Status: 200\n", exited(1), 500, nil, failedText},
		{"it fails without a word", "", ended(run.NotStarted), 500, nil, failedText},

		{"a line that is no header line", "Status: 200\nhello\n\nx", exited(0), 502, nil, noCGIText},
		{"a warning before the header lines", "/srv/foo.sh: line 3: x: command not found\nStatus: 200\n\nx", exited(0), 502, nil, noCGIText},
		{"a blank in a name", "Content Type: x\n\n", exited(0), 502, nil, noCGIText},
		{"a folded line", "X-B: c\n d\n\n", exited(0), 502, nil, noCGIText},
		{"a name without letters", ": x\n\n", exited(0), 502, nil, noCGIText},
		{"a CR within a value", "X-B: c\rX-C: d\n\n", exited(0), 502, nil, noCGIText},
		{"a zero byte", "X-B: c\x00\n\n", exited(0), 502, nil, noCGIText},
		{"a status that is none", "Status: OK\n\n", exited(0), 502, nil, noCGIText},
		{"one that does not end an exchange", "Status: 100\n\n", exited(0), 502, nil, noCGIText},
		{"one out of range", "Status: 600\n\n", exited(0), 502, nil, noCGIText},
		{"one with a sign", "Status: +20\n\n", exited(0), 502, nil, noCGIText},
		{"two", "Status: 200\nStatus: 404\n\n", exited(0), 502, nil, noCGIText},
		{"the connection is not the script's", "Connection: close\n\n", exited(0), 502, nil, noCGIText},
		{"nor how the body is sent", "Transfer-Encoding: chunked\n\n", exited(0), 502, nil, noCGIText},
		{"nor what Pawl says", "X-Pawl-Run-Id: 1\n\n", exited(0), 502, nil, noCGIText},
		{"header lines without an end", long, exited(0), 502, nil, noCGIText},
		{"header lines that are too long", long + "\n\nx", exited(0), 502, nil, noCGIText},
		{"nonsense, and it fails", "hello\n\n", exited(1), 502, nil, noCGIText},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			file := "[{id: a, execute-command: x, success-http-response-code: 201, response-headers: [{name: X-A, value: hook}], answer: {body: cgi}}]"
			s := serverOf(t, file, &fakeEngine{output: test.output, outcome: test.outcome}, func(o *Options) { o.Log = zerolog.New(&log) })
			answer := post(s, "/hooks/a", "{}")
			if answer.Code != test.status || answer.Body.String() != test.body {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.body)
			}
			for name, want := range test.header {
				if diff := cmp.Diff(want, answer.Header()[name]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			if answer.Header().Get("Content-Length") != "" {
				t.Error("the script's length was passed on")
			}
			if told := strings.Contains(log.String(), "no CGI answer"); told != (test.status == 502) {
				t.Errorf("the log:\n%s", &log)
			}
		})
	}
}

func TestCGIHeaderLinesMayComeInPieces(t *testing.T) {
	const output = "Status: 404\r\nX-B: c\r\n\r\nbody\n\n"
	for size := 1; size < len(output); size++ {
		e := &fakeEngine{attempt: inPieces(output, size)}
		got, _ := overWire(t, "{body: cgi}", e, io.Discard)
		body, err := io.ReadAll(got.Body)
		if got.StatusCode != 404 || got.Header.Get("X-B") != "c" || string(body) != "body\n\n" || err != nil {
			t.Errorf("in pieces of %d: %d %v %q, %v", size, got.StatusCode, got.Header, body, err)
		}
	}
}

// inPieces is an attempt that prints a text, so many bytes at a time.
func inPieces(text string, size int) func(context.Context, engine.Live) (run.Outcome, error) {
	return func(_ context.Context, live engine.Live) (run.Outcome, error) {
		live.Accepted()
		for piece := range slices.Chunk([]byte(text), size) {
			_, _ = live.Output.Write(piece)
		}
		return exited(0), nil
	}
}

// FuzzCGIHead: what a script prints makes a head that net/http can send as it
// is, or is refused.
func FuzzCGIHead(f *testing.F) {
	for _, seed := range []string{
		"Status: 404 Not Found\nContent-Type: text/html\n\n<p>", "\n", "\r\n\r\n", "X: y\r\n\r", "Location: x\n\nbody", "a:b:c\n\n", ": \n\n", "Status:\n\n", "é: x\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, output []byte) {
		text, body, found := cutHead(output)
		if !found {
			text = output
		} else if !bytes.HasPrefix(output, text) || !bytes.HasSuffix(output, body) {
			t.Fatalf("cut into %q and %q", text, body)
		}
		head, err := parseHead(text)
		if err != nil {
			return
		}
		if head.status != 0 && (head.status < 200 || head.status > 599) {
			t.Errorf("status %d", head.status)
		}
		var wire bytes.Buffer
		if err := head.header.Write(&wire); err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(wire.String(), "\r\n")
		values := 0
		for name, of := range head.header {
			values += len(of)
			if name == "" || !utf8.ValidString(name) || strings.ContainsAny(name, ": \r\n") {
				t.Errorf("name %q", name)
			}
		}
		if lines != values || strings.Count(wire.String(), "\n") != lines {
			t.Errorf("%d values make %d lines:\n%q", values, lines, &wire)
		}
	})
}
