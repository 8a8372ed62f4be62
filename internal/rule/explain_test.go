package rule_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

// FuzzExplain explains random rules for random requests: what a trace says the
// rule comes to is what Decide does, also of stored deliveries, and of a
// credential nothing is in it.
func FuzzExplain(f *testing.F) {
	f.Add([]byte{4, 0, 0, 0}, `{"a":"1"}`, "sha1=00", true, false)
	f.Add([]byte{2, 4, 0, 1, 4}, `{"a":{"b":2}}`, "", false, true)
	f.Add([]byte{0, 2, 2, 4, 0, 0, 1, 4, 3, 3}, `[1]`, "x", false, false)
	f.Fuzz(func(t *testing.T, shape []byte, body, signature string, soft, replayed bool) {
		b := &builder{shape}
		asked := b.rule(0)
		r := request(body, "X-Signature", signature, "Token", "t0ken-of-mine")
		r.SoftSignatures, r.Replayed = soft, replayed
		ok, err := rule.Decide(asked, r)
		want := rule.Fails
		switch {
		case err != nil:
			want = rule.Errs
		case ok:
			want = rule.Holds
		}
		trace := rule.Explain(asked, r)
		if trace.Result != want {
			t.Fatalf("it is explained as %s, and decided as %s: %v\n%+v", trace.Result, want, err, trace)
		}
		if again, other := rule.Decide(asked, r); again != ok || (other == nil) != (err == nil) {
			t.Fatalf("to explain changes what is decided: %v %v, then %v %v", ok, err, again, other)
		}
		checkTrace(t, trace)
	})
}

// checkTrace tells what no trace may have.
func checkTrace(t *testing.T, trace rule.Trace) {
	for _, saw := range trace.Saw {
		if strings.Contains(saw.Value, "t0ken-of-mine") || len(saw.Value) > 300 {
			t.Fatalf("it shows %q of %s", saw.Value, saw.Ref)
		}
	}
	if trace.Result == rule.NotAsked && (len(trace.Saw) > 0 || len(trace.Hints) > 0) {
		t.Fatalf("it was not asked, and saw something: %+v", trace)
	}
	for _, part := range trace.Parts {
		checkTrace(t, part)
	}
}

func TestExplain(t *testing.T) {
	value := func(name, want string) rule.Rule {
		return match(t, rule.Definition{Type: rule.TypeValue, Parameter: payload(name), Value: want})
	}
	leaf := func(text string, result rule.Result, why string, saw ...rule.Seen) rule.Trace {
		return rule.Trace{Kind: "match", Text: text, Result: result, Why: why, Saw: saw}
	}
	ref := rule.Seen{Ref: payload("ref"), Value: "main"}
	tests := []struct {
		name     string
		rule     rule.Rule
		replayed bool
		want     rule.Trace
	}{
		{"a match", value("ref", "main"), false, leaf(`payload "ref" is "main"`, rule.Holds, "", ref)},
		{"what an and does not come to", rule.And{value("ref", "next"), value("ref", "main")}, false, rule.Trace{
			Kind: "and", Result: rule.Fails, Why: `payload "ref" is another value than "next"`, Parts: []rule.Trace{
				leaf(`payload "ref" is "next"`, rule.Fails, `payload "ref" is another value than "next"`, ref),
				leaf(`payload "ref" is "main"`, rule.NotAsked, ""),
			}}},
		{"what an or does not come to", rule.Or{value("ref", "main"), rule.And{value("x", "y")}}, false, rule.Trace{
			Kind: "or", Result: rule.Holds, Parts: []rule.Trace{
				leaf(`payload "ref" is "main"`, rule.Holds, "", ref),
				{Kind: "and", Result: rule.NotAsked, Parts: []rule.Trace{leaf(`payload "x" is "y"`, rule.NotAsked, "")}},
			}}},
		{"the not of what is missing", rule.Not{Rule: value("zz", "1")}, false, rule.Trace{
			Kind: "not", Result: rule.Holds, Parts: []rule.Trace{
				leaf(`payload "zz" is "1"`, rule.Fails, `payload "zz" is not in the request`, rule.Seen{Ref: payload("zz"), Missing: true}),
			}}},
		{"an address that is not asked again", match(t, rule.Definition{Type: rule.TypeIP, IPRange: "10.0.0.0/8"}), true,
			leaf("the caller's address is in 10.0.0.0/8", rule.Holds, "who calls is not asked again of a stored delivery",
				rule.Seen{Ref: delivery.Ref{Source: delivery.Request, Name: "remote-addr"}, Value: "192.0.2.9:1234"})},
		{"a token", match(t, rule.Definition{Type: rule.TypeValue, Parameter: header("X-Gitlab-Token"), Value: "s3cret"}), false,
			leaf(`header "X-Gitlab-Token" is the secret`, rule.Fails, `header "X-Gitlab-Token" is not the value asked for`,
				rule.Seen{Ref: header("X-Gitlab-Token"), Value: rule.Masked})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := request(`{"ref":"main"}`, "X-Gitlab-Token", "another")
			r.RemoteAddr, r.Replayed = "192.0.2.9:1234", test.replayed
			if diff := cmp.Diff(test.want, rule.Explain(test.rule, r)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestExplainCutsLongValues shows their beginning, and is quick with large bodies.
func TestExplainCutsLongValues(t *testing.T) {
	long := strings.Repeat("ä", 2<<20)
	r := request(`{"a":"` + long + `"}`)
	trace := rule.Explain(match(t, rule.Definition{Type: rule.TypeValue, Parameter: payload("a"), Value: "b"}), r)
	if got, want := trace.Saw[0].Value, strings.Repeat("ä", 100)+"… (4194304 bytes)"; got != want {
		t.Errorf("%.300q, want %q", got, want)
	}
	if len(trace.Hints) > 0 {
		t.Errorf("it looks for mistakes in a large body: %q", trace.Hints)
	}
}

// TestExplainWithheld says what was not kept.
func TestExplainWithheld(t *testing.T) {
	r := request(`{}`, "X-Signature-Auth", run.Withheld)
	r.Replayed = true
	trace := rule.Explain(match(t, rule.Definition{Type: rule.TypeValue, Parameter: header("X-Signature-Auth"), Value: "k", Secret: secret.New("s")}), r)
	if trace.Result != rule.Holds || trace.Saw[0].Value != run.Withheld {
		t.Errorf("%+v", trace)
	}
}
