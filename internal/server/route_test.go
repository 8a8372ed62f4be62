package server

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
)

// TestTheShortWayLeadsWhereTheRouterDoes: most requests do not go through the
// router, and are answered as if they had.
func TestTheShortWayLeadsWhereTheRouterDoes(t *testing.T) {
	const file = `[{id: a, execute-command: x, response-message: a}, {id: a/b, execute-command: x, response-message: b}, {id: " ", execute-command: x, response-message: blank},
		{id: "..a", execute-command: x, response-message: dots}, {id: "a.b", execute-command: x, response-message: dot}, {id: "*", execute-command: x, response-message: star}]`
	paths := []string{
		"/", "/a", "/a/", "/a/b", "/hooks", "/hooks/", "/hooks/a", "/hooks/a/", "/hooks/a/b", "/hooks/ ", "/hooks//a", "//hooks/a", "/hooks/./a",
		"/hooks/../hooks/a", "/hooks/..a", "/hooks/a.b", "/hooks/.", "/hooks/..", "/hooks/a/..", "/hooks/a\nb", "/hooks/\n", "/hooks/\xff", "/hooksa", "/Hooks/a", "/hooks/*", "*", "",
	}
	for _, prefix := range []string{"hooks", "", "hooks/a", "{x}"} {
		s := serverOf(t, file, &fakeEngine{}, func(o *Options) { o.Prefix = prefix })
		for _, path := range paths {
			ask := func(h func(*exchange, *http.Request)) *httptest.ResponseRecorder {
				r := httptest.NewRequest(http.MethodPost, "/", nil)
				r.URL = &url.URL{Path: path}
				answer := httptest.NewRecorder()
				h(&exchange{ResponseWriter: answer, request: r, log: &s.options.Log}, r)
				return answer
			}
			short := ask(s.route)
			long := ask(func(x *exchange, r *http.Request) { s.router.ServeHTTP(x, r) })
			for _, name := range []string{DeliveryHeader, RunHeader} {
				short.Header().Del(name)
				long.Header().Del(name)
			}
			if short.Code != long.Code || short.Body.String() != long.Body.String() ||
				!maps.EqualFunc(short.Header(), long.Header(), func(a, b []string) bool { return a[0] == b[0] }) {
				t.Errorf("prefix %q, path %q: %d %q %v, but by the router %d %q %v", prefix, path,
					short.Code, short.Body, short.Header(), long.Code, long.Body, long.Header())
			}
		}
	}
}
