package hook_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// read reads a hook file that nothing is wrong with.
func read(t *testing.T, text string) []*hook.Hook {
	t.Helper()
	hooks, problems := hook.Read("hooks.yaml", []byte(text), hook.Options{})
	if problems.Errors() > 0 {
		t.Fatal(problems)
	}
	return hooks
}

func TestSetBehindAPath(t *testing.T) {
	set := hook.NewSet(read(t, `
- { id: quay, execute-command: x, path: registry/quay, auth: { path: {} }, secret: "s3cr3t" }
- { id: quay-2, execute-command: x, path: registry/quay, auth: { path: {} }, secret: "other" }
- { id: below, execute-command: x, path: registry/quay/scan, auth: { path: {} }, secret: "s3cr3t" }
- { id: beside, execute-command: x, path: registry/quay, auth: { bearer: {} }, secret: "s3cr3t" }
- { id: registry, execute-command: x }
`))
	for path, want := range map[string]struct {
		ids  []string
		rest string
	}{
		"registry/quay/a":            {[]string{"quay", "quay-2"}, "a"},
		"registry/quay/a/b":          {[]string{"quay", "quay-2"}, "a/b"},
		"registry/quay/scan":         {[]string{"quay", "quay-2"}, "scan"}, // the exact path is At's
		"registry/quay/scan/a":       {[]string{"below"}, "a"},
		"registry/quay/scan/a/scan/": {[]string{"below"}, "a/scan/"},
		"registry/quay/scans/a":      {[]string{"quay", "quay-2"}, "scans/a"},
		"registry/quay":              {},
		"registry/quay/":             {},
		"registry/quayx/a":           {},
		"registry/a":                 {},
		"":                           {},
		"/":                          {},
	} {
		hooks, rest := set.Behind(path)
		if got := ids(hooks); !slices.Equal(got, want.ids) || rest != want.rest {
			t.Errorf("behind %q: %v and %q, want %v and %q", path, got, rest, want.ids, want.rest)
		}
	}
	for path, want := range map[string]struct {
		ids  []string
		rest string
	}{
		"registry/quay":        {[]string{"quay", "quay-2", "beside"}, ""},
		"registry/quay/a":      {[]string{"quay", "quay-2"}, "a"},
		"registry/quay/scan":   {[]string{"below"}, ""}, // an exact path beats one with a secret behind it
		"registry/quay/scan/a": {[]string{"below"}, "a"},
		"registry/a":           {},
	} {
		hooks, rest := set.Find(path)
		if got := ids(hooks); !slices.Equal(got, want.ids) || rest != want.rest {
			t.Errorf("%q is for %v, and %q is behind, want %v and %q", path, got, rest, want.ids, want.rest)
		}
	}
	if got := ids(set.At("registry/quay")); !slices.Equal(got, []string{"quay", "quay-2", "beside"}) {
		t.Errorf("at registry/quay: %v", got)
	}
}

// To look behind a path costs what the hooks' paths are long, not the request's,
// and nothing where no hook has a secret there.
func TestSetBehindIsBounded(t *testing.T) {
	slashes := strings.Repeat("/", 1<<20)
	deep := "registry/quay/" + slashes
	set := hook.NewSet(read(t, `- { id: quay, execute-command: x, path: registry/quay, auth: { path: {} }, secret: "s3cr3t" }`))
	if hooks, rest := set.Behind(deep); len(hooks) != 1 || rest != slashes {
		t.Errorf("%d hooks, and %d bytes behind", len(hooks), len(rest))
	}
	plain := hook.NewSet(read(t, `- { id: quay, execute-command: x }`))
	for name, set := range map[string]*hook.Set{"a secret behind a path": set, "none": plain} {
		if n := testing.AllocsPerRun(10, func() { set.Behind(deep) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	began := time.Now()
	for range 1000 {
		set.Behind(deep)
	}
	if took := time.Since(began); took > time.Second { // a look at all of it takes milliseconds each
		t.Errorf("1000 looks take %v", took)
	}
}

func TestSetWantsCertificates(t *testing.T) {
	const certificate = `- { id: a, execute-command: x, auth: { client-certificate: { ca: { file: testdata/ca.pem } } } }`
	if !hook.NewSet(read(t, certificate)).WantsCertificates() {
		t.Error("a hook that asks for a certificate is not noticed")
	}
	if hook.NewSet(read(t, `- { id: a, execute-command: x, auth: none }`)).WantsCertificates() || hook.NewSet(nil).WantsCertificates() {
		t.Error("nobody asks for a certificate")
	}
}

// A hook's Gate is that of its file: the right secret passes, others do not.
func TestGate(t *testing.T) {
	h := read(t, `- { id: a, execute-command: x, auth: { header: { name: X-Token } }, secret: ["new", "old"] }`)[0]
	for token, want := range map[string]bool{"new": true, "old": true, "": false, "newer": false} {
		record := &run.Delivery{Header: http.Header{"X-Token": {token}}, RemoteAddr: "192.0.2.1:1"}
		if _, err := h.Gate.Verify(context.Background(), &sender.Request{Delivery: record}); (err == nil) != want {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// Where the event type and the id of a delivery stand: as the preset has it, but
// where the hook says otherwise.
func TestIdentity(t *testing.T) {
	for _, c := range []struct {
		what, keys              string
		sender, event, senderID string
	}{
		{"a preset", "sender: github, auth: none", "github", "push", "72d3162e"},
		{"a preset and the hook", "sender: github, auth: none, event-type: { source: payload, name: action }", "github", "opened", "72d3162e"},
		{"the hook's id", "sender: github, auth: none, delivery-id: { source: header, name: X-Id }", "github", "push", "7"},
		{"no preset", "event-type: { source: header, name: X-GitHub-Event }", "", "push", ""},
		{"missing", "event-type: { source: header, name: X-No }, delivery-id: { source: payload, name: nothing }", "", "", ""},
		{"computed", `event-type: { source: cel, name: 'payload.action + "-" + headers["X-Id"]' }`, "", "opened-7", ""},
		{"computed of text that says event", `event-type: { source: cel, name: '"an event " + payload.action' }`, "", "an event opened", ""},
		{"generic", "sender: generic, auth: none", "generic", "", ""},
		{"no sender is named", "auth: none", "", "", ""},
		{"webhook's keys alone", "", "", "", ""},
	} {
		h := read(t, "- { id: a, execute-command: x, "+c.keys+" }")[0]
		d := delivery.New(&run.Delivery{
			Header: http.Header{"Content-Type": {"application/json"}, "X-Github-Event": {"push"}, "X-Github-Delivery": {"72d3162e"}, "X-Id": {"7"}},
			Body:   []byte(`{"action": "opened"}`),
		}, h.Payload)
		got := [3]string{d.SenderName(), d.EventType(), d.SenderID()}
		if diff := cmp.Diff([3]string{c.sender, c.event, c.senderID}, got); diff != "" {
			t.Errorf("%s: sender, event, id (-want +got):\n%s", c.what, diff)
		}
		if c.keys == "" && h.Payload.Sender != nil {
			t.Error("a hook with webhook's keys alone has an identity, which costs")
		}
	}
}

// A pattern matches whole values, whatever is in it.
func TestPatternMatchesWholeValues(t *testing.T) {
	for pattern, values := range map[string]map[string]bool{
		`a|b`:       {"a": true, "b": true, "ax": false, "xb": false},
		`[a-z]+`:    {"abc": true, "abc\n": false, "a b": false, "": false},
		`^[a-z]+$`:  {"abc": true, "abc\n": false},
		`(?m)^a$`:   {"a": true, "a\nb": false},
		`(?i)x`:     {"X": true, "xX": false},
		`.*`:        {"": true, "a": true, "a\nb": false},
		`(?s).*`:    {"a\nb": true},
		`\Qa.b\E`:   {"a.b": true, "axb": false},
		`a # b`:     {"a # b": true},
		`\w{1,3}\z`: {"abc": true, "abcd": false},
	} {
		h := read(t, "- { id: a, execute-command: x, pass-arguments-to-command: [{ source: payload, name: v, pattern: '"+pattern+"' }] }")[0]
		if len(h.Bounds) != 1 || h.Bounds[0].Written != pattern {
			t.Fatalf("%s: bounds %v", pattern, h.Bounds)
		}
		for value, want := range values {
			if h.Bounds[0].Pattern.MatchString(value) != want {
				t.Errorf("%s matches %q: %v", pattern, value, !want)
			}
		}
	}
}

// A secret that is gone at a reload refuses the file, which keeps its hooks, and
// their secret goes on to count; the alarm is told once.
func TestSecretGoneAtAReload(t *testing.T) {
	directory := t.TempDir()
	file, key := filepath.Join(directory, "hooks.yaml"), filepath.Join(directory, "key")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(key, "s3cr3t\n")
	write(file, "- { id: a, execute-command: x, auth: { bearer: {} }, secret: { file: "+key+" } }")
	var alarms []string
	loader := hook.NewLoader([]string{file}, hook.Options{Alarm: func(text string) { alarms = append(alarms, text) }})
	first, report, err := loader.Load()
	if err != nil || len(report.Problems) > 0 {
		t.Fatal(err, report.Problems)
	}
	passes := func(set *hook.Set, token string) bool {
		record := &run.Delivery{Header: http.Header{"Authorization": {"Bearer " + token}}, RemoteAddr: "192.0.2.1:1"}
		_, err := set.ByID("a").Gate.Verify(context.Background(), &sender.Request{Delivery: record})
		return err == nil
	}
	if !passes(first, "s3cr3t") || passes(first, "other") {
		t.Fatal("the secret of the file does not count")
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	set, report, err := loader.Load()
	if err != nil || !report.Files[0].Kept || !strings.Contains(report.Problems.String(), "the secret is not set") {
		t.Fatalf("error %v, kept %v: %v", err, report.Files[0].Kept, report.Problems)
	}
	for range 3 {
		if !passes(set, "s3cr3t") || passes(set, "") {
			t.Error("the last good secret does not count")
		}
	}
	if len(alarms) != 1 || strings.Contains(alarms[0], "s3cr3t") {
		t.Errorf("the alarm was told %q", alarms)
	}
	write(key, "other\n")
	if set, _, err = loader.Load(); err != nil || !passes(set, "other") || passes(set, "s3cr3t") {
		t.Errorf("error %v; the new secret does not count alone", err)
	}
}

// Nothing that is told of a hook file shows a secret, wherever it stands.
func TestProblemsShowNoSecret(t *testing.T) {
	for _, entry := range []string{
		"sender: github, secret: 0x5EC2E7",
		"sender: github, secret: [0x5EC2E7, { file: x, env: y }]",
		"auth: 0x5EC2E7",
		"auth: { bearer: 0x5EC2E7 }",
		"auth: { path: 0x5EC2E7 }",
		"auth: { header: 0x5EC2E7 }",
		"auth: { query: 0x5EC2E7 }",
		"auth: { basic: 0x5EC2E7 }",
		"secret: 0x5EC2E7",
		"sender: github, auth: none, secret: 0x5EC2E7",
		"auth: { hmac: { header: X, signed: '{boddy}' } }, secret: 0x5EC2E7",
		"trigger-rule: { match: { type: value, value: x, secret: 0x5EC2E7 } }",
		"trigger-rule: { match: { type: payload-hmac-sha256, secret: 0x5EC2E7 } }",
		"pass-arguments-to-command: [{ source: string, name: x, secret: 0x5EC2E7 }]",
	} {
		_, problems := hook.Read("f", []byte("- { id: a, execute-command: x, "+entry+" }"), hook.Options{})
		if len(problems) == 0 {
			t.Errorf("nothing is told of %s", entry)
		}
		if text := problems.String(); strings.Contains(text, "5EC2E7") || strings.Contains(text, "6210279") {
			t.Errorf("a secret is told: %s", text)
		}
	}
}
