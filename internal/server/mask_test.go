package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/run"
)

// TestNoLogHoldsWhatIsBehindAPath, whichever way the request goes: right or wrong,
// tidied by the router, refused, answered with a panic.
func TestNoLogHoldsWhatIsBehindAPath(t *testing.T) {
	const file = `
- {id: quay, execute-command: x, http-methods: [POST], sender: quay, secret: swordfish/of-the-path, auth: {path: {}}}
- {id: a b, execute-command: x, secret: swordfish/of-the-path, auth: {path: {}}}
- {id: plain, execute-command: x}
`
	tests := []struct {
		name, method, target string
		status               int
		shown                string // in the line of the request
	}{
		{"right", "POST", "/hooks/quay/swordfish/of-the-path", 200, "POST /hooks/quay/***"},
		{"wrong", "POST", "/hooks/quay/swordfish/of-the-pat", 404, "POST /hooks/quay/***"},
		{"another method", "PUT", "/hooks/quay/swordfish/of-the-path", 405, "PUT /hooks/quay/***"},
		{"with two slashes", "POST", "/hooks//quay/swordfish/of-the-path", 301, "POST /hooks/quay/***"},
		{"with dots", "POST", "/hooks/plain/../quay/./swordfish/of-the-path", 301, "POST /hooks/quay/***"},
		{"with dots behind the secret", "POST", "/hooks/quay/swordfish/of-the-path/.", 301, "POST /hooks/quay/***"},
		{"with a line end in it", "POST", "/hooks/quay/swordfish%0Aof-the-path", 404, "POST /hooks/quay/***"},
		{"with a line end behind it", "POST", "/hooks/quay/swordfish/of-the-path%0A", 404, "POST /hooks/quay/***"},
		{"percent-encoded", "POST", "/hooks/quay/%73wordfish%2Fof-the-path", 200, "POST /hooks/quay/***"},
		{"percent-encoded before it", "POST", "/hooks/%71uay/swordfish/of-the-path", 200, "POST /hooks/quay/***"},
		{"a hook whose path has to be encoded", "POST", "/hooks/a%20b/swordfish/of-the-path", 200, "POST /hooks/a%20b/***"},
		{"in the query too, where it is not asked for", "POST", "/hooks/quay/x?a=/hooks/quay/swordfish&token=swordfish/of-the-path", 404, "POST /hooks/quay/***"},
		{"a hook without such a secret", "POST", "/hooks/plain", 200, "POST /hooks/plain"},
	}
	for _, test := range tests {
		for _, e := range []*fakeEngine{{}, {err: engine.ErrUnavailable}} {
			t.Run(test.name, func(t *testing.T) {
				var log bytes.Buffer
				s := serverOf(t, file, e, func(o *Options) { o.Log, o.Dump = zerolog.New(&log), true })
				request := httptest.NewRequest(test.method, test.target, strings.NewReader("{}"))
				// What proxies add.
				request.Header.Set("X-Original-Url", request.RequestURI)
				request.Header.Set("X-Forwarded-Uri", request.URL.Path)
				request.Header.Set("Referer", "https://example.org"+request.URL.EscapedPath())
				answer := httptest.NewRecorder()
				s.ServeHTTP(answer, request)
				if want := test.status; answer.Code != want && (e.err == nil || want != 200) {
					t.Errorf("answered %d, want %d", answer.Code, want)
				}
				if !strings.Contains(log.String(), `"message":"`+test.shown+`"`) {
					t.Errorf("the log does not hold %q", test.shown)
				}
				// Of the query only what may be a credential by its name is hidden.
				shown := strings.ReplaceAll(log.String(), "a=/hooks/quay/swordfish", "")
				if strings.Contains(shown, "of-the-pat") || strings.Contains(shown, "wordfish") {
					t.Errorf("the log holds the secret:\n%s", &log)
				}
			})
		}
	}
}

// TestDumpsHideWhatAHookCompares, whatever its name.
func TestDumpsHideWhatAHookCompares(t *testing.T) {
	const file = `
- {id: header, path: p, execute-command: x, secret: swordfish, auth: {header: {name: X-Door}}}
- {id: query, path: p, execute-command: x, secret: swordfish, auth: {query: {name: door}}}
- {id: other, execute-command: x}
`
	dump := func(path string) string {
		var log bytes.Buffer
		s := serverOf(t, file, &fakeEngine{}, func(o *Options) { o.Log, o.Dump = zerolog.New(&log), true })
		request := httptest.NewRequest(http.MethodPost, path+"?door=swordfish&a=shown", nil)
		request.Header.Set("X-Door", "swordfish")
		request.Header.Set("X-Other", "shown too")
		s.ServeHTTP(httptest.NewRecorder(), request)
		return log.String()
	}
	if got := dump("/hooks/p"); strings.Contains(got, "swordfish") || !strings.Contains(got, "?door=***&a=shown HTTP") || !strings.Contains(got, "shown too") {
		t.Errorf("the dump:\n%s", got)
	}
	if got := dump("/hooks/other"); !strings.Contains(got, "X-Door: swordfish") {
		t.Errorf("a hook that does not compare it:\n%s", got)
	}
}

// panicking panics when it is handed a delivery.
type panicking struct{ fakeEngine }

func (*panicking) Submit(context.Context, run.Submission) (run.Receipt, error) { panic("broken") }

func TestAPanicDoesNotShowWhatIsBehindAPath(t *testing.T) {
	var log bytes.Buffer
	s := serverOf(t, `[{id: quay, execute-command: x, secret: swordfish, auth: {path: {}}}]`, &panicking{}, func(o *Options) { o.Log = zerolog.New(&log) })
	request := httptest.NewRequest(http.MethodPost, "/hooks/quay/swordfish", io.MultiReader(strings.NewReader("{}")))
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, request)
	if answer.Code != http.StatusInternalServerError || !strings.Contains(log.String(), "panic") || strings.Contains(log.String(), "swordfish") {
		t.Errorf("answered %d; the log:\n%s", answer.Code, &log)
	}
}
