package trigger_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// compares makes a trigger rule that compares a value.
func compares(source, name string) string {
	return "trigger-rule: { or: [{ not: { and: [{ match: { type: value, value: s, parameter: { source: " + source + ", name: " + name + " } } }] } }] }\n"
}

const w = run.Withheld

func TestWithhold(t *testing.T) {
	tests := []struct {
		name, hook string
		header     map[string]string // one value each
		query      string

		stored      map[string]string // the headers that differ
		storedQuery string
		kept        map[string]string
		keptQuery   string
	}{
		{name: "nothing to withhold", header: map[string]string{"X-Event": "push", "User-Agent": "x"}, query: "a=1&b", storedQuery: "a=1&b"},
		{
			name:   "what lets its bearer in",
			header: map[string]string{"Authorization": "Bearer s", "Proxy-Authorization": "s", "Cookie": "a=s", "X-Gitlab-Token": "s", "X-Api-Key": "s", "X-Webhook-Secret": "s", "X-Event": "push"},
			stored: map[string]string{"Authorization": w, "Proxy-Authorization": w, "Cookie": w, "X-Gitlab-Token": w, "X-Api-Key": w, "X-Webhook-Secret": w},
		},
		{
			name:   "signatures, ids and the names of events are stored",
			header: map[string]string{"X-Hub-Signature-256": "sha256=00", "X-Event-Key": "repo:push", "Idempotency-Key": "7", "Webhook-Signature": "v1,x", "X-Github-Delivery": "8"},
			query:  "signature=00", storedQuery: "signature=00",
		},
		{
			name: "a key that a rule compares", hook: compares("header", "x-key") + "",
			header: map[string]string{"X-Key": "s", "X-Other-Key": "7"}, stored: map[string]string{"X-Key": w},
		},
		{name: "an event that a rule compares", hook: compares("header", "X-Event"), header: map[string]string{"X-Event": "push"}},
		{name: "an event's key that a rule compares", hook: compares("header", "X-Event-Key"), header: map[string]string{"X-Event-Key": "push"}},
		{
			name:  "in a query, the rest of which stays as it is",
			query: "a=%41&token=s&b=2&access_token=t;password=%25&%74oken=u&empty&token=&Secret=v", storedQuery: "a=%41&token=%5Bwithheld%5D&b=2&access_token=%5Bwithheld%5D;password=%5Bwithheld%5D&%74oken=%5Bwithheld%5D&empty&token=&Secret=%5Bwithheld%5D",
		},
		{name: "a key in a query", query: "key=acme", storedQuery: "key=acme"},
		{name: "a key in a query that a rule compares", hook: compares("url", "key"), query: "key=s", storedQuery: "key=%5Bwithheld%5D"},
		{
			name:   "passed on as an argument",
			hook:   "pass-arguments-to-command: [{ source: header, name: x-gitlab-token }, { source: url, name: token }]",
			header: map[string]string{"X-Gitlab-Token": "s", "Authorization": "a"}, query: "token=s&secret=t",
			stored: map[string]string{"X-Gitlab-Token": w, "Authorization": w}, storedQuery: "token=%5Bwithheld%5D&secret=%5Bwithheld%5D",
			kept: map[string]string{"X-Gitlab-Token": "s"}, keptQuery: "token=s&secret=%5Bwithheld%5D",
		},
		{
			name: "passed on as a variable", hook: "pass-environment-to-command: [{ source: header, name: Authorization.x }]",
			header: map[string]string{"Authorization": "a"}, stored: map[string]string{"Authorization": w}, kept: map[string]string{"Authorization": "a"},
		},
		{
			name: "passed on as a file", hook: "pass-file-to-command: [{ source: entire-headers, envname: H }]",
			header: map[string]string{"Cookie": "a", "X-Event": "push"}, stored: map[string]string{"Cookie": w}, kept: map[string]string{"Cookie": "a"},
			query: "token=s", storedQuery: "token=%5Bwithheld%5D",
		},
		{
			name: "passed on by standard input", hook: "process: { stdin: { source: entire-query } }",
			header: map[string]string{"Cookie": "a"}, stored: map[string]string{"Cookie": w},
			query: "token=s", storedQuery: "token=%5Bwithheld%5D", keptQuery: "token=s",
		},
		{
			name: "withheld already, and empty", header: map[string]string{"Cookie": w, "Authorization": ""},
			query: "token=%5Bwithheld%5D", storedQuery: "token=%5Bwithheld%5D",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &run.Delivery{ID: "d", RawQuery: tt.query, Header: headers(tt.header), Body: []byte("s")}
			before := *d
			before.Header = d.Header.Clone()
			hooks := []*hook.Hook{one(t, tt.hook), one(t, "")}

			got := trigger.Withhold(d, hooks, "")

			if diff := cmp.Diff(&before, d); diff != "" {
				t.Errorf("the delivery itself changed:\n%s", diff)
			}
			want := before
			want.Header = before.Header.Clone()
			for name, value := range tt.stored {
				want.Header[name] = []string{value}
			}
			want.RawQuery = tt.storedQuery
			if tt.kept != nil || tt.keptQuery != "" {
				want.Credentials = &run.Credentials{Header: headers(tt.kept), RawQuery: tt.keptQuery}
				if tt.kept == nil {
					want.Credentials.Header = nil
				}
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if same := len(tt.stored) == 0 && tt.query == tt.storedQuery; same != (got == d) {
				t.Errorf("given back as it is: %v, want %v", got == d, same)
			}
			if query, err := url.ParseQuery(got.RawQuery); err == nil && query.Has("token") && tt.query != "" {
				for _, value := range query["token"] {
					if value != w && value != "" {
						t.Errorf("the token reads %q", value)
					}
				}
			}
		})
	}
}

func headers(values map[string]string) http.Header {
	header := http.Header{}
	for name, value := range values {
		header[name] = []string{value}
	}
	return header
}

// What a script is given of a stored delivery is what came.
func TestWhatWasWithheldReachesTheScript(t *testing.T) {
	h := one(t, "pass-environment-to-command: [{ source: entire-headers, envname: A }, { source: query, name: token, envname: B }]")
	d := &run.Delivery{Header: headers(map[string]string{"Cookie": "c", "Authorization": "a", "X": "1"}), RawQuery: "a=b&token=s"}
	whole := trigger.Withhold(d, []*hook.Hook{h}, "").Whole()
	if diff := cmp.Diff(d, whole); diff != "" {
		t.Errorf("(-came +given):\n%s", diff)
	}
}

// A delivery without credentials costs nothing.
func TestWithholdAllocatesNothing(t *testing.T) {
	hooks := []*hook.Hook{one(t, compares("header", "X-Event"))}
	d := post(pushed, "X-Event", "push", "X-Hub-Signature-256", "sha256=00", "X-Event-Key", "k", "X-Key", "7", "User-Agent", "x")
	d.RawQuery = "a=1&key=2&b"
	if n := testing.AllocsPerRun(100, func() { trigger.Withhold(d, hooks, "") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkWithhold(b *testing.B) {
	hooks := []*hook.Hook{one(b, "")}
	d := post(pushed, "X-Event", "push", "X-Hub-Signature-256", "sha256=00", "User-Agent", "x", "Accept", "*/*",
		"Accept-Encoding", "gzip", "Content-Length", "300", "X-Request-Id", "7", "X-Forwarded-For", "192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		trigger.Withhold(d, hooks, "")
	}
}

// FuzzWithhold: whatever a query looks like, no value that a script can read of
// it as a token is stored, and the script is given what came.
func FuzzWithhold(f *testing.F) {
	f.Add("a=1&token=s&b=2")
	f.Add("token=s;token=t")
	f.Add("%74oken=s&to+ken=x&token")
	f.Add("&&=&token==x&%zz=1&token=%zz")
	h := one(f, "pass-arguments-to-command: [{ source: query, name: token }]")
	f.Fuzz(func(t *testing.T, query string) {
		d := &run.Delivery{RawQuery: query, Header: http.Header{}}
		stored := trigger.Withhold(d, []*hook.Hook{h}, "")
		values, _ := url.ParseQuery(stored.RawQuery)
		for _, value := range values["token"] {
			if value != w && value != "" {
				t.Errorf("%q is stored as %q", query, stored.RawQuery)
			}
		}
		came, _ := url.ParseQuery(query)
		given, _ := url.ParseQuery(stored.Whole().RawQuery)
		if diff := cmp.Diff(came["token"], given["token"]); diff != "" {
			t.Errorf("%q (-came +given):\n%s", query, diff)
		}
		if strings.Count(stored.RawQuery, "&") != strings.Count(query, "&") {
			t.Errorf("%q became %q", query, stored.RawQuery)
		}
	})
}
