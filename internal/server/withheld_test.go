package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// TestWhatLetsInAtAnotherHookOfThePathIsNotStored: rule 9, also where no hook of
// the path has a Gate, and where the other one does not trigger.
func TestWhatLetsInAtAnotherHookOfThePathIsNotStored(t *testing.T) {
	const token = "token-of-the-other-0001"
	for name, hooks := range map[string]string{
		"a trigger rule compares it": `
- {id: other, path: p, execute-command: x, trigger-rule: {and: [
    {match: {type: value, value: token-of-the-other-0001, parameter: {source: header, name: X-Auth}}},
    {match: {type: value, value: "1", parameter: {source: payload, name: a}}}]}}
- {id: open, path: p, execute-command: x}`,
		"a Gate does": `
- {id: other, path: p, execute-command: x, http-methods: [POST], secret: token-of-the-other-0001, auth: {header: {name: X-Auth}},
   trigger-rule: {match: {type: value, value: "1", parameter: {source: payload, name: a}}}}
- {id: open, path: p, execute-command: x}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := &fakeEngine{}
			request := httptest.NewRequest(http.MethodPost, "/hooks/p", strings.NewReader(`{"a":2}`))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("X-Auth", token)
			serverOf(t, hooks, e, nil).ServeHTTP(httptest.NewRecorder(), request)
			if diff := cmp.Diff([]string{"open"}, e.submitted); diff != "" {
				t.Fatalf("runs (-want +got):\n%s", diff)
			}
			if got := e.last.Delivery.Header.Get("X-Auth"); got != run.Withheld {
				t.Errorf("stored is X-Auth: %q, want %q", got, run.Withheld)
			}
		})
	}
}

// TestWhatARuleComparesIsNotShown, whatever it is called; headers that everybody
// knows are.
func TestWhatARuleComparesIsNotShown(t *testing.T) {
	var log bytes.Buffer
	s := serverOf(t, `
- {id: a, execute-command: x, trigger-rule: {and: [
    {match: {type: value, value: old-token-value-0001, parameter: {source: header, name: X-Old}}},
    {match: {type: value, value: old-token-value-0002, parameter: {source: url, name: door}}},
    {match: {type: value, value: push, parameter: {source: header, name: X-Github-Event}}}]}}
`, &fakeEngine{}, func(o *Options) { o.Log, o.Dump = zerolog.New(&log), true })
	request := httptest.NewRequest(http.MethodPost, "/hooks/a?door=old-token-value-0002", nil)
	request.Header = http.Header{"X-Old": {"old-token-value-0001"}, "X-Github-Event": {"release"}}
	s.ServeHTTP(httptest.NewRecorder(), request)
	if text := log.String(); strings.Contains(text, "old-token-value") || !strings.Contains(text, "release") {
		t.Errorf("the log:\n%s", text)
	}
}

// TestAnswersDoNotTellWhetherTheSecretBehindAPathIsRight: whoever does not pass is
// answered as by an unknown hook, header by header, also where the path is right and
// the body was read.
func TestAnswersDoNotTellWhetherTheSecretBehindAPathIsRight(t *testing.T) {
	const hooks = `
- {id: header, execute-command: x, secret: behind-the-path-0001, auth: {path: {}, header: {name: X-Door}}}
- {id: signed, execute-command: x, secret: behind-the-path-0001, auth: {path: {}, hmac: {header: X-Sum}}}
- {id: inside, execute-command: x, secret: behind-the-path-0001, auth: {path: {}, addresses: [10.0.0.0/8]}}
`
	e := &fakeEngine{}
	s := serverOf(t, hooks, e, func(o *Options) { o.Headers = []hook.Header{{Name: "X-All", Value: "1"}} })
	unknown := post(s, "/hooks/unknown/behind-the-path-0001", "{}")
	for _, id := range []string{"header", "signed", "inside"} {
		for _, secret := range []string{"behind-the-path-0001", "behind-the-path-0002"} {
			got := post(s, "/hooks/"+id+"/"+secret, "{}")
			if got.Code != http.StatusNotFound || got.Body.String() != unknown.Body.String() {
				t.Errorf("%s with %s: answered %d %q, an unknown hook %d %q", id, secret, got.Code, got.Body, unknown.Code, unknown.Body)
			}
			if diff := cmp.Diff(unknown.Result().Header, got.Result().Header); diff != "" {
				t.Errorf("%s with %s: headers (-unknown +wrong):\n%s", id, secret, diff)
			}
		}
	}
	request := httptest.NewRequest(http.MethodPost, "/hooks/header/behind-the-path-0001", strings.NewReader("{}"))
	request.Header.Set("X-Door", "behind-the-path-0001")
	if s.ServeHTTP(httptest.NewRecorder(), request); len(e.submitted) != 1 {
		t.Errorf("what passes ran %v, want the hook once", e.submitted)
	}
}
