package trigger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// set reads a hook file and looks hooks up in it.
func set(t testing.TB, text string) func(id string) *hook.Hook {
	t.Helper()
	hooks, problems := hook.Read("hooks.yaml", []byte(text), hook.Options{})
	if problems.Refused() {
		t.Fatal(problems)
	}
	return hook.NewSet(hooks).ByID
}

func ended(state run.State) *run.Record {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	return &run.Record{
		Run: run.Run{
			ID: "019a0000-0000-7000-8000-000000000001", Hook: "scan", Attempt: 2, Depth: 0, Element: `{"tag": "v1"}`,
			Key: run.Key{Text: "acme/web", Set: true},
		},
		DeliveryID: "019a0000-0000-7000-8000-000000000000", State: state, Reason: "the script ended with exit code 3",
		Accepted: at.Add(-time.Minute), Started: at.Add(-1500 * time.Millisecond), Ended: at, Interruptions: 1,
		Origin: run.Origin{Kind: run.Replay, Of: "d0", Edited: true},
		Attempts: []run.Attempt{
			{Number: 1, Outcome: run.Outcome{End: run.Interrupted, ExitCode: -1}},
			{Number: 2, Outcome: run.Outcome{
				End: run.Exited, ExitCode: 3, Started: at.Add(-1500 * time.Millisecond), Ended: at,
				Output: []byte("<one>\ntwo\x00\xff\n"), Head: 14,
				Results: []run.Result{{Name: "report.url", Value: "http://a/?b&c"}, {Name: "n", Value: "1"}, {Name: "n", Value: "2"}},
			}},
		},
	}
}

const notified = `
- id: scan
  execute-command: x
  on-failure: notify
  on-success: report
- id: notify
  execute-command: x
- id: report
  execute-command: x
  trigger-rule: { match: { type: value, value: scan, parameter: { source: payload, name: hook_id } } }
`

// The payload is what docs/hooks.md says.
func TestFollowPayload(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC)
	s, ok := trigger.Follow(ended(run.Failed), set(t, notified), now)
	if !ok {
		t.Fatal("nothing follows")
	}
	const want = `{"event":"on-failure","run_id":"019a0000-0000-7000-8000-000000000001","hook_id":"scan",` +
		`"delivery_id":"019a0000-0000-7000-8000-000000000000","state":"failed","reason":"the script ended with exit code 3",` +
		`"attempt":2,"interruptions":1,"end":"exited","exit_code":3,` +
		`"accepted":"2026-05-01T11:59:00Z","started":"2026-05-01T11:59:58.5Z","ended":"2026-05-01T12:00:00Z","seconds":1.5,` +
		`"key":"acme/web","element":{"tag":"v1"},"results":{"n":"2","report.url":"http://a/?b&c"},` +
		`"output":"<one>\ntwo��\n","output_omitted":0,"origin":{"kind":"replay","of":"d0","edited":true}}`
	if diff := cmp.Diff(want, string(s.Delivery.Body)); diff != "" {
		t.Errorf("payload (-want +got):\n%s", diff)
	}
	d := s.Delivery
	if d.Method != "POST" || d.Path != "notify" || !d.Received.Equal(now) || d.RemoteAddr != "" || d.Origin != (run.Origin{Kind: run.OnFailure, Of: ended(run.Failed).ID}) {
		t.Errorf("the delivery is %+v", d)
	}
	if len(s.Parts) != 1 || s.Parts[0].Hook != "notify" || len(s.Parts[0].Runs) != 1 || !s.Parts[0].MustAccept || s.Parts[0].Runs[0].Depth != 1 {
		t.Errorf("the parts are %+v", s.Parts)
	}
	content := delivery.New(d, delivery.Options{})
	for name, want := range map[string]string{"element.tag": "v1", "results.report.url": "http://a/?b&c", "exit_code": "3"} {
		if got, err := content.Value(delivery.Ref{Source: delivery.Payload, Name: name}); got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

// What a run has not, its record leaves out, for a value that is missing says so.
func TestFollowPayloadOfARunThatNeverStarted(t *testing.T) {
	r := &run.Record{Run: run.Run{ID: "r", Hook: "scan"}, State: run.Failed, Reason: "expired"}
	s, ok := trigger.Follow(r, set(t, notified), time.Now())
	if !ok {
		t.Fatal("nothing follows")
	}
	var got map[string]any
	if err := json.Unmarshal(s.Delivery.Body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"event": "on-failure", "run_id": "r", "hook_id": "scan", "delivery_id": "", "state": "failed", "reason": "expired",
		"attempt": 0.0, "interruptions": 0.0, "seconds": 0.0, "results": map[string]any{}, "output": "", "output_omitted": 0.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFollow(t *testing.T) {
	tests := []struct {
		name   string
		hooks  string
		change func(*run.Record)
		want   string // the hook that follows; empty: none
	}{
		{"it failed", notified, nil, "notify"},
		{"it succeeded", notified, func(r *run.Record) { r.State = run.Succeeded }, "report"},
		{"it was cancelled", notified, func(r *run.Record) { r.State = run.Cancelled }, ""},
		{"another took its place", notified, func(r *run.Record) { r.State = run.Superseded }, ""},
		{"it is not final", notified, func(r *run.Record) { r.State = run.Retrying }, ""},
		{"its hook is gone", notified, func(r *run.Record) { r.Hook = "gone" }, ""},
		{"the named hook is gone", "- { id: scan, execute-command: x, on-failure: gone }", nil, ""},
		{"the hook names none", "- { id: scan, execute-command: x, on-success: scan }", nil, ""},
		{"the deepest", notified, func(r *run.Record) { r.Depth = 3 }, "notify"},
		{"too deep", notified, func(r *run.Record) { r.Depth = 4 }, ""},
		{
			"its rule is asked", strings.Replace(notified, "value: scan", "value: other", 1),
			func(r *run.Record) { r.State = run.Succeeded }, "",
		},
		{
			"its authentication is not", notified + `
- id: signed
  execute-command: x
  trigger-rule:
    and:
      - match: { type: payload-hmac-sha256, secret: s, parameter: { source: header, name: X-Hub-Signature-256 } }
      - match: { type: value, value: s, parameter: { source: url, name: token } }
      - match: { type: ip-whitelist, ip-range: 192.0.2.0/24 }
      - match: { type: value, value: failed, parameter: { source: payload, name: state } }
- { id: other, execute-command: x, on-failure: signed }
`, func(r *run.Record) { r.Hook = "other" }, "signed",
		},
		{"it has nothing to run for", "- { id: scan, execute-command: x, on-failure: each }\n- { id: each, execute-command: x, for-each: { source: payload, name: nothing } }", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ended(run.Failed)
			if tt.change != nil {
				tt.change(r)
			}
			s, ok := trigger.Follow(r, set(t, tt.hooks), time.Now())
			got := ""
			if ok {
				got = s.Parts[0].Hook
			}
			if got != tt.want || ok != (s.Delivery != nil) {
				t.Errorf("%q follows, want %q", got, tt.want)
			}
		})
	}
}

// The same end has the same ids, whenever it is asked about; another end has
// others. They are UUIDv7 of the time of the end.
func TestFollowIDs(t *testing.T) {
	hooks := set(t, strings.Replace(notified, "- id: notify\n", "- id: notify\n  for-each: { source: payload, name: element.tags }\n", 1))
	ids := func(change func(*run.Record)) []string {
		r := ended(run.Failed)
		r.Element = `{"tags": ["a", "b", "c"]}`
		change(r)
		s, ok := trigger.Follow(r, hooks, time.Now())
		if !ok {
			t.Fatal("nothing follows")
		}
		list := []string{s.Delivery.ID}
		for _, one := range s.Parts[0].Runs {
			list = append(list, one.ID)
		}
		return list
	}
	first := ids(func(*run.Record) {})
	if diff := cmp.Diff(first, ids(func(*run.Record) {})); diff != "" {
		t.Errorf("asked again:\n%s", diff)
	}
	seen := map[string]bool{}
	all := append(first, ids(func(r *run.Record) { r.Attempt, r.Attempts = 3, append(r.Attempts, run.Attempt{Number: 3}) })...)
	all = append(all, ids(func(r *run.Record) { r.ID = "019a0000-0000-7000-8000-000000000002" })...)
	for i, text := range all {
		id, err := uuid.Parse(text)
		if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 || seen[text] {
			t.Errorf("%q: %v", text, err)
		}
		seen[text] = true
		if i%4 > 0 && text <= all[i-1] {
			t.Errorf("%s is not after %s", text, all[i-1])
		}
		seconds, _ := id.Time().UnixTime()
		if at := ended(run.Failed).Ended.Unix(); seconds != at {
			t.Errorf("%s is of %d, want %d", text, seconds, at)
		}
	}
}

// A hook that follows gets the last 16 KiB of the output, never across what was
// left out, and never half a character.
func TestFollowOutput(t *testing.T) {
	const most = 16 << 10
	tests := []struct {
		name    string
		output  string
		head    int
		omitted int64
		want    string
		before  int64
	}{
		{"short", "abc", 3, 0, "abc", 0},
		{"long", strings.Repeat("x", 10) + strings.Repeat("y", most), most + 10, 0, strings.Repeat("y", most), 10},
		{"the middle was left out", "head\n" + "tail\n", 5, 100, "tail\n", 105},
		{"the middle was left out long before", "head\nxxx" + strings.Repeat("y", most), 5, 100, strings.Repeat("y", most), 108},
		{"within a character", "é" + strings.Repeat("y", most-1), most + 1, 0, strings.Repeat("y", most-1), 2},
		{"no text at all", strings.Repeat("\x80", most+9), most + 9, 0, "\uFFFD", 12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := ended(run.Failed)
			last := &r.Attempts[1].Outcome
			last.Output, last.Head, last.Omitted = []byte(tt.output), tt.head, tt.omitted
			s, ok := trigger.Follow(r, set(t, notified), time.Now())
			if !ok {
				t.Fatal("nothing follows")
			}
			var got struct {
				Output  string `json:"output"`
				Omitted int64  `json:"output_omitted"`
			}
			if err := json.Unmarshal(s.Delivery.Body, &got); err != nil || !utf8.Valid(s.Delivery.Body) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Output); diff != "" || got.Omitted != tt.before {
				t.Errorf("%d bytes left out, want %d; (-want +got):\n%s", got.Omitted, tt.before, diff)
			}
		})
	}
}

// A sender chooses how long an element is. It keeps nobody from being told.
func TestFollowLeavesOutALongElement(t *testing.T) {
	for length, want := range map[int]bool{16 << 10: true, 16<<10 + 1: false} {
		r := ended(run.Failed)
		r.Element = `"` + strings.Repeat("x", length-2) + `"`
		s, ok := trigger.Follow(r, set(t, notified), time.Now())
		if !ok {
			t.Fatal("nothing follows")
		}
		if got := strings.Contains(string(s.Delivery.Body), `"element":`); got != want {
			t.Errorf("of %d bytes: %v, want %v", length, got, want)
		}
	}
}

// Lost: what should have followed and does not is told; what need not is not.
func TestLost(t *testing.T) {
	const narrow = "- id: scan\n  execute-command: x\n  on-failure: tell\n- id: tell\n  execute-command: x\n  pass-arguments-to-command: [{source: payload, name: hook_id, pattern: '[0-9]+'}]\n"
	const ruled = "- id: scan\n  execute-command: x\n  on-failure: tell\n- id: tell\n  execute-command: x\n  trigger-rule: {match: {type: value, value: other, parameter: {source: payload, name: hook_id}}}\n"
	gone := set(t, notified)
	for name, tt := range map[string]struct {
		hooks func(string) *hook.Hook
		state run.State
		depth int
		want  string
	}{
		"it cannot take the record": {set(t, narrow), run.Failed, 0, "does not match its pattern"},
		"it is gone": {func(id string) *hook.Hook {
			if id == "scan" {
				return gone(id)
			}
			return nil
		}, run.Failed, 0, "is in no hook file any more"},
		"too deep":               {set(t, notified), run.Failed, trigger.MaxDepth, "at most"},
		"its rule does not hold": {set(t, ruled), run.Failed, 0, ""},
		"it follows":             {set(t, notified), run.Failed, 0, ""},
		"none is named":          {set(t, notified), run.Cancelled, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := ended(tt.state)
			r.Depth = tt.depth
			got := trigger.Lost(r, tt.hooks, time.Now())
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
