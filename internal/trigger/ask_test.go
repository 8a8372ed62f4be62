package trigger_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

const github = "sender: github\nsecret: s3cret\n"

// What a hook says in the order in which it is asked: handshake, events, trigger
// rule, when, for-each, bounds.
func TestAskInOrder(t *testing.T) {
	const never = "trigger-rule: { match: { type: value, value: x, parameter: { source: payload, name: one } } }\n"
	replayed := trigger.Mode{Replayed: true}
	tests := []struct {
		name, hook string
		delivery   *run.Delivery
		mode       trigger.Mode
		want       string
	}{
		{"a handshake comes before events and rule", github + "events: [push]\n" + never, post(pushed, "X-GitHub-Event", "ping"), trigger.Mode{}, "handshaken: the sender asks for an answer alone: it is set up or tested"},
		{"sent again it is not answered", github + "events: [push]", post(pushed, "X-GitHub-Event", "ping"), replayed, `uninteresting: the event type "ping" is none of the hook's events ["push"]`},
		{"an event of the hook's", github + "events: [push, release]", post(pushed, "X-GitHub-Event", "release"), trigger.Mode{}, "triggered "},
		{"another event, before the rule", github + "events: [push]\n" + never, post(pushed, "X-GitHub-Event", "fork"), trigger.Mode{}, `uninteresting: the event type "fork" is none of the hook's events ["push"]`},
		{"no event", github + "events: [push]", post(pushed), trigger.Mode{}, `uninteresting: the event type "" is none of the hook's events ["push"]`},
		{"events are asked when it is sent again", github + "events: [push]", post(pushed, "X-GitHub-Event", "fork"), replayed, `uninteresting: the event type "fork" is none of the hook's events ["push"]`},
		{"the hook's own event type", "sender: generic\nauth: none\nevent-type: { source: payload, name: one }\nevents: [v1]", post(pushed), trigger.Mode{}, "triggered "},

		{"when holds", "when: payload.one == 'v1' && headers['x-kind'] == 'a' && query.q == '7'", post(pushed, "X-Kind", "a"), trigger.Mode{}, "triggered "},
		{"when does not", "when: payload.one == 'v2'", post(pushed), trigger.Mode{}, "mismatched: when does not hold: payload.one == 'v2'"},
		{"when is asked after the rule", never + "when: payload.gone == 1", post(pushed), trigger.Mode{}, `mismatched: payload "one" is not the value asked for`},
		{"when, and a value is missing", "when: payload.gone == 1", post(pushed), trigger.Mode{}, "refused: payload.gone is not in the payload (has(payload.gone) asks), in payload.gone == 1"},
		{"when, and there is no payload", "when: has(payload.gone)", post("no JSON"), trigger.Mode{}, "mismatched: the body is no JSON payload: at byte 0: what begins with 'n' is no value; so when does not hold: has(payload.gone)"},
		{"a value is missing, for the body cannot be read: that comes first", "when: payload.one == 'v1'", post("no JSON"), trigger.Mode{Validate: true}, "refused: the body is no JSON payload: at byte 0: what begins with 'n' is no value; so payload.one is not in the payload (has(payload.one) asks), in payload.one == 'v1'"},
		{"what nobody looked at is no reason", "when: query.q == '8'", post("no JSON"), trigger.Mode{Validate: true}, `mismatched: when does not hold: query.q == "…"`},
		{"when is asked before for-each", "when: payload.one == 'v2'\nfor-each: { source: payload, name: object }", post(pushed), trigger.Mode{}, "mismatched: when does not hold: payload.one == 'v2'"},
		{"when is asked when it is sent again", "when: payload.one == 'v2'", post(pushed), replayed, "mismatched: when does not hold: payload.one == 'v2'"},
		{"when of an event", github + "when: event == 'push' && sender == 'github'", post(pushed, "X-GitHub-Event", "push"), trigger.Mode{}, "triggered "},

		{"when names element: those that it holds of", "for-each: { source: payload, name: tags }\nwhen: element == 'v1'", post(pushed), trigger.Mode{}, `triggered "v1" "v1"`},
		{"it holds of none", "for-each: { source: payload, name: tags }\nwhen: element == 'v3'", post(pushed), trigger.Mode{}, `mismatched: when holds for none of the elements of payload "tags": element == 'v3'`},
		{"of objects", "for-each: { source: payload, name: images }\nwhen: element.tag.startsWith('b')", post(pushed), trigger.Mode{}, `triggered {"tag": "b,c"}`},
		{"without elements it is not asked", "for-each: { source: payload, name: none }\nwhen: element == 'v3'", post(pushed), trigger.Mode{}, `nothing: payload "none" has no elements to run for`},
		{"of one it cannot be told", "for-each: { source: payload, name: mixed }\nwhen: element > 2", post(`{"mixed":[1,"x",3]}`), trigger.Mode{},
			`triggered 3; element 2 of payload "mixed": element > 2: this cannot be done with values of these types, in element > 2`},
		{"of none it can be told", "for-each: { source: payload, name: mixed }\nwhen: element > 2", post(`{"mixed":["x","y"]}`), trigger.Mode{},
			`refused: element 1 of payload "mixed": element > 2: this cannot be done with values of these types, in element > 2 (and 1 more of its elements do not fit)`},

		{"a pattern that matches", "pass-arguments-to-command: [{ source: payload, name: one, pattern: 'v\\d', max-length: 2 }]", post(pushed), trigger.Mode{}, "triggered "},
		{"it matches the whole value", "pass-arguments-to-command: [{ source: payload, name: one, pattern: 'v' }]", post(pushed), trigger.Mode{}, `refused: payload "one" does not match its pattern v`},
		{"each alternative the whole value", "pass-arguments-to-command: [{ source: payload, name: one, pattern: 'v|x1' }]", post(pushed), trigger.Mode{}, `refused: payload "one" does not match its pattern v|x1`},
		{"a line end is part of the value", "pass-arguments-to-command: [{ source: payload, name: a, pattern: '[a-z]+' }]", post(`{"a":"x\n"}`), trigger.Mode{}, `refused: payload "a" does not match its pattern [a-z]+`},
		{"an option is no name", "pass-arguments-to-command: [{ source: payload, name: a, pattern: '[^-].*' }]", post(`{"a":"--exec"}`), trigger.Mode{}, `refused: payload "a" does not match its pattern [^-].*`},
		{"too long", "pass-arguments-to-command: [{ source: payload, name: one, max-length: 1 }]", post(pushed), trigger.Mode{}, `refused: payload "one" is longer than max-length, 1 characters`},
		{"length counts characters", "pass-arguments-to-command: [{ source: payload, name: a, max-length: 2 }]", post(`{"a":"éé"}`), trigger.Mode{}, "triggered "},
		{"a missing argument is the empty text", "pass-arguments-to-command: [{ source: payload, name: gone, pattern: '\\w+' }]", post(pushed), trigger.Mode{}, `refused: payload "gone" does not match its pattern \w+`},
		{"a missing variable is not there", "pass-environment-to-command: [{ source: payload, name: gone, pattern: '\\w+' }]", post(pushed), trigger.Mode{}, "triggered "},
		{"of a variable", "pass-environment-to-command: [{ source: payload, name: one, pattern: 'x' }]", post(pushed), trigger.Mode{}, `refused: payload "one" does not match its pattern x`},
		{"asked when it is sent again", "pass-arguments-to-command: [{ source: payload, name: one, pattern: x }]", post(pushed), replayed, `refused: payload "one" does not match its pattern x`},
		{"one element spoils itself alone", "for-each: { source: payload, name: tags }\npass-arguments-to-command: [{ source: element, pattern: v1 }]", post(pushed), trigger.Mode{},
			`triggered "v1" "v1"; element 2 of payload "tags": element does not match its pattern v1`},
		{"all of them spoilt", "for-each: { source: payload, name: tags }\npass-arguments-to-command: [{ source: element, pattern: x }]", post(pushed), trigger.Mode{},
			`refused: element 1 of payload "tags": element does not match its pattern x (and 2 more of its elements do not fit)`},
		{"what all share spoils all", "for-each: { source: payload, name: tags }\npass-arguments-to-command: [{ source: payload, name: one, pattern: x }]", post(pushed), trigger.Mode{}, `refused: payload "one" does not match its pattern x`},

		{"a computed value", "pass-arguments-to-command: [{ source: cel, name: 'payload.one + \"!\"', pattern: 'v1!' }]", post(pushed), trigger.Mode{}, "triggered "},
		{"one that cannot be computed", "pass-arguments-to-command: [{ source: cel, name: 'payload.gone + \"!\"' }]", post(pushed), trigger.Mode{},
			`refused: payload.gone is not in the payload (has(payload.gone) asks), in payload.gone + "!"`},
		{"one that is null is missing", "pass-arguments-to-command: [{ source: cel, name: 'payload[\"null\"]' }]", post(pushed), trigger.Mode{}, "triggered "},
		{"computed of each element", "for-each: { source: payload, name: images }\npass-arguments-to-command: [{ source: cel, name: 'element.tag + \"!\"', pattern: 'a!' }]", post(pushed), trigger.Mode{},
			`triggered {"tag": "a"}; element 2 of payload "images": cel "element.tag + \"!\"" does not match its pattern a!`},
		{"a computed key", "queue: { key: { source: cel, name: 'payload.repository.split(\"/\")[0]' } }", post(pushed), trigger.Mode{}, "triggered @acme"},
		{"a computed key that cannot be", "queue: { key: { source: cel, name: 'payload.gone[0]' } }", post(pushed), trigger.Mode{},
			"refused: payload.gone is not in the payload (has(payload.gone) asks), in payload.gone[0]"},
		{"a rule of a computed value", "trigger-rule: { match: { type: value, value: v1, parameter: { source: cel, name: payload.one } } }", post(pushed), trigger.Mode{}, "triggered "},
		{"a rule of one that cannot be computed", "trigger-rule: { match: { type: value, value: v1, parameter: { source: cel, name: payload.gone } } }", post(pushed), trigger.Mode{},
			"refused: payload.gone is not in the payload (has(payload.gone) asks), in payload.gone"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := trigger.Ask(one(t, tt.hook), tt.delivery, tt.mode)
			got := verdict(v)
			if v.Kind == trigger.Triggered {
				for _, err := range v.Spoiled {
					got += "; " + err.Error()
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (v.Handshake != nil) != (v.Kind == trigger.Handshaken) || len(v.Part.Runs) > 0 != (v.Kind == trigger.Triggered) {
				t.Errorf("kind %d, handshake %v, %d runs", v.Kind, v.Handshake, len(v.Part.Runs))
			}
			checkRuns(t, v)
		})
	}
}

// An element's number counts all elements, so the run's Element and those that
// are told of belong together.
func TestManyElementsAreAskedWithinBounds(t *testing.T) {
	h := one(t, "for-each: { source: payload, name: a }\nwhen: payload.a.all(x, payload.a.all(y, x + y + element >= 0))")
	began := time.Now()
	v := trigger.Ask(h, post(`{"a":[`+strings.Repeat("1,", 999)+`1]}`), trigger.Mode{})
	if v.Kind != trigger.Refused || !strings.Contains(v.Why(), "cost more than an expression may") {
		t.Errorf("it came to %s", verdict(v))
	}
	if took := time.Since(began); took > 30*time.Second { // on a busy machine, with the race detector
		t.Errorf("that took %s", took)
	}
}

// A sender's id is the preset's or the hook's; only senders that repeat by
// themselves have their repeats dropped, and of those that stop calling
// everything is accepted.
func TestWhatASenderIs(t *testing.T) {
	tests := []struct {
		name, hook, id string
		dedupe         time.Duration
		must           bool
		mode           trigger.Mode
	}{
		{"github: a person repeats", github, "72d3162e", 0, false, trigger.Mode{}},
		{"the hook says otherwise", github + "dedupe: 1h", "72d3162e", time.Hour, false, trigger.Mode{}},
		{"the hook's id", github + "delivery-id: { source: payload, name: one }", "v1", 0, false, trigger.Mode{}},
		{"gitlab repeats, and switches off", "sender: gitlab\nsecret: s3cret", "9a", 24 * time.Hour, true, trigger.Mode{}},
		{"quay has no id, and switches off", "sender: quay\nsecret: s3cret\nauth: { path: {} }", "", 0, true, trigger.Mode{}},
		{"a person sends it again", "sender: gitlab\nsecret: s3cret", "9a", 0, false, trigger.Mode{Replayed: true}},
	}
	for _, tt := range tests {
		d := post(pushed, "X-GitHub-Delivery", "72d3162e", "Idempotency-Key", "9a", "X-Gitlab-Event", "Push Hook", "X-GitHub-Event", "push")
		v := trigger.Ask(one(t, tt.hook), d, tt.mode)
		if v.Kind != trigger.Triggered || v.Part.SenderID != tt.id || v.Part.Dedupe != tt.dedupe || v.Part.MustAccept != tt.must {
			t.Errorf("%s: %s, %+v", tt.name, verdict(v), v.Part)
		}
	}
}

// A hook that follows from another's end is asked its rule, not its sender's
// events, and no handshake.
func TestAHookThatFollowsIsNoSenders(t *testing.T) {
	h := one(t, github+"events: [push]\nwhen: event == 'on-failure' && payload.event == 'on-failure' && sender == ''")
	d := post(`{"event":"on-failure"}`, "X-GitHub-Event", "ping")
	d.Origin = run.Origin{Kind: run.OnFailure, Of: "x"}
	if v := trigger.Ask(h, d, trigger.Mode{Replayed: true}); v.Kind != trigger.Triggered {
		t.Error(verdict(v))
	}
}

// What a Gate asks for is withheld whatever it is called, and so is what stands
// behind the path.
func TestWithholdWhatTheGateAsksFor(t *testing.T) {
	h := one(t, "sender: generic\nsecret: s3cret\nauth: { header: { name: X-Door } }\npass-arguments-to-command: [{ source: header, name: x-door }]")
	d := post(pushed, "X-Door", "s3cret", "X-Window", "open")
	d.Path = "/hooks/a/s3cret/more"
	got := trigger.Withhold(d, []*hook.Hook{h}, "s3cret/more")
	if got.Header.Get("X-Door") != w || got.Header.Get("X-Window") != "open" || got.Path != "/hooks/a/"+w {
		t.Errorf("stored is %q, %q", got.Header, got.Path)
	}
	if got.Credentials == nil || got.Credentials.Header.Get("X-Door") != "s3cret" || got.Credentials.Path != "" {
		t.Errorf("kept is %+v", got.Credentials)
	}
	if d.Path != "/hooks/a/s3cret/more" || d.Header.Get("X-Door") != "s3cret" {
		t.Error("the delivery itself was changed")
	}
	if got := trigger.Withhold(d, []*hook.Hook{h}, "elsewhere"); strings.Contains(got.Path, "s3cret") {
		t.Errorf("a path in which the secret is not found is stored as %q", got.Path)
	}
	key := one(t, "sender: generic\nsecret: s3cret\nauth: { query: { name: q } }\nqueue: { key: { source: query, name: q } }")
	if v := trigger.Ask(key, post(pushed), trigger.Mode{}); !strings.HasPrefix(v.Part.Runs[0].Key.Text, "withheld:") {
		t.Errorf("the key is %q", v.Part.Runs[0].Key.Text)
	}
}

// A credential that an expression sees is kept for the runs, and never shown in
// a key.
func TestWithholdWhatAnExpressionSees(t *testing.T) {
	h := one(t, `pass-arguments-to-command: [{ source: cel, name: 'headers["x-token"] + "!"' }]`+"\n"+`queue: { key: { source: cel, name: 'headers["x-token"]' } }`)
	d := post(pushed, "X-Token", "s3cret", "X-Api-Key", "other")
	got := trigger.Withhold(d, []*hook.Hook{h}, "")
	want := &run.Credentials{Header: http.Header{"X-Token": {"s3cret"}}}
	if diff := cmp.Diff(want, got.Credentials); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if v := trigger.Ask(h, d, trigger.Mode{}); !strings.HasPrefix(v.Part.Runs[0].Key.Text, "withheld:") {
		t.Errorf("the key is %q", v.Part.Runs[0].Key.Text)
	}
}

// What was withheld cannot be looked at again, and does not keep a delivery from
// being sent again.
func TestBoundsOfWhatWasWithheld(t *testing.T) {
	h := one(t, "sender: generic\nsecret: s3cret\nauth: { header: { name: X-Door } }\npass-environment-to-command: [{ source: header, name: X-Door, envname: DOOR, pattern: 's.*' }]")
	d := post(pushed, "X-Door", w)
	if v := trigger.Ask(h, d, trigger.Mode{Replayed: true}); v.Kind != trigger.Triggered {
		t.Errorf("sent again: %s", verdict(v))
	}
	if v := trigger.Ask(h, d, trigger.Mode{}); v.Kind != trigger.Refused {
		t.Errorf("from a sender: %s", verdict(v))
	}
}

// For-each over a credential makes no runs: elements are kept and shown.
func TestForEachOverACredential(t *testing.T) {
	h := &hook.Hook{ID: "a", ForEach: &delivery.Ref{Source: delivery.Header, Name: "X-Token"}}
	if v := trigger.Ask(h, post(pushed, "X-Token", "s3cret"), trigger.Mode{}); v.Kind != trigger.Refused || strings.Contains(v.Why(), "s3cret") {
		t.Error(verdict(v))
	}
}

// Whoever sends a delivery hears which value does not fit, and nothing of what the
// hook asks of it: no pattern, no expression, no list of events.
func TestAnswersTellNothingOfTheHook(t *testing.T) {
	tests := []struct {
		name, hook, body string
		status           int
		want             string
	}{
		{"a pattern", "pass-arguments-to-command: [{ source: payload, name: one, pattern: xyzzy }]", pushed, 400, `Refused: payload "one" does not fit.`},
		{"a length", "pass-arguments-to-command: [{ source: payload, name: one, max-length: 1 }]", pushed, 400, `Refused: payload "one" does not fit.`},
		{"of a computed value", "pass-arguments-to-command: [{ source: cel, name: '\"xyzzy\"', pattern: x }]", pushed, 400, "Refused: a value that the hook works out does not fit."},
		{"when", "when: payload.gone == 'xyzzy'", pushed, 400, "Refused: what the hook works out of its values cannot be told."},
		{"when, of no JSON", "when: payload.gone == 'xyzzy'", "[", 400, "Refused: the body is no JSON payload: at byte 1: it ends before its value does; so what the hook works out of its values cannot be told."},
		{"an element", "for-each: { source: payload, name: tags }\npass-arguments-to-command: [{ source: element, pattern: xyzzy }]", pushed, 400, `Refused: element 1 of payload "tags": element does not fit.`},
		{"no list", "for-each: { source: payload, name: object }", pushed, 400, `Refused: payload "object" is an object, not a list.`},
		{"no elements", "for-each: { source: payload, name: none }", pushed, 200, `No runs: payload "none" has no elements to run for.`},
		{"an event", github + "events: [xyzzy]", pushed, 200, `No runs: the event type "" is none that the hook asks for.`},
		{"a rule", "trigger-rule: { match: { type: value, value: xyzzy, parameter: { source: payload, name: one } } }", pushed, 200, "Hook rules were not satisfied."},
		{"where the sender would stop calling", "sender: quay\nauth: none\npass-arguments-to-command: [{ source: payload, name: one, pattern: xyzzy }]", pushed, 200, `Refused: payload "one" does not fit.`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := trigger.Ask(one(t, tt.hook), post(tt.body), trigger.Mode{})
			if got := v.Answer(); got.Status != tt.status || got.Text != tt.want {
				t.Errorf("%d %q, want %d %q", got.Status, got.Text, tt.status, tt.want)
			}
		})
	}
}

// A token in an expression stands in no log and no explanation.
func TestReasonsLeaveOutWhatHeadersAreComparedWith(t *testing.T) {
	for _, when := range []string{
		`headers["x-token"] == "xyzzy-1" && payload.gone == 1`,
		`payload.gone == 1 && 'xy\'xyzzy' != query.token`,
		`headers["x-token"] in ["xyzzy-1", "xyzzy-2"]`,
		`"x-token" in headers && headers["x-token"] == 'xyzzy'`,
	} {
		for _, headers := range [][]string{nil, {"X-Token", "a"}} {
			v := trigger.Ask(one(t, "when: >-\n  "+when), post(pushed, headers...), trigger.Mode{})
			if why := v.Why(); strings.Contains(why, "xyzzy") || why == "" {
				t.Errorf("%s: %s", when, why)
			}
		}
	}
	if got := trigger.Shown(`payload.a == "x"`); got != `payload.a == "x"` {
		t.Errorf("of payload values it leaves %s", got)
	}
}
