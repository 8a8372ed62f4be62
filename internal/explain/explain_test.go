package explain_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/trigger"
)

// read reads the one hook of a hook file.
func read(t *testing.T, text string) *hook.Hook {
	t.Helper()
	hooks, problems := hook.Read("hooks.yaml", []byte(text), hook.Options{})
	if problems.Refused() || len(hooks) != 1 {
		t.Fatal(problems)
	}
	return hooks[0]
}

func post(body string, headers ...string) *run.Delivery {
	d := &run.Delivery{
		ID: "0192a000-0000-7000-8000-0000000000d1", Received: time.Now(), Method: "POST", Path: "/hooks/hook",
		Host: "example.org", RemoteAddr: "192.0.2.1:1", Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}},
	}
	for i := 0; i < len(headers); i += 2 {
		d.Header.Set(headers[i], headers[i+1])
	}
	return d
}

// What lets its bearer in is shown nowhere: not as a value that a rule saw, not
// in what the script gets, not in reasons and hints.
func TestTellsNoSecret(t *testing.T) {
	const token = "t0ken-of-mine"
	arguments := `
  pass-arguments-to-command:
    - { source: header, name: X-Token }
    - { source: query, name: access_token }
    - { source: entire-headers }
  pass-environment-to-command: [{ source: header, name: X-Token, envname: T }]
  pass-file-to-command: [{ source: entire-query, envname: Q }]
`
	hooks := map[string]string{
		"auth in a header":  "- id: hook\n  execute-command: /bin/true\n  sender: generic\n  secret: " + token + "\n  auth: { header: { name: X-Token } }" + arguments,
		"auth in the path":  "- id: hook\n  execute-command: /bin/true\n  sender: quay\n  secret: " + token + "\n  auth: { path: {} }" + arguments,
		"a rule":            "- id: hook\n  execute-command: /bin/true\n  trigger-rule: { match: { type: value, value: " + token + ", parameter: { source: header, name: X-Token } } }" + arguments,
		"when":              "- id: hook\n  execute-command: /bin/true\n  auth: none\n  when: headers[\"X-Token\"] == \"" + token + "\" && payload.gone == 1" + arguments,
		"a computed value":  "- id: hook\n  execute-command: /bin/true\n  auth: none\n  pass-arguments-to-command: [{ source: cel, name: 'headers[\"X-Token\"] + \"!\"', pattern: 'x' }]",
		"a secret argument": "- id: hook\n  execute-command: /bin/true\n  auth: none\n  pass-arguments-to-command: [{ source: string, secret: { env: PAWL_TEST_TOKEN } }]",
	}
	t.Setenv("PAWL_TEST_TOKEN", token)
	for name, text := range hooks {
		for _, sent := range []string{token, token + " ", strings.ToUpper(token), "another-" + token} {
			t.Run(name+" "+sent, func(t *testing.T) {
				d := post(`{}`, "X-Token", sent)
				d.RawQuery, d.Path = "access_token="+token, "/hooks/hook/"+sent
				asked := &sender.Request{Delivery: d}
				if name == "auth in the path" {
					asked.Rest = sent
				}
				said := explain.Explain(context.Background(), read(t, text), asked, explain.Options{})
				written, err := json.Marshal(said)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Contains(strings.ToLower(string(written)), token) {
					t.Errorf("it tells the token: %s", written)
				}
				if said.Decision == nil || len(said.Decision.Parts) == 0 {
					t.Errorf("nothing is explained: %s", written)
				}
			})
		}
	}
}

// An explanation says what becomes of a delivery, and its steps say the same.
func TestAgreesWithAsk(t *testing.T) {
	hooks := []string{
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  for-each: { source: payload, name: list }\n  when: element > 1\n",
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  for-each: { source: payload, name: list }\n  pass-arguments-to-command: [{ source: element }, { source: payload, name: s, pattern: '[a-z]*' }]\n",
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  for-each: { source: payload, name: list }\n  pass-arguments-to-command: [{ source: cel, name: element + 1 }, { source: cel, name: payload.n + 1 }]\n",
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  pass-arguments-to-command: [{ source: payload, name: 'n', pattern: '[0-9]' }, { source: cel, name: payload.n + 1 }]\n",
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  when: payload.n > 1\n  pass-arguments-to-command: [{ source: payload, name: s, pattern: '[a-z]*' }]\n",
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  for-each: { source: payload, name: list }\n  pass-arguments-to-command: [{ source: element, max-length: 1 }]\n",
		"- id: hook\n  execute-command: /bin/true\n  auth: none\n  event-type: { source: header, name: X-Event }\n  events: [push]\n  trigger-rule: { not: { match: { type: regex, regex: a, parameter: { source: payload, name: s } } } }\n",
	}
	bodies := []string{`{}`, `{"list":[1,2,3],"n":2,"s":"abc"}`, `{"list":[],"n":1}`, `{"list":["aa"],"n":"x","s":"A"}`, `{"list":{"a":1},"n":2,"s":""}`, `[`, ``, `{"list":[10,20],"n":3}`}
	for _, text := range hooks {
		h := read(t, text)
		for _, body := range bodies {
			for _, event := range []string{"push", "pull"} {
				d := post(body, "X-Event", event)
				said := explain.Explain(context.Background(), h, &sender.Request{Delivery: d}, explain.Options{})
				verdict := trigger.Ask(h, d, trigger.Mode{})
				if said.Triggered != (verdict.Kind == trigger.Triggered) || len(said.Runs) != len(verdict.Part.Runs) {
					t.Errorf("%s%s: it is explained as %s, and is %d", text, body, said.Outcome, verdict.Kind)
				}
				holds, decided := true, 0
				for _, step := range said.Decision.Parts {
					ok := step.Result == "holds" || step.What == "body" // that one is the cause of another
					holds = holds && ok
					if !ok && step.Result != "not asked" {
						decided++
						agrees(t, &step)
					}
				}
				if decided > 1 {
					t.Errorf("%s%s: %d steps decide: %+v", text, body, decided, said.Decision)
				}
				if holds != said.Triggered || said.Triggered != (said.Reason == "") {
					t.Errorf("%s%s: it is %s (%s), and its steps say %v: %+v", text, body, said.Outcome, said.Reason, holds, said.Decision)
				}
			}
		}
	}
}

// agrees tells of a step that does not hold, and in which everything does.
func agrees(t *testing.T, step *explain.Node) {
	t.Helper()
	for i := range step.Parts {
		if step.Parts[i].Result != "holds" {
			return
		}
	}
	if len(step.Parts) > 0 {
		t.Errorf("it does not hold, and all in it does: %+v", step)
	}
}

// What a rule asks about who calls counts as authentication: a delivery that does
// not have it is not authenticated, whatever its outcome is called.
func TestRulesAuthenticate(t *testing.T) {
	const branch = "{ match: { type: value, value: main, parameter: { source: payload, name: ref } } }"
	const token = "{ match: { type: value, value: t0ken, parameter: { source: header, name: X-Token } } }"
	const signed = "{ match: { type: payload-hmac-sha256, secret: k, parameter: { source: header, name: X-Hub-Signature } } }"
	for _, test := range []struct {
		name, rule, body string
		headers          []string
		want             bool
		auth             string // the result of that step
		outcome          explain.Outcome
	}{
		{"nobody is asked", branch, `{"ref":"x"}`, nil, true, "holds", explain.Unmatched},
		{"the wrong signature", signed, `{}`, []string{"X-Hub-Signature", "sha256=00"}, false, "not asked", explain.Failed},
		{"no signature", signed, `{}`, nil, false, "not asked", explain.Unmatched},
		{"the wrong token", token, `{}`, []string{"X-Token", "x"}, false, "not asked", explain.Unmatched},
		{"the right one", token, `{}`, []string{"X-Token", "t0ken"}, true, "not asked", explain.Triggered},
		{"the right one, and another branch", "{ and: [ " + branch + ", " + token + " ] }", `{"ref":"x"}`, []string{"X-Token", "t0ken"}, true, "not asked", explain.Unmatched},
		{"the wrong one, and another branch", "{ and: [ " + branch + ", " + token + " ] }", `{"ref":"x"}`, []string{"X-Token", "x"}, false, "not asked", explain.Unmatched},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := read(t, "- id: hook\n  execute-command: /bin/true\n  trigger-rule: "+test.rule+"\n")
			said := explain.Explain(context.Background(), h, &sender.Request{Delivery: post(test.body, test.headers...)}, explain.Options{})
			auth := said.Decision.Parts[0]
			if said.Authenticated != test.want || said.Outcome != test.outcome || auth.What != "auth" || auth.Result != test.auth {
				t.Errorf("authenticated %v, outcome %s, %+v", said.Authenticated, said.Outcome, auth)
			}
		})
	}
}

// Of a stored delivery who called is not asked again, and what was kept of its
// credentials for its runs is not shown.
func TestStored(t *testing.T) {
	h := read(t, "- id: hook\n  execute-command: /bin/true\n  sender: generic\n  secret: s3cret-of-mine\n  auth: { header: { name: X-Token } }\n  pass-arguments-to-command: [{ source: header, name: X-Token }]\n  http-methods: [POST]\n")
	d := post(`{}`, "X-Token", run.Withheld)
	d.Verified, d.Credentials = "header X-Token", &run.Credentials{Header: http.Header{"X-Token": {"s3cret-of-mine"}}}
	said := explain.Stored(context.Background(), h, d, explain.Options{})
	written, _ := json.Marshal(said)
	if !said.Triggered || !said.Authenticated || said.Verified != d.Verified || said.Answer != nil {
		t.Errorf("%s", written)
	}
	if strings.Contains(string(written), "s3cret") || len(said.Runs) != 1 || said.Runs[0].Argv[1] != "***" {
		t.Errorf("%s", written)
	}
	if d.Header.Get("X-Token") != run.Withheld {
		t.Error("the delivery was changed")
	}
}
