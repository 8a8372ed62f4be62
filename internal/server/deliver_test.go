package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/run"
)

func TestForEachMakesARunOfEachElement(t *testing.T) {
	const file = `[{id: a, execute-command: x, response-message: done, for-each: {source: payload, name: tags}}]`
	e := &fakeEngine{}
	answer := post(serverOf(t, file, e, nil), "/hooks/a", `{"tags":["b","a"]}`)
	if answer.Code != 200 || answer.Body.String() != "done" || answer.Header().Get(RunsHeader) != "2" || answer.Header().Get(RunHeader) != "" {
		t.Errorf("answered %d %q with %v", answer.Code, answer.Body, answer.Header())
	}
	var elements []string
	for _, r := range e.last.Parts[0].Runs {
		elements = append(elements, r.Element)
	}
	if diff := cmp.Diff([]string{`"b"`, `"a"`}, elements); diff != "" {
		t.Errorf("elements (-want +got):\n%s", diff)
	}
	answer = post(serverOf(t, file, e, nil), "/hooks/a", `{"tags":"one"}`)
	if answer.Header().Get(RunHeader) == "" || answer.Header().Get(RunsHeader) != "" {
		t.Errorf("one run: %v", answer.Header())
	}
}

// TestWhoAnswersWhereNothingRuns: rules 1, 3 and 4.
func TestWhoAnswersWhereNothingRuns(t *testing.T) {
	const (
		each    = `{id: each, path: p, execute-command: x, response-message: done, for-each: {source: payload, name: tags}}`
		other   = `{id: other, path: p, execute-command: x, trigger-rule: {match: {type: value, value: "1", parameter: {source: payload, name: other}}}, trigger-rule-mismatch-http-response-code: 409}`
		signed  = `{id: signed, path: p, execute-command: x, trigger-rule: {match: {type: payload-hmac-sha256, secret: s, parameter: {source: header, name: X-Sum}}}}`
		nothing = `No runs: payload "tags" has no elements to run for.`
		unfit   = `Refused: payload "tags" `
	)
	moved := strings.Replace(each, "}}", "}, success-http-response-code: 302}", 1)
	created := strings.Replace(each, "}}", "}, success-http-response-code: 201}", 1)
	tests := []struct {
		name, hooks, body string
		status            int
		answer, log       string
	}{
		{"no elements: no runs, and no failure", each, `{"tags":[]}`, 200, nothing, "nothing to run"},
		{"null is no element", each, `{"tags":null}`, 200, nothing, "nothing to run"},
		{"nor is what is not there", each, `{}`, 200, nothing, "nothing to run"},
		{"with the code of success", created, `{}`, 201, nothing, "nothing to run"},
		{"unless that is no 2xx", moved, `{}`, 200, nothing, "nothing to run"},
		{"what does not fit is refused, with the reason", each, `{"tags":{"a":1}}`, 400, unfit, "does not fit"},
		{"nothing to run comes before a mismatch", other + ", " + each, `{}`, 200, nothing, "not satisfied"},
		{"so does what does not fit", other + ", " + each, `{"tags":{}}`, 400, unfit, "not satisfied"},
		{"a mismatch comes before a wrong signature", signed + ", " + other, `{}`, 409, "Hook rules were not satisfied.", "error evaluating"},
		{"a wrong signature comes last", signed, `{}`, 500, "Error occurred while evaluating hook rules.", "error evaluating"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			e := &fakeEngine{}
			request := httptest.NewRequest(http.MethodPost, "/hooks/p", strings.NewReader(test.body))
			request.Header.Set("Content-Type", "application/json")
			request.Header.Set("X-Sum", "00")
			answer := httptest.NewRecorder()
			serverOf(t, "["+test.hooks+"]", e, func(o *Options) { o.Log = zerolog.New(&log) }).ServeHTTP(answer, request)
			if answer.Code != test.status || !strings.HasPrefix(answer.Body.String(), test.answer) {
				t.Errorf("answered %d %q, want %d %q", answer.Code, answer.Body, test.status, test.answer)
			}
			if zero := answer.Header().Get(RunsHeader) == "0"; zero != (test.answer == nothing) {
				t.Errorf("%s is %q", RunsHeader, answer.Header().Get(RunsHeader))
			}
			if answer.Header().Get(DeliveryHeader) != "" || e.submitted != nil {
				t.Errorf("submitted %v, %v", e.submitted, answer.Header())
			}
			if !strings.Contains(log.String(), test.log) {
				t.Errorf("the log does not hold %q:\n%s", test.log, &log)
			}
		})
	}
}

func TestWhatDoesNotFitOneHookRunsTheOthers(t *testing.T) {
	e := &fakeEngine{}
	answer := post(serverOf(t, `
- {id: each, path: p, execute-command: x, for-each: {source: payload, name: tags}}
- {id: all, path: p, execute-command: x, response-message: of all}
`, e, nil), "/hooks/p", `{"tags":{}}`)
	if diff := cmp.Diff([]string{"all"}, e.submitted); diff != "" || answer.Body.String() != "of all" {
		t.Errorf("answered %q; runs (-want +got):\n%s", answer.Body, diff)
	}
}

// TestARepeatIsDroppedAndAnsweredAsItsFirst: rule 6.
func TestARepeatIsDroppedAndAnsweredAsItsFirst(t *testing.T) {
	const first = "01a2097a-0000-7000-8000-000000000000"
	tests := []struct {
		name, keys string
		of         []string // of the parts
		header     map[string]string
	}{
		{"", "", []string{first}, map[string]string{DuplicateHeader: first}},
		{"whose output would be the answer", ", include-command-output-in-response: true", []string{first}, map[string]string{DuplicateHeader: first}},
		{"that would be streamed", ", answer: {body: stream}", []string{first}, map[string]string{DuplicateHeader: first}},
		{"whose end would be waited for", ", answer: {wait: 1h}", []string{first}, map[string]string{DuplicateHeader: first}},
		{"for one of two hooks", "", []string{first, ""}, map[string]string{DuplicateHeader: first, RunHeader: "b", DeliveryHeader: "d"}},
		{"for the other", "", []string{"", first}, map[string]string{RunHeader: "a", DeliveryHeader: "d"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			file := "- {id: a, path: p, execute-command: x, response-message: done, success-http-response-code: 201" + test.keys + "}\n"
			if len(test.of) == 2 {
				file += "- {id: b, path: p, execute-command: x}\n"
			}
			e := &fakeEngine{receipt: run.Receipt{DuplicateOf: test.of}}
			answer := post(serverOf(t, file, e, func(o *Options) { o.Log = zerolog.New(&log) }), "/hooks/p", "{}")
			if answer.Code != 201 || answer.Body.String() != "done" {
				t.Errorf("answered %d %q, want the answer of success", answer.Code, answer.Body)
			}
			ids := map[string]string{first: first, e.last.Delivery.ID: "d"}
			for _, part := range e.last.Parts {
				ids[part.Runs[0].ID] = part.Hook
			}
			got := map[string]string{}
			for _, name := range []string{DuplicateHeader, RunHeader, RunsHeader, DeliveryHeader} {
				if value := answer.Header().Get(name); value != "" {
					got[name] = ids[value]
				}
			}
			if diff := cmp.Diff(test.header, got); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			for i, part := range e.last.Parts {
				if told := strings.Contains(log.String(), part.Runs[0].ID); told != (test.of[i] == "") {
					t.Errorf("the run of %s is told: %t\n%s", part.Hook, told, &log)
				}
			}
			if !strings.Contains(log.String(), `"of":"`+first) {
				t.Errorf("the log does not tell of the repeat:\n%s", &log)
			}
		})
	}
}

func TestADeliveryBeyondTheBoundIsTold(t *testing.T) {
	var log bytes.Buffer
	e := &fakeEngine{receipt: run.Receipt{Overfull: []bool{true}}}
	answer := post(serverOf(t, `[{id: a, execute-command: x}]`, e, func(o *Options) { o.Log = zerolog.New(&log) }), "/hooks/a", "{}")
	if answer.Code != 200 || !strings.Contains(log.String(), `"level":"warn"`) || !strings.Contains(log.String(), "max-queued") {
		t.Errorf("answered %d; log:\n%s", answer.Code, &log)
	}
}

// TestCredentialsAreWithheld: rule 9.
func TestCredentialsAreWithheld(t *testing.T) {
	for keys, passed := range map[string]bool{
		"": false,
		", pass-arguments-to-command: [{source: header, name: Authorization}]": true,
	} {
		e := &fakeEngine{}
		s := serverOf(t, "[{id: a, execute-command: x, delivery-id: {source: header, name: X-Delivery}"+keys+"}]", e, nil)
		request := httptest.NewRequest(http.MethodPost, "/hooks/a", nil)
		request.Header.Set("Authorization", "Bearer hunter2")
		request.Header.Set("X-Delivery", "17")
		s.ServeHTTP(httptest.NewRecorder(), request)
		d := e.last.Delivery
		if d.Header.Get("Authorization") != run.Withheld || d.SenderID != "17" || e.last.Parts[0].SenderID != "17" {
			t.Errorf("handed over: %+v", d)
		}
		if kept := d.Credentials != nil && d.Credentials.Header.Get("Authorization") == "Bearer hunter2"; kept != passed {
			t.Errorf("the credential is kept for a script: %t, want %t", kept, passed)
		}
	}
}

// TestCredentialsOfOthersAreWithheld: what lets in at another hook of the path is
// not stored because of one that does not ask for it, nor is the secret behind a
// path where a proxy tells the URL.
func TestCredentialsOfOthersAreWithheld(t *testing.T) {
	e := &fakeEngine{}
	s := serverOf(t, `
- {id: open, path: p, execute-command: x}
- {id: shut, path: p, execute-command: x, secret: swordfish, auth: {header: {name: X-Door}, query: {name: door}},
   trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}}
- {id: quay, execute-command: x, sender: quay, secret: sword fish/of the path, auth: {path: {}}}
`, e, nil)
	for _, path := range []string{"/hooks/p?door=swordfish", "/hooks/quay/sword%20fish/of%20the%20path"} {
		request := httptest.NewRequest(http.MethodPost, path, nil)
		request.Header.Set("X-Door", "swordfish")
		request.Header.Set("X-Original-Url", path)
		request.Header.Set("X-Other", "shown")
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, request)
		d := e.last.Delivery
		if answer.Code != 200 || d == nil || d.Header.Get("X-Other") != "shown" {
			t.Fatalf("answered %d; handed over: %+v", answer.Code, d)
		}
		isPath := strings.HasPrefix(path, "/hooks/quay")
		if !isPath && (d.Header.Get("X-Door") != run.Withheld || strings.Contains(d.RawQuery, "swordfish")) ||
			isPath && strings.Contains(d.Path+d.Header.Get("X-Original-Url"), "fish") {
			t.Errorf("handed over: %+v", d)
		}
		if request.Header.Get("X-Door") != "swordfish" || request.Header.Get("X-Original-Url") != path {
			t.Error("the request itself was changed")
		}
	}
}
