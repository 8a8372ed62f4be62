package trigger_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// one reads a hook file with one hook, whose command may be left out.
func one(t testing.TB, text string) *hook.Hook {
	t.Helper()
	hooks, problems := hook.Read("hooks.yaml", []byte("- execute-command: x\n  id: a\n  "+strings.ReplaceAll(text, "\n", "\n  ")), hook.Options{})
	if problems.Refused() || len(hooks) != 1 {
		t.Fatalf("%s: %v", text, problems)
	}
	return hooks[0]
}

const pushed = `{"repository": "acme/web", "tags": ["v1", "v2", "v1"], "one": "v1", "none": [], "null": null,
	"object": {"a": 1}, "images": [{"tag": "a"}, {"tag": "b,c"}], "odd": "a,b\\c", "empty": ""}`

func post(body string, headers ...string) *run.Delivery {
	d := &run.Delivery{
		ID: "d", Method: "POST", Path: "/hooks/a", RawQuery: "q=7", RemoteAddr: "192.0.2.1:1234", Received: time.Now(),
		Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body),
	}
	for i := 0; i+1 < len(headers); i += 2 {
		d.Header.Set(headers[i], headers[i+1])
	}
	return d
}

// verdict puts what a hook said into a line: the kind, then each run as element
// @ key, or why there is none.
func verdict(v trigger.Verdict) string {
	kind := [...]string{"triggered", "mismatched", "nothing", "refused", "failed", "unauthenticated", "handshaken", "uninteresting"}[v.Kind]
	if v.Kind != trigger.Triggered {
		return kind + ": " + v.Why()
	}
	for _, r := range v.Part.Runs {
		kind += " " + r.Element
		if r.Key.Set {
			kind += "@" + r.Key.Text
		}
		if r.Key.Incomplete {
			kind += "(incomplete)"
		}
	}
	return kind
}

func TestAsk(t *testing.T) {
	const token = "trigger-rule: { match: { type: value, value: s3cret, parameter: { source: header, name: X-Token } } }"
	tests := []struct {
		name, hook string
		delivery   *run.Delivery
		mode       trigger.Mode
		want       string
	}{
		{"no rule", "", post(pushed), trigger.Mode{}, "triggered "},
		{"a rule that holds", token, post(pushed, "X-Token", "s3cret"), trigger.Mode{}, "triggered "},
		{"a rule that does not", token, post(pushed, "X-Token", "guessed"), trigger.Mode{}, `mismatched: header "X-Token" is not the value asked for`},
		{"a value is missing", token, post(pushed), trigger.Mode{}, `mismatched: header "X-Token" is not in the request`},
		{
			"a rule that cannot be evaluated", `trigger-rule: { match: { type: payload-hmac-sha256, secret: s, parameter: { source: header, name: X-Sig } } }`,
			post(pushed, "X-Sig", "00"), trigger.Mode{}, `failed: the sha256 signature in header "X-Sig" is not the body's`,
		},
		{
			"a form that cannot be parsed", "", post("x", "Content-Type", "multipart/form-data; boundary=b"), trigger.Mode{},
			"failed: parse the multipart form: part 1: multipart: NextPart: EOF",
		},
		{"for each element, in their order", "for-each: { source: payload, name: tags }", post(pushed), trigger.Mode{}, `triggered "v1" "v2" "v1"`},
		{"for each of one", "for-each: { source: payload, name: one }", post(pushed), trigger.Mode{}, `triggered "v1"`},
		{"for each of a path", `for-each: { source: payload, name: "images.#.tag" }`, post(pushed), trigger.Mode{}, `triggered "a" "b,c"`},
		{"for each of none", "for-each: { source: payload, name: none }", post(pushed), trigger.Mode{}, `nothing: payload "none" has no elements to run for`},
		{"for each of null", "for-each: { source: payload, name: 'null' }", post(pushed), trigger.Mode{}, `nothing: payload "null" has no elements to run for`},
		{"for each of what is missing", "for-each: { source: payload, name: x }", post(pushed), trigger.Mode{}, `nothing: payload "x" has no elements to run for`},
		{"for each of an object", "for-each: { source: payload, name: object }", post(pushed), trigger.Mode{}, `refused: payload "object" is an object, not a list`},
		{
			"for each of too many", "for-each: { source: payload, name: root }", post("[0" + strings.Repeat(",0", 1000) + "]"), trigger.Mode{},
			`refused: payload "root" has more than 1000 elements`,
		},
		{"for each, and the rule does not hold", token + "\nfor-each: { source: payload, name: object }", post(pushed), trigger.Mode{}, `mismatched: header "X-Token" is not in the request`},
		{"a key", "queue: { key: { source: payload, name: repository } }", post(pushed), trigger.Mode{}, `triggered @acme/web`},
		{"a key of one value is the value", "queue: { key: { source: payload, name: odd } }", post(pushed), trigger.Mode{}, `triggered @a,b\c`},
		{
			"a key of several is unambiguous", "queue: { key: [{ source: payload, name: odd }, { source: query, name: q }] }", post(pushed),
			trigger.Mode{}, `triggered @a\,b\\c,7`,
		},
		{
			"a key with the element", "for-each: { source: payload, name: images }\nqueue: { key: [{ source: payload, name: repository }, { source: element, name: tag }] }",
			post(pushed), trigger.Mode{}, `triggered {"tag": "a"}@acme/web,a {"tag": "b,c"}@acme/web,b\,c`,
		},
		{
			"a value of the key is missing", "queue: { key: [{ source: payload, name: x }, { source: query, name: q }] }", post(pushed),
			trigger.Mode{}, `triggered @,7(incomplete)`,
		},
		{"the only value of the key is missing", "queue: { key: { source: payload, name: x } }", post(pushed), trigger.Mode{}, `triggered @(incomplete)`},
		{"an empty value is not missing", "queue: { key: { source: payload, name: empty } }", post(pushed), trigger.Mode{}, `triggered @`},
		{
			"a credential is no key to show", "queue: { key: { source: header, name: X-Token } }", post(pushed, "X-Token", "s3cret"),
			trigger.Mode{}, `triggered @withheld:1ec1c26b50d5d3c5`,
		},
		{"sent again: who calls is not asked", token, post(pushed), trigger.Mode{Replayed: true}, "triggered "},
		{"sent again: what was withheld is not asked", token, post(pushed, "X-Token", "[withheld]"), trigger.Mode{Replayed: true}, "triggered "},
		{"what looks withheld is asked when it comes first", token, post(pushed, "X-Token", "[withheld]"), trigger.Mode{}, `mismatched: header "X-Token" is not the value asked for`},
		{
			"sent again: the rest of the rule is asked", "trigger-rule: { and: [{ match: { type: value, value: s, parameter: { source: query, name: token } } }, { match: { type: value, value: acme/api, parameter: { source: payload, name: repository } } }] }",
			post(pushed), trigger.Mode{Replayed: true}, `mismatched: payload "repository" is not the value asked for`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := one(t, tt.hook)
			v := trigger.Ask(h, tt.delivery, tt.mode)
			if diff := cmp.Diff(tt.want, verdict(v)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if v.Hook != h {
				t.Error("the verdict is another hook's")
			}
			if (v.Kind == trigger.Failed || v.Kind == trigger.Refused) != (v.Err != nil) || len(v.Part.Runs) > 0 != (v.Kind == trigger.Triggered) {
				t.Errorf("kind %d, error %v, %d runs", v.Kind, v.Err, len(v.Part.Runs))
			}
			checkRuns(t, v)
		})
	}
}

// checkRuns: runs have ids of their own, in their order, and the hook's.
func checkRuns(t *testing.T, v trigger.Verdict) {
	t.Helper()
	last := ""
	for i, r := range v.Part.Runs {
		if id, err := uuid.Parse(r.ID); err != nil || id.Version() != 7 || r.ID <= last || r.Hook != "a" || v.Part.Hook != "a" || r.Attempt != 1 {
			t.Errorf("run %d after %q: %+v", i, last, r)
		}
		last = r.ID
	}
}

func TestAskForTheSendersID(t *testing.T) {
	const header = "delivery-id: { source: header, name: X-Delivery }\ndedupe: 24h"
	tests := []struct {
		name, hook string
		delivery   *run.Delivery
		mode       trigger.Mode
		id         string
		dedupe     time.Duration
	}{
		{"none", "", post(pushed, "X-Delivery", "7"), trigger.Mode{}, "", 0},
		{"an id", header, post(pushed, "X-Delivery", "7"), trigger.Mode{}, "7", 24 * time.Hour},
		{"an id alone", "delivery-id: { source: header, name: X-Delivery }", post(pushed, "X-Delivery", "7"), trigger.Mode{}, "7", 0},
		{"missing: nothing is a repeat", header, post(pushed), trigger.Mode{}, "", 0},
		{"empty: nothing is a repeat", header, post(pushed, "X-Delivery", ""), trigger.Mode{}, "", 0},
		{"sent again by hand", header, post(pushed, "X-Delivery", "7"), trigger.Mode{Replayed: true}, "7", 0},
	}
	for _, tt := range tests {
		part := trigger.Ask(one(t, tt.hook), tt.delivery, tt.mode).Part
		if part.SenderID != tt.id || part.Dedupe != tt.dedupe || part.MustAccept {
			t.Errorf("%s: %+v", tt.name, part)
		}
	}
}

// Keys and ids that a sender chooses are bounded, and different ones stay so.
func TestLongKeys(t *testing.T) {
	h := one(t, "queue: { key: { source: payload, name: k } }\ndelivery-id: { source: raw-request-body }")
	seen := map[string]bool{}
	for _, end := range []string{"a", "b"} {
		for _, size := range []int{1023, 1024, 5000, 100_000} {
			part := trigger.Ask(h, post(fmt.Sprintf(`{"k":"%s%s"}`, strings.Repeat("é", size/2), end)), trigger.Mode{}).Part
			for _, text := range []string{part.Runs[0].Key.Text, part.SenderID} {
				if len(text) > 1024 || seen[text] || strings.ToValidUTF8(text, "?") != text {
					t.Errorf("%d bytes: %q", size, text)
				}
				seen[text] = true
			}
		}
	}
}

// What of a request could not be parsed is told with any verdict.
func TestAskTellsProblems(t *testing.T) {
	tests := []struct {
		hook, body string
		mode       trigger.Mode
		want       bool
	}{
		{"", "{", trigger.Mode{}, false}, // nobody asked for a value
		{"", "{", trigger.Mode{Validate: true}, true},
		{"", "{}", trigger.Mode{Validate: true}, false},
		{"trigger-rule: { match: { type: value, value: x, parameter: { source: payload, name: a } } }", "{", trigger.Mode{}, true},
		{"for-each: { source: payload, name: a }", "{", trigger.Mode{}, true},
	}
	for _, tt := range tests {
		if v := trigger.Ask(one(t, tt.hook), post(tt.body), tt.mode); (v.Problem != nil) != tt.want {
			t.Errorf("%q of %q, %+v: %v", tt.hook, tt.body, tt.mode, v.Problem)
		}
	}
}

// Values that are kept with runs are copies: they do not keep a large body in memory.
func TestAskCopies(t *testing.T) {
	h := one(t, "for-each: { source: payload, name: tags }\nqueue: { key: { source: element } }\ndelivery-id: { source: payload, name: one }")
	d := post(pushed)
	part := trigger.Ask(h, d, trigger.Mode{}).Part
	clear(d.Body)
	if part.SenderID != "v1" || part.Runs[1].Element != `"v2"` || part.Runs[1].Key.Text != "v2" {
		t.Errorf("what was made of the body went with it: %+v", part)
	}
}

func BenchmarkAsk(b *testing.B) {
	hooks := map[string]string{
		"no rule":  "",
		"token":    "trigger-rule: { match: { type: value, value: s3cret, parameter: { source: header, name: X-Token } } }",
		"payload":  "trigger-rule: { match: { type: value, value: acme/web, parameter: { source: payload, name: repository } } }",
		"key":      "queue: { key: { source: payload, name: repository } }",
		"for each": "for-each: { source: payload, name: tags }\nqueue: { key: [{ source: payload, name: repository }, { source: element }] }",
	}
	d := post(pushed, "X-Token", "s3cret")
	for name, text := range hooks {
		b.Run(name, func(b *testing.B) {
			h := one(b, text)
			b.ReportAllocs()
			for b.Loop() {
				if v := trigger.Ask(h, d, trigger.Mode{}); v.Kind != trigger.Triggered {
					b.Fatal(verdict(v))
				}
			}
		})
	}
}

// To ask costs the question, the runs, and an id; each part of a request that a
// rule looks at costs its own.
func TestAskAllocatesLittle(t *testing.T) {
	d := post(pushed, "X-Token", "s3cret")
	for text, most := range map[string]float64{
		"": 4,
		"trigger-rule: { match: { type: value, value: s3cret, parameter: { source: header, name: X-Token } } }": 6,
	} {
		h := one(t, text)
		if n := testing.AllocsPerRun(100, func() { trigger.Ask(h, d, trigger.Mode{}) }); n > most {
			t.Errorf("%q: %v allocations, want at most %v", text, n, most)
		}
	}
}

// FuzzKey: two lists of values have one key only if they are the same.
func FuzzKey(f *testing.F) {
	f.Add("a,", "b", "a", ",b")
	f.Add(`a\`, "b", "a", `\,b`)
	f.Add("", "", ",", "")
	h := one(f, "queue: { key: [{ source: query, name: a }, { source: query, name: b }] }")
	key := func(a, b string) run.Key {
		d := &run.Delivery{RawQuery: url.Values{"a": {a}, "b": {b}}.Encode()}
		return trigger.Ask(h, d, trigger.Mode{}).Part.Runs[0].Key
	}
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		first, second := key(a, b), key(c, d)
		if (first == second) != (a == c && b == d) || first.Incomplete {
			t.Errorf("%q, %q: %q; %q, %q: %q", a, b, first.Text, c, d, second.Text)
		}
	})
}

// An id that others than a repetition may have tells nothing about what was seen
// before: GitLab's event UUID is also that of what a webhook's script causes.
func TestASharedIDDropsNothing(t *testing.T) {
	h := one(t, "sender: gitlab\nsecret: s")
	for name, want := range map[string]bool{"Idempotency-Key": true, "X-Gitlab-Event-Uuid": false} {
		part := trigger.Ask(h, post(`{}`, name, "1-2-3"), trigger.Mode{}).Part
		if part.SenderID != "1-2-3" || part.Dedupe > 0 != want {
			t.Errorf("%s: id %q, dropped for %v; want it to be: %v", name, part.SenderID, part.Dedupe, want)
		}
	}
}
