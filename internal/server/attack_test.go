package server

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// sent sends text to a real listener and gives the status lines that come back
// until the server ends the connection.
func sent(t *testing.T, address, text string) (statuses []string) {
	t.Helper()
	conn := dial(t, address)
	go func() { _, _ = io.WriteString(conn, text) }()
	answers, _ := io.ReadAll(conn) // a reset ends it too: the answer came before
	for line := range strings.SplitSeq(string(answers), "\r\n") {
		if status, ok := strings.CutPrefix(line, "HTTP/1.1 "); ok {
			statuses = append(statuses, status[:3])
		}
	}
	return statuses
}

// TestRequestsOfTwoMeanings: what a proxy might end elsewhere than Pawl is refused
// and ends the connection, so that no second request hides in the first.
func TestRequestsOfTwoMeanings(t *testing.T) {
	const hidden = "POST /hooks/hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
	post := func(head, body string) string {
		return "POST /hooks/a HTTP/1.1\r\nHost: x\r\n" + head + "\r\n" + body + hidden
	}
	tests := []struct {
		name, request string
		want          []string // statuses
		runs          []string
	}{
		{"a plain request, and one after it", post("Content-Length: 2\r\n", "{}"), []string{"200", "200"}, []string{"a", "hidden"}},
		{"the other in its body", post(fmt.Sprintf("Content-Length: %d\r\nConnection: close\r\n", len(hidden)), ""), []string{"200"}, []string{"a"}},
		{"two lengths", post("Content-Length: 2\r\nContent-Length: 0\r\n", "{}"), []string{"400"}, nil},
		{"two lengths in one line", post("Content-Length: 2, 0\r\n", "{}"), []string{"400"}, nil},
		{"a length with a sign", post("Content-Length: +2\r\n", "{}"), []string{"400"}, nil},
		{"a length below zero", post("Content-Length: -1\r\n", "{}"), []string{"400"}, nil},
		{"a length in hexadecimal", post("Content-Length: 0x2\r\n", "{}"), []string{"400"}, nil},
		{"a length beyond all numbers", post("Content-Length: 99999999999999999999\r\n", "{}"), []string{"400"}, nil},
		{"an encoding that is none", post("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), []string{"501"}, nil},
		{"two encodings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n"), []string{"501"}, nil},
		{"two encodings in one line", post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), []string{"501"}, nil},
		{"an encoding behind a tab", post("Transfer-Encoding:\x0bchunked\r\n", "0\r\n\r\n"), []string{"400"}, nil},
		{"a space before the colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"), []string{"400"}, nil},
		{"a header line that goes on", post("X-A: b\r\n Content-Length: 2\r\n", ""), []string{"200", "200"}, []string{"a", "hidden"}},
		{"a chunk of less than nothing", post("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"), []string{"400"}, nil},
		{"a chunk of more than all numbers", post("Transfer-Encoding: chunked\r\n", "fffffffffffffffff\r\n\r\n"), []string{"400"}, nil},
		{"a chunk that does not end", post("Transfer-Encoding: chunked\r\n", "1\r\nxx0\r\n\r\n"), []string{"400"}, nil},
		{"an empty header name", post(": x\r\n", ""), []string{"400"}, nil},
		{"a zero byte in a header", post("X-A: b\x00c\r\n", ""), []string{"400"}, nil},
		{"a carriage return in a header", post("X-A: b\rContent-Length: 2\r\n", ""), []string{"400"}, nil},
		{"no host", "POST /hooks/a HTTP/1.1\r\n\r\n" + hidden, []string{"400"}, nil},
		{"two hosts", post("Host: y\r\n", ""), []string{"400"}, nil},
		{"a host that is none", "POST /hooks/a HTTP/1.1\r\nHost: a\x1b[2J/b\r\n\r\n" + hidden, []string{"400"}, nil},
		{"a method that is none", "PO ST /hooks/a HTTP/1.1\r\nHost: x\r\n\r\n" + hidden, []string{"400"}, nil},
		{"another protocol", "POST /hooks/a HTTP/3.1\r\nHost: x\r\n\r\n" + hidden, []string{"505"}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{}
			address := serve(t, serverOf(t, `[{id: a, execute-command: x}, {id: hidden, execute-command: x}]`, e, nil))
			if diff := cmp.Diff(test.want, sent(t, address, test.request)); diff != "" {
				t.Errorf("statuses (-want +got):\n%s", diff)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			if diff := cmp.Diff(test.runs, e.submitted); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestALengthBesideChunksDoesNotCount, as RFC 9112 (6.3) has it.
func TestALengthBesideChunksDoesNotCount(t *testing.T) {
	e := &fakeEngine{}
	address := serve(t, serverOf(t, `[{id: a, execute-command: x}]`, e, nil))
	sent(t, address, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{\"a\":1}\r\n0\r\n\r\n")
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.last.Delivery == nil || string(e.last.Delivery.Body) != `{"a":1}` || e.last.Delivery.Header.Get("Content-Length") != "" {
		t.Errorf("handed over: %+v", e.last.Delivery)
	}
}

// TestHeadersAreBounded.
func TestHeadersAreBounded(t *testing.T) {
	address := serve(t, serverOf(t, `[{id: a, execute-command: x}]`, &fakeEngine{}, nil))
	long := strings.Repeat("x", 2<<20)
	for name, test := range map[string]struct{ head, want string }{
		"a value of 2 MiB":     {"X-A: " + long + "\r\n", "431"},
		"a name of 2 MiB":      {long + ": x\r\n", "431"},
		"many lines":           {strings.Repeat("X-A: "+strings.Repeat("x", 90)+"\r\n", 20_000), "431"},
		"a thousand lines":     {strings.Repeat("X-A: b\r\n", 1000), "200"},
		"a name of 60,000":     {strings.Repeat("x", 60_000) + ": x\r\n", "200"},
		"an X-Request-Id long": {"X-Request-Id: " + strings.Repeat("x", 60_000) + "\r\n", "200"},
	} {
		t.Run(name, func(t *testing.T) {
			got := sent(t, address, "POST /hooks/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+test.head+"Content-Length: 0\r\n\r\n")
			if len(got) != 1 || got[0] != test.want {
				t.Errorf("answered %v, want %s", got, test.want)
			}
		})
	}
	t.Run("a URL of 2 MiB", func(t *testing.T) {
		if got := sent(t, address, "POST /hooks/"+long+" HTTP/1.1\r\nHost: x\r\n\r\n"); len(got) != 1 || got[0] != "431" && got[0] != "414" {
			t.Errorf("answered %v", got)
		}
	})
}

// TestBodiesThatGrow: of what is sent without a length, or unpacks to more than was
// sent, no more is taken than -max-body allows.
func TestBodiesThatGrow(t *testing.T) {
	small := func(o *Options) { o.MaxBody, o.MaxInflight = 1<<20, 2<<20 }
	t.Run("chunks without end", func(t *testing.T) {
		e := &fakeEngine{}
		chunk := "10000\r\n" + strings.Repeat("x", 1<<16) + "\r\n"
		got := sent(t, serve(t, serverOf(t, `[{id: a, execute-command: x}]`, e, small)),
			"POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat(chunk, 64))
		if diff := cmp.Diff([]string{"413"}, got); diff != "" || e.submitted != nil {
			t.Errorf("ran %v; statuses (-want +got):\n%s", e.submitted, diff)
		}
	})
	t.Run("chunks of nothing but extensions", func(t *testing.T) {
		e := &fakeEngine{}
		chunk := "1;" + strings.Repeat("x", 2000) + "\r\nx\r\n"
		got := sent(t, serve(t, serverOf(t, `[{id: a, execute-command: x}]`, e, small)),
			"POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat(chunk, 1000))
		if diff := cmp.Diff([]string{"400"}, got); diff != "" || e.submitted != nil {
			t.Errorf("ran %v; statuses (-want +got):\n%s", e.submitted, diff)
		}
	})
	t.Run("trailers without end", func(t *testing.T) {
		e := &fakeEngine{}
		sent(t, serve(t, serverOf(t, `[{id: a, execute-command: x}]`, e, small)),
			"POST /hooks/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"+strings.Repeat("X-A: b\r\n", 100_000))
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.submitted != nil {
			t.Errorf("ran %v", e.submitted)
		}
	})
}

// TestCompressedBodiesStayAsTheyCame: what a signature is of is what came, and
// nothing is unpacked, so there is no bomb.
func TestCompressedBodiesStayAsTheyCame(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(`{"branch":"main","pad":"`))
	_, _ = w.Write(make([]byte, 64<<20))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("gzip-secret-0001"))
	mac.Write(packed.Bytes())
	e := &fakeEngine{}
	s := serverOf(t, `
- {id: signed, path: p, execute-command: x, secret: gzip-secret-0001, auth: {hmac: {header: X-Sum}}}
- {id: branch, path: p, execute-command: x, trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}}
`, e, nil)
	request := httptest.NewRequest(http.MethodPost, "/hooks/p", bytes.NewReader(packed.Bytes()))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "gzip")
	request.Header.Set("X-Sum", hex.EncodeToString(mac.Sum(nil)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	runtime.ReadMemStats(&after)
	if diff := cmp.Diff([]string{"signed"}, e.submitted); diff != "" || answer.Code != 200 || !bytes.Equal(e.last.Delivery.Body, packed.Bytes()) {
		t.Errorf("answered %d; runs (-want +got):\n%s", answer.Code, diff)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("%d bytes were allocated for a body of %d", took, packed.Len())
	}
}

// TestDepthIsBounded: a body that is nested deeper than is read has no values.
func TestDepthIsBounded(t *testing.T) {
	const file = `[{id: a, execute-command: x, trigger-rule-mismatch-http-response-code: 409, when: 'has(payload.branch)',
		trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}}]`
	const deep = 1_000_000
	for kind, body := range map[string]string{
		"application/json":                  `{"branch":"main","a":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`,
		"application/cloudevents+json":      `{"branch":"main","a":` + strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep) + `}`,
		"text/xml":                          `<x><branch>main</branch>` + strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep) + `</x>`,
		"application/x-www-form-urlencoded": "a" + strings.Repeat("[a]", deep) + "=main",
	} {
		t.Run(kind, func(t *testing.T) {
			e := &fakeEngine{}
			request := httptest.NewRequest(http.MethodPost, "/hooks/a", strings.NewReader(body))
			request.Header.Set("Content-Type", kind)
			answer := httptest.NewRecorder()
			serverOf(t, file, e, nil).ServeHTTP(answer, request)
			if answer.Code != 409 || e.submitted != nil {
				t.Errorf("answered %d %.200q, ran %v", answer.Code, answer.Body, e.submitted)
			}
		})
	}
}

// TestPathsLeadToHooksAlone.
func TestPathsLeadToHooksAlone(t *testing.T) {
	e := &fakeEngine{}
	s := serverOf(t, `[{id: a, execute-command: x}, {id: ../secret, execute-command: x}, {id: etc, path: etc/passwd, execute-command: x}]`, e, nil)
	for _, path := range []string{
		"/hooks/../etc/passwd", "/hooks/..%2fetc/passwd", "/hooks/%2e%2e/etc/passwd", "/hooks/%2e%2e%2fetc%2fpasswd", "/hooks/..\\etc\\passwd",
		"/../hooks/../etc/passwd", "/hooks/a/../../etc/passwd", "/hooks/a%00", "/hooks/a%00.sh", "/hooks/a/", "/hooks/A", "/hooks/a%0a", "/hooks/a;x",
		"/hooks/a%2f..%2fetc%2fpasswd", "/hooks/%252e%252e/secret", "/hooks/../secret", "/hook/a", "/Hooks/a", "//evil.example/..", "/hooks//evil.example/%2f..",
	} {
		answer := post(s, path, "{}")
		switch location := answer.Header().Get("Location"); {
		case answer.Code == http.StatusMovedPermanently && strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//") && !strings.HasPrefix(location, `/\`):
		case answer.Code != http.StatusNotFound:
			t.Errorf("%s: answered %d, to %q", path, answer.Code, location)
		}
	}
	if e.submitted != nil {
		t.Errorf("ran %v", e.submitted)
	}
}

// TestWhoCallsIsNotForTheCallerToSay: forwarding headers count only from trusted
// proxies, and those of others never make a caller local.
func TestWhoCallsIsNotForTheCallerToSay(t *testing.T) {
	const file = `
- {id: unset, execute-command: x, secret: {env: PAWL_TEST_NOT_SET, unset: loopback}, auth: {header: {name: X-Door}}}
- {id: inside, execute-command: x, auth: {addresses: [10.0.0.0/8, "fd00::/8"]}}
`
	proxies := Proxies{Ranges: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("127.0.0.1/32")}}
	tests := []struct {
		name, hook, peer string
		header           []string // name, value…
		trusted          Proxies
		status           int
	}{
		{"this machine", "unset", "127.0.0.1:5", nil, Proxies{}, 200},
		{"by IPv6", "unset", "[::1]:5", nil, Proxies{}, 200},
		{"by IPv4 in IPv6", "unset", "[::ffff:127.0.0.1]:5", nil, Proxies{}, 200},
		{"a stranger", "unset", "198.51.100.1:5", nil, Proxies{}, 401},
		{"a stranger who says so", "unset", "198.51.100.1:5", []string{"X-Forwarded-For", "127.0.0.1"}, Proxies{}, 401},
		{"a proxy on this machine", "unset", "127.0.0.1:5", []string{"X-Forwarded-For", "127.0.0.1"}, Proxies{}, 401},
		{"one that tells nothing of it", "unset", "127.0.0.1:5", []string{"X-Forwarded-For", ""}, Proxies{}, 401},
		{"another header of proxies", "unset", "127.0.0.1:5", []string{"Forwarded", "for=127.0.0.1"}, Proxies{}, 401},
		{"and another", "unset", "127.0.0.1:5", []string{"Via", "1.1 x"}, Proxies{}, 401},
		{"nginx's own", "unset", "127.0.0.1:5", []string{"X-Real-Ip", "127.0.0.1"}, Proxies{}, 401},
		{"a page in a browser on this machine", "unset", "127.0.0.1:5", []string{"Origin", "https://page.example", "Sec-Fetch-Site", "cross-site"}, Proxies{}, 401},
		{"a trusted proxy that was told so", "unset", "192.0.2.1:5", []string{"X-Forwarded-For", "127.0.0.1"}, proxies, 401},
		{"a trusted proxy on this machine that tells nobody", "unset", "127.0.0.1:5", nil, proxies, 401},
		{"a socket", "unset", "@", nil, Proxies{}, 401},
		{"no secret does not mean an empty one", "unset", "198.51.100.1:5", []string{"X-Door", ""}, Proxies{}, 401},

		{"from inside", "inside", "10.1.1.1:5", nil, Proxies{}, 200},
		{"by IPv6, from inside", "inside", "[fd00::1]:5", nil, Proxies{}, 200},
		{"by IPv4 in IPv6, from inside", "inside", "[::ffff:10.1.1.1]:5", nil, Proxies{}, 200},
		{"from outside", "inside", "198.51.100.1:5", nil, Proxies{}, 401},
		{"from outside, saying so", "inside", "198.51.100.1:5", []string{"X-Forwarded-For", "10.1.1.1"}, Proxies{}, 401},
		{"in other headers", "inside", "198.51.100.1:5", []string{"X-Real-Ip", "10.1.1.1", "True-Client-Ip", "10.1.1.1", "Cf-Connecting-Ip", "10.1.1.1", "Forwarded", "for=10.1.1.1"}, Proxies{}, 401},
		{"in other headers, through a proxy", "inside", "192.0.2.1:5", []string{"X-Real-Ip", "10.1.1.1", "Forwarded", "for=10.1.1.1"}, proxies, 401},
		{"through a proxy", "inside", "192.0.2.1:5", []string{"X-Forwarded-For", "10.1.1.1"}, proxies, 200},
		{"through a proxy, from outside, saying so", "inside", "192.0.2.1:5", []string{"X-Forwarded-For", "10.1.1.1, 198.51.100.1"}, proxies, 401},
		{"in a line before the proxy's", "inside", "192.0.2.1:5", []string{"X-Forwarded-For", "10.1.1.1", "X-Forwarded-For", "198.51.100.1"}, proxies, 401},
		{"in a line that is none", "inside", "192.0.2.1:5", []string{"X-Forwarded-For", "10.1.1.1,"}, proxies, 401},
		{"with a zone", "inside", "192.0.2.1:5", []string{"X-Forwarded-For", "10.1.1.1%x"}, proxies, 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{}
			s := serverOf(t, file, e, func(o *Options) { o.TrustedProxies = test.trusted })
			request := httptest.NewRequest(http.MethodPost, "/hooks/"+test.hook, strings.NewReader("{}"))
			request.RemoteAddr, request.Host = test.peer, "localhost:9000"
			for i := 0; i < len(test.header); i += 2 {
				request.Header.Add(test.header[i], test.header[i+1])
			}
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, request)
			if answer.Code != test.status || (test.status == 200) != (len(e.submitted) == 1) {
				t.Errorf("answered %d, ran %v; want %d", answer.Code, e.submitted, test.status)
			}
		})
	}
}

// nasty is text that would end a line, forge another, move a cursor or turn the
// order of letters.
var nasty = []string{
	"\n", "\r", "\r\n", "\n{\"level\":\"error\",\"message\":\"forged\"}\n", "\x1b[2J", "\x1b]0;title\a", "\u009b2J", "\u202e", "\u2028", "\x00", "\x7f", "\"", "\\", "\xff\xfe",
}

// TestNoRequestForgesALineOfTheLog: each line is one JSON object, and none begins
// in the middle of what a caller wrote.
func TestNoRequestForgesALineOfTheLog(t *testing.T) {
	const file = `
- {id: a, execute-command: x, delivery-id: {source: header, name: X-Id}, trigger-rule: {match: {type: regex, regex: "^x$", parameter: {source: payload, name: a}}}}
- {id: b, path: "b\n\e[2J", execute-command: x, secret: hunter2hunter2, auth: {header: {name: X-Door}}}
- {id: c, execute-command: x, for-each: {source: payload, name: a}, events: [push], sender: github, auth: none}
`
	for _, text := range nasty {
		t.Run(strconv.Quote(text), func(t *testing.T) {
			var log bytes.Buffer
			s := serverOf(t, file, &fakeEngine{}, func(o *Options) {
				o.Log, o.Dump, o.RequestID, o.ValidateJSON = zerolog.New(&log), true, true, true
			})
			encoded := strings.ReplaceAll(escapeAll(text), "/", "%2F")
			for _, path := range []string{"/hooks/a" + encoded, "/hooks/a?x=" + encoded, "/hooks/b%0A%1B%5B2J?" + encoded, "/hooks/c", "/" + encoded, "//" + encoded} {
				body, err := json.Marshal(map[string]string{"a": text, text: "a"})
				if err != nil {
					t.Fatal(err)
				}
				for _, kind := range []string{"application/json", "application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=" + text, text} {
					request := httptest.NewRequest(http.MethodPost, path, io.MultiReader(bytes.NewReader(body), strings.NewReader(text)))
					request.Header["Content-Type"] = []string{kind}
					for _, name := range []string{"X-Request-Id", "X-Id", "X-Door", "X-Github-Event", "X-Forwarded-For", "User-Agent"} {
						request.Header[name] = []string{text}
					}
					request.Host = "x"
					answer := httptest.NewRecorder()
					s.ServeHTTP(answer, request)
					for name, values := range answer.Header() {
						if strings.ContainsAny(strings.Join(append(values, name), ""), "\r\n\x00\x1b") {
							t.Errorf("the answer has the header %q: %q", name, values)
						}
					}
				}
			}
			checkLines(t, log.String())
		})
	}
}

// checkLines fails unless each line is a JSON object that Pawl wrote.
func checkLines(t *testing.T, log string) {
	t.Helper()
	if !strings.HasSuffix(log, "\n") {
		t.Fatalf("the log ends in the middle: %q", log[max(0, len(log)-200):])
	}
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("not a line: %q: %v", line, err)
		}
		if fields["level"] == nil || fields["message"] == "forged" {
			t.Errorf("a forged line: %q", line)
		}
		for _, r := range strings.TrimSuffix(line, "\n") {
			if r < ' ' {
				t.Errorf("a control character in %q", line)
			}
		}
	}
}

// escapeAll percent-encodes each byte.
func escapeAll(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}
