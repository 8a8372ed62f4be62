package server

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
)

// shared is four hooks at one path.
const shared = `
- {id: deploy, path: push, execute-command: x, http-methods: [POST], response-message: deploying,
   trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}},
   trigger-rule-mismatch-http-response-code: 409}
- {id: scan, path: push, execute-command: x, http-methods: [POST], response-message: scanning,
   trigger-rule: {match: {type: value, value: "yes", parameter: {source: payload, name: scan}}},
   trigger-rule-mismatch-http-response-code: 410}
- {id: signed, path: push, execute-command: x, http-methods: [POST], response-message: signed,
   trigger-rule: {match: {type: payload-hmac-sha256, secret: s, parameter: {source: header, name: X-Sum}}}}
- {id: peek, path: push, execute-command: x, http-methods: [GET], response-message: peeking}
`

func TestHooksThatShareAPath(t *testing.T) {
	tests := []struct {
		name, method, body, sum string
		status                  int
		answer                  string
		runs                    []string
	}{
		{"all that trigger run; the first answers", "POST", `{"branch":"main","scan":"yes"}`, "", 200, "deploying", []string{"deploy", "scan"}},
		{"one triggers, and answers though it is not the first", "POST", `{"scan":"yes"}`, "", 200, "scanning", []string{"scan"}},
		{"none triggers: the first mismatch answers", "POST", `{}`, "", 409, "Hook rules were not satisfied.", nil},
		{"a wrong signature does not keep the others from running", "POST", `{"branch":"main"}`, "00", 200, "deploying", []string{"deploy"}},
		{"a mismatch answers before a wrong signature", "POST", `{}`, "00", 409, "Hook rules were not satisfied.", nil},
		{"a hook of another method counts as absent", "GET", ``, "", 200, "peeking", []string{"peek"}},
		{"no hook takes the method", "PUT", ``, "", 405, "", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{}
			s := serverOf(t, shared, e, nil)
			request := httptest.NewRequest(test.method, "/hooks/push", strings.NewReader(test.body))
			request.Header.Set("Content-Type", "application/json")
			if test.sum != "" {
				request.Header.Set("X-Sum", test.sum)
			}
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, request)
			if answer.Code != test.status || answer.Body.String() != test.answer {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.answer)
			}
			if diff := cmp.Diff(test.runs, e.submitted); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAHookWithAPathIsNotAtItsID(t *testing.T) {
	s := serverOf(t, `[{id: a, path: some/where, execute-command: x}]`, &fakeEngine{}, nil)
	if answer := post(s, "/hooks/a", ""); answer.Code != http.StatusNotFound {
		t.Errorf("at its id: %d, want 404", answer.Code)
	}
	if answer := post(s, "/hooks/some/where", ""); answer.Code != http.StatusOK {
		t.Errorf("at its path: %d, want 200", answer.Code)
	}
}

func TestBodyLimits(t *testing.T) {
	const file = `[{id: a, execute-command: x, http-methods: [POST]}]`
	small := func(o *Options) { o.MaxBody, o.MaxInflight = 10, 15 }
	t.Run("a body that fits", func(t *testing.T) {
		if answer := post(serverOf(t, file, &fakeEngine{}, small), "/hooks/a", "0123456789"); answer.Code != 200 {
			t.Errorf("answered %d", answer.Code)
		}
	})
	t.Run("one byte more", func(t *testing.T) {
		e := &fakeEngine{}
		if answer := post(serverOf(t, file, e, small), "/hooks/a", "0123456789x"); answer.Code != 413 || e.submitted != nil {
			t.Errorf("answered %d and ran %v, want 413 and nothing", answer.Code, e.submitted)
		}
	})
	t.Run("one byte more, without a length", func(t *testing.T) {
		request := httptest.NewRequest(http.MethodPost, "/hooks/a", io.MultiReader(strings.NewReader("0123456789x")))
		request.ContentLength = -1
		answer := httptest.NewRecorder()
		serverOf(t, file, &fakeEngine{}, small).ServeHTTP(answer, request)
		if answer.Code != 413 {
			t.Errorf("answered %d, want 413", answer.Code)
		}
	})
	t.Run("the method comes before the body", func(t *testing.T) {
		request := httptest.NewRequest(http.MethodPut, "/hooks/a", failingReader{t})
		answer := httptest.NewRecorder()
		serverOf(t, file, &fakeEngine{}, small).ServeHTTP(answer, request)
		if answer.Code != 405 {
			t.Errorf("answered %d, want 405", answer.Code)
		}
	})
	t.Run("an unknown path comes before the body", func(t *testing.T) {
		request := httptest.NewRequest(http.MethodPost, "/hooks/b", failingReader{t})
		answer := httptest.NewRecorder()
		serverOf(t, file, &fakeEngine{}, small).ServeHTTP(answer, request)
		if answer.Code != 404 {
			t.Errorf("answered %d, want 404", answer.Code)
		}
	})
	t.Run("bodies in flight", func(t *testing.T) {
		s := serverOf(t, file, &fakeEngine{}, small)
		arrived, proceed := make(chan struct{}), make(chan struct{})
		first := make(chan int)
		go func() {
			request := httptest.NewRequest(http.MethodPost, "/hooks/a", &heldReader{arrived: arrived, proceed: proceed})
			request.ContentLength = 10
			answer := httptest.NewRecorder()
			s.ServeHTTP(answer, request)
			first <- answer.Code
		}()
		<-arrived
		if answer := post(s, "/hooks/a", "0123456789"); answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
			t.Errorf("while another is read: answered %d, want 503", answer.Code)
		}
		close(proceed)
		if code := <-first; code != 200 {
			t.Errorf("the first was answered %d", code)
		}
		if answer := post(s, "/hooks/a", "0123456789"); answer.Code != 200 {
			t.Errorf("afterwards: answered %d", answer.Code)
		}
	})
}

// failingReader fails the test when it is read.
type failingReader struct{ t *testing.T }

func (r failingReader) Read([]byte) (int, error) {
	r.t.Error("the body was read")
	return 0, io.EOF
}

// heldReader gives a body, and waits before it tells that this was all.
type heldReader struct {
	arrived, proceed chan struct{}
	given            bool
}

func (r *heldReader) Read(p []byte) (int, error) {
	if !r.given {
		r.given = true
		return copy(p, "0123456789"), nil
	}
	close(r.arrived)
	<-r.proceed
	return 0, io.EOF
}

func TestABodyThatIsCutRunsNothing(t *testing.T) {
	tests := []struct {
		name   string
		err    error
		status int
	}{
		{"the connection broke", io.ErrUnexpectedEOF, http.StatusBadRequest},
		{"it came too slowly", os.ErrDeadlineExceeded, http.StatusRequestTimeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &fakeEngine{}
			request := httptest.NewRequest(http.MethodPost, "/hooks/a", io.MultiReader(strings.NewReader("{"), errorReader{test.err}))
			answer := httptest.NewRecorder()
			serverOf(t, `[{id: a, execute-command: x}]`, e, nil).ServeHTTP(answer, request)
			if answer.Code != test.status || e.submitted != nil {
				t.Errorf("answered %d and ran %v, want %d and nothing", answer.Code, e.submitted, test.status)
			}
		})
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestCallerAddress(t *testing.T) {
	trusted := Proxies{Ranges: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}}
	withUnix := trusted
	withUnix.Unix = true
	tests := []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"a stranger's header does not count", "192.0.2.1:5", []string{"127.0.0.1"}, "192.0.2.1:5"},
		{"a proxy's does", "10.1.1.1:5", []string{"192.0.2.7"}, "192.0.2.7:0"},
		{"the last that is no proxy", "10.1.1.1:5", []string{"127.0.0.1, 192.0.2.7, 10.2.2.2"}, "192.0.2.7:0"},
		{"over several lines", "10.1.1.1:5", []string{"127.0.0.1", "192.0.2.7"}, "192.0.2.7:0"},
		{"IPv6", "[::1]:5", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"a proxy that forwards nothing", "10.1.1.1:5", nil, "10.1.1.1:5"},
		{"with a port, as some proxies write it", "10.1.1.1:5", []string{"192.0.2.7:4711"}, "192.0.2.7:0"},
		{"IPv6 with a port", "10.1.1.1:5", []string{"[2001:db8::1]:44"}, "[2001:db8::1]:0"},
		{"IPv6 in brackets", "10.1.1.1:5", []string{"[2001:db8::1]"}, "[2001:db8::1]:0"},
		{"what is no address is nobody's, never the proxy's", "10.1.1.1:5", []string{"127.0.0.1, unknown"}, "unknown:0"},
		{"an empty header neither", "10.1.1.1:5", []string{""}, "unknown:0"},
		{"a Unix socket's peer is no proxy", "@", []string{"192.0.2.7"}, "@"},
		{"proxies alone", "10.1.1.1:5", []string{"10.3.3.3"}, "10.1.1.1:5"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = test.peer
			for _, line := range test.forwarded {
				r.Header.Add("X-Forwarded-For", line)
			}
			if got := trusted.caller(r); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			if test.peer == "@" && withUnix.caller(r) != "192.0.2.7:0" {
				t.Errorf("where Unix sockets are trusted: %s", withUnix.caller(r))
			}
		})
	}
}

func TestTheLogOfARequest(t *testing.T) {
	const file = `[{id: a, execute-command: x, response-message: hello}]`
	var log bytes.Buffer
	s := serverOf(t, file, &fakeEngine{}, func(o *Options) {
		o.Log, o.Dump, o.RequestID, o.RequestIDLimit = zerolog.New(&log), true, true, 5
	})
	request := httptest.NewRequest(http.MethodPost, "/hooks/a?x=1&access_token=swordfish&se%63ret=swordfish&key=swordfish", strings.NewReader("the body"))
	request.Header.Set("X-Request-Id", "0123456789")
	for _, name := range []string{"Authorization", "Cookie", "X-Gitlab-Token", "X-Api-Key", "X-Webhook-Secret", "X-Key"} {
		request.Header.Set(name, "Bearer hunter2")
	}
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	for _, want := range []string{`"request":"01234"`, "POST /hooks/a?x=1&access_token=***&se%63ret=***&key=*** HTTP/1.1", "the body", "HTTP/1.1 200 OK", "hello", `"status":200`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not hold %q:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), "hunter2") || strings.Contains(log.String(), "swordfish") {
		t.Errorf("the log holds a credential:\n%s", &log)
	}
}

func TestAPanicIsAnsweredAndLogged(t *testing.T) {
	var log bytes.Buffer
	s := serverOf(t, `[]`, &fakeEngine{}, func(o *Options) {
		o.Log = zerolog.New(&log)
		o.Hooks = func() *hook.Set { panic("broken") }
	})
	if answer := post(s, "/hooks/a", ""); answer.Code != 500 || !strings.Contains(log.String(), "broken") {
		t.Errorf("answered %d; log: %s", answer.Code, &log)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Hooks: func() *hook.Set { return nil }, Engine: &fakeEngine{}, MaxBody: 1, MaxInflight: 1}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Options){
		"Hooks": func(o *Options) { o.Hooks = nil }, "Engine": func(o *Options) { o.Engine = nil },
		"MaxBody": func(o *Options) { o.MaxBody = 0 }, "MaxInflight": func(o *Options) { o.MaxInflight = 0 },
	} {
		bad := good
		spoil(&bad)
		if _, err := New(bad); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
