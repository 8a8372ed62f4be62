package rule_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

// result is what Evaluate said, in a word.
type result string

const (
	yes     result = "yes"
	no      result = "no"
	missing result = "no, a value is missing"
	yesMiss result = "yes, a value is missing"
	wrong   result = "no, a signature is wrong"
	yesBad  result = "yes, a signature is wrong"
	broken  result = "no, it cannot be decided"
	yesBrok result = "yes, it cannot be decided"
)

func evaluate(r rule.Rule, request *rule.Request) result {
	ok, err := r.Evaluate(request)
	var signature *rule.SignatureError
	word := "no"
	if ok {
		word = "yes"
	}
	switch {
	case err == nil:
		return result(word)
	case delivery.IsMissing(err):
		return result(word + ", a value is missing")
	case errors.As(err, &signature):
		return result(word + ", a signature is wrong")
	}
	return result(word + ", it cannot be decided")
}

// request makes a delivery with a JSON body and header lines.
func request(body string, headers ...string) *rule.Request {
	header := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	record := &run.Delivery{Method: "POST", Header: header, RawQuery: "token=t&empty=", Body: []byte(body), RemoteAddr: "192.0.2.1:1234"}
	return &rule.Request{Delivery: delivery.New(record, delivery.Options{})}
}

func soft(r *rule.Request) *rule.Request {
	r.SoftSignatures = true
	return r
}

// match compiles a definition without a problem.
func match(t testing.TB, d rule.Definition) rule.Rule {
	t.Helper()
	r, problems := rule.Match(d)
	if len(problems) > 0 {
		t.Fatalf("%+v: %v", d, problems)
	}
	return r
}

// anyway compiles a definition whatever is wrong with it.
func anyway(d rule.Definition) rule.Rule {
	r, _ := rule.Match(d)
	return r
}

func payload(name string) delivery.Ref { return delivery.Ref{Source: delivery.Payload, Name: name} }
func header(name string) delivery.Ref  { return delivery.Ref{Source: delivery.Header, Name: name} }

func TestLogic(t *testing.T) {
	T := match(t, rule.Definition{Type: rule.TypeValue, Value: "1", Parameter: payload("one")})
	F := match(t, rule.Definition{Type: rule.TypeValue, Value: "2", Parameter: payload("one")})
	M := match(t, rule.Definition{Type: rule.TypeValue, Value: "1", Parameter: payload("absent")})
	S := match(t, rule.Definition{Type: "payload-hmac-sha256", Secret: secret.New("s"), Parameter: header("X-Signature")})
	B := anyway(rule.Definition{Type: rule.TypeRegex, Regex: "(", Parameter: payload("one")})
	not := func(r rule.Rule) rule.Rule { return rule.Not{Rule: r} }
	for _, c := range []struct {
		name string
		rule rule.Rule
		hard result // as it is
		soft result // with trigger-signature-soft-failures
	}{
		{"true", T, yes, yes},
		{"false", F, no, no},
		{"missing", M, missing, missing},
		{"wrong", S, wrong, wrong},
		{"broken", B, broken, broken},
		{"never", rule.Never{}, no, no},

		{"and of nothing holds", rule.And{}, yes, yes},
		{"and(true true)", rule.And{T, T}, yes, yes},
		{"and(true false)", rule.And{T, F}, no, no},
		{"and(true missing)", rule.And{T, M}, missing, missing},
		{"and ends at the first that fails", rule.And{F, B}, no, no},
		{"and ends at an error", rule.And{B, F}, broken, broken},
		{"and(not(missing)): an error ends it, though it says true", rule.And{not(M), T}, missing, missing},
		{"and(wrong)", rule.And{T, S}, wrong, wrong},

		{"or of nothing does not hold", rule.Or{}, no, no},
		{"or(false true)", rule.Or{F, T}, yes, yes},
		{"or(false false)", rule.Or{F, F}, no, no},
		{"or passes over a missing value", rule.Or{M, T}, yes, yes},
		{"or of missing values alone", rule.Or{M, M}, no, no},
		{"or ends at the first that holds", rule.Or{T, B}, yes, yes},
		{"or ends at an error", rule.Or{B, T}, broken, broken},
		{"or passes over a wrong signature if it is soft", rule.Or{S, T}, wrong, yes},
		{"or of a wrong signature alone", rule.Or{S}, wrong, wrong},
		{"or(not(missing)) holds", rule.Or{not(M)}, yes, yes},
		{"or(not(wrong)) never holds", rule.Or{not(S)}, wrong, wrong},
		{"or(not(broken))", rule.Or{not(B)}, broken, broken},

		{"not(true)", not(T), no, no},
		{"not(false)", not(F), yes, yes},
		{"not(missing) holds, as in webhook", not(M), yesMiss, yesMiss},
		{"not(wrong) is still an error", not(S), yesBad, yesBad},
		{"not(broken) is still an error", not(B), yesBrok, yesBrok},
		{"not(never)", not(rule.Never{}), yes, yes},
		{"not(not(true))", not(not(T)), yes, yes},
		{"not(or(missing))", not(rule.Or{M}), yes, yes},
		{"not(and(missing)) holds with an error", not(rule.And{M}), yesMiss, yesMiss},

		{"and(or(wrong true) true)", rule.And{rule.Or{S, T}, T}, wrong, yes},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := evaluate(c.rule, request(`{"one":1}`, "X-Signature", "sha256=00")); got != c.hard {
				t.Errorf("%s, want %s", got, c.hard)
			}
			if got := evaluate(c.rule, soft(request(`{"one":1}`, "X-Signature", "sha256=00"))); got != c.soft {
				t.Errorf("soft signatures: %s, want %s", got, c.soft)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	T := match(t, rule.Definition{Type: rule.TypeValue, Value: "1", Parameter: payload("one")})
	M := match(t, rule.Definition{Type: rule.TypeValue, Value: "1", Parameter: payload("absent")})
	S := match(t, rule.Definition{Type: "payload-hmac-sha256", Secret: secret.New("s"), Parameter: header("X-Signature")})
	not := func(r rule.Rule) rule.Rule { return rule.Not{Rule: r} }
	for _, c := range []struct {
		name      string
		rule      rule.Rule
		triggers  bool // with soft signatures
		undecided bool
	}{
		{"true", T, true, false},
		{"a missing value", M, false, false},
		{"the not of a missing value, as in webhook", not(M), true, false},
		{"a wrong signature alone is not soft", S, false, true},
		{"nor is its not", not(S), false, true},
		{"a wrong signature in an or", rule.Or{S}, false, false},
		{"and something true beside it", rule.Or{S, T}, true, false},
		{"the not of a wrong signature in an or", rule.Or{not(S)}, false, false},
		{"a not around the or", not(rule.Or{S}), false, false},
		{"two nots around it", not(not(rule.Or{S})), false, false},
		{"an and around it", rule.And{T, rule.Or{S}}, false, false},
		{"a not around that", not(rule.And{T, rule.Or{S}}), false, false},
		{"an or around the not", rule.Or{not(rule.Or{S}), M}, false, false},
		{"an or with something true around it", rule.Or{rule.And{rule.Or{S}}, T}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			triggers, err := rule.Decide(c.rule, soft(request(`{"one":1}`, "X-Signature", "sha256=00")))
			if triggers != c.triggers || (err != nil) != c.undecided {
				t.Errorf("triggers %t, error %v", triggers, err)
			}
		})
	}
}

func TestValueAndRegex(t *testing.T) {
	const body = `{"text":"main","number":1.50,"yes":true,"null":null,"list":[1,{"a":"b"}],"empty":""}`
	for _, c := range []struct {
		name string
		d    rule.Definition
		want result
	}{
		{"the same text", rule.Definition{Type: "value", Value: "main", Parameter: payload("text")}, yes},
		{"a part of it", rule.Definition{Type: "value", Value: "mai", Parameter: payload("text")}, no},
		{"another case", rule.Definition{Type: "value", Value: "Main", Parameter: payload("text")}, no},
		{"a number as written", rule.Definition{Type: "value", Value: "1.50", Parameter: payload("number")}, yes},
		{"a number otherwise", rule.Definition{Type: "value", Value: "1.5", Parameter: payload("number")}, no},
		{"a boolean", rule.Definition{Type: "value", Value: "true", Parameter: payload("yes")}, yes},
		{"null", rule.Definition{Type: "value", Value: "<nil>", Parameter: payload("null")}, yes},
		{"in a list", rule.Definition{Type: "value", Value: "b", Parameter: payload("list.1.a")}, yes},
		{"an empty value is there", rule.Definition{Type: "value", Parameter: payload("empty")}, yes},
		{"an empty value that is not there", rule.Definition{Type: "value", Parameter: payload("absent")}, missing},
		{"header", rule.Definition{Type: "value", Value: "push", Parameter: header("x-event")}, yes},
		{"no header", rule.Definition{Type: "value", Value: "push", Parameter: header("x-other")}, missing},
		{"query", rule.Definition{Type: "value", Value: "t", Parameter: delivery.Ref{Source: "url", Name: "token"}}, yes},
		{"request", rule.Definition{Type: "value", Value: "POST", Parameter: delivery.Ref{Source: "request", Name: "method"}}, yes},
		{"an unknown name of request", rule.Definition{Type: "value", Parameter: delivery.Ref{Source: "request", Name: "host"}}, broken},

		{"anywhere", rule.Definition{Type: "regex", Regex: "ai", Parameter: payload("text")}, yes},
		{"anchored", rule.Definition{Type: "regex", Regex: "^ai", Parameter: payload("text")}, no},
		{"whole", rule.Definition{Type: "regex", Regex: "^main$", Parameter: payload("text")}, yes},
		{"of a missing value", rule.Definition{Type: "regex", Regex: "x", Parameter: payload("absent")}, missing},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := evaluate(match(t, c.d), request(body, "X-Event", "push")); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What cannot be compiled is told, and the rule answers as webhook's would.
func TestMatchProblems(t *testing.T) {
	one := payload("one")
	for _, c := range []struct {
		name     string
		d        rule.Definition
		problems []string
		want     result
	}{
		{"no type", rule.Definition{Parameter: one}, []string{`type: unknown type of match rule ""`}, no},
		{"an unknown type, its value missing", rule.Definition{Type: "vlaue", Parameter: payload("absent")}, []string{`type: unknown type of match rule "vlaue"`}, missing},
		{"an unknown hash", rule.Definition{Type: "payload-hmac-md5", Parameter: one}, []string{`type: unknown type of match rule "payload-hmac-md5"`}, no},
		{"an unknown source", rule.Definition{Type: "value", Parameter: delivery.Ref{Source: "body"}}, []string{`parameter: unknown source "body"`}, broken},
		{"a bad regex", rule.Definition{Type: "regex", Regex: "(", Parameter: one}, []string{"regex: error parsing regexp: missing closing ): `(`"}, broken},
		{"a bad regex, its value missing", rule.Definition{Type: "regex", Regex: "(", Parameter: payload("absent")}, []string{"regex: error parsing regexp: missing closing ): `(`"}, missing},
		{"an empty regex", rule.Definition{Type: "regex", Parameter: one}, []string{"regex: an empty expression matches any value"}, yes},
		{"no secret", rule.Definition{Type: "payload-hmac-sha1", Parameter: one}, []string{"secret: the signature's secret is empty: nothing can be verified with it"}, broken},
		{"no secret for Scalr, nothing signed", rule.Definition{Type: "scalr-signature"}, []string{"secret: the signature's secret is empty: nothing can be verified with it"}, no},
		{"no range", rule.Definition{Type: "ip-whitelist"}, []string{"ip-range: it is empty and admits nobody"}, no},
		{
			"two bad ranges", rule.Definition{Type: "ip-whitelist", IPRange: "x 10.0.0.0/33"},
			[]string{
				`ip-range: "x" is no address and no CIDR range (as in 192.0.2.0/24)`,
				`ip-range: "10.0.0.0/33" is no address and no CIDR range (as in 192.0.2.0/24)`,
			}, broken,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, problems := rule.Match(c.d)
			var got []string
			for _, p := range problems {
				got = append(got, p.Key+": "+p.Err.Error())
			}
			if diff := compare(c.problems, got); diff != "" {
				t.Error(diff)
			}
			if got := evaluate(r, request(`{"one":1}`)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestUsesKnowsEveryType(t *testing.T) {
	for _, name := range rule.Types() {
		if rule.Uses(name) == nil {
			t.Errorf("Uses(%q) is nil", name)
		}
		if _, problems := rule.Match(rule.Definition{Type: name, Secret: secret.New("s"), Regex: "x", IPRange: "::1", Parameter: payload("x")}); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if rule.Uses("payload-hmac-") != nil || rule.Uses("") != nil {
		t.Error("a type that does not exist uses something")
	}
}

func TestGuards(t *testing.T) {
	value := func(source delivery.Source, name string) rule.Rule {
		return anyway(rule.Definition{Type: "value", Value: "x", Parameter: delivery.Ref{Source: source, Name: name}})
	}
	for _, c := range []struct {
		name string
		rule rule.Rule
		want []string
	}{
		{"no rule", nil, nil},
		{"payload values, which the caller writes", rule.And{value("payload", "a"), value("entire-payload", ""), value("request", "method")}, nil},
		{"never", rule.Never{}, []string{"nobody may"}},
		{"headers that everybody knows", rule.And{value("header", "x-github-event"), value("header", "Content-Type")}, nil},
		{"an or that is open through one branch", rule.And{rule.Or{value("header", "X-Token"), value("payload", "a")}}, nil},
		{"of its branches each has a guard", rule.Or{value("header", "X-Token"), rule.And{value("url", "token"), value("payload", "a")}, anyway(rule.Definition{Type: "typo"})}, []string{"header X-Token", "url token"}},
		{"an or without branches", rule.Or{}, []string{"nobody may"}},
		{"a token in the payload", value("payload", "a.token"), []string{"payload a.token"}},
		{
			"all kinds", rule.And{
				rule.Or{value("header", "X-Token"), value("url", "token"), value("query", "key")},
				rule.Not{Rule: anyway(rule.Definition{Type: "regex", Regex: "x", Parameter: header("X-Other")})},
				anyway(rule.Definition{Type: "regex", Regex: "^10[.]", Parameter: delivery.Ref{Source: "request", Name: "Remote-Addr"}}),
				anyway(rule.Definition{Type: "ip-whitelist", IPRange: "10.0.0.0/8"}),
				anyway(rule.Definition{Type: "payload-hash-sha512"}),
				anyway(rule.Definition{Type: "scalr-signature"}),
				anyway(rule.Definition{Type: "typo"}),
			},
			[]string{"header X-Token", "url token", "query key", "header X-Other", "caller's address", "address 10.0.0.0/8", "sha512 signature", "Scalr signature"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, guard := range rule.Guards(c.rule) {
				got = append(got, string(guard))
			}
			if diff := compare(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Vouches asks what a rule asks about callers, and nothing else of it.
func TestVouches(t *testing.T) {
	token := func(want string) rule.Rule {
		return match(t, rule.Definition{Type: rule.TypeValue, Parameter: header("X-Token"), Value: want})
	}
	branch := func(want string) rule.Rule {
		return match(t, rule.Definition{Type: rule.TypeValue, Parameter: payload("ref"), Value: want})
	}
	signed := func(secretText string) rule.Rule {
		return match(t, rule.Definition{Type: "payload-hmac-sha1", Parameter: header("X-Signature"), Secret: secret.New(secretText)})
	}
	for _, c := range []struct {
		name string
		rule rule.Rule
		want bool
	}{
		{"no rule", nil, true},
		{"payload values alone", branch("dev"), true},
		{"the token is right", token("right"), true},
		{"the token is wrong", token("wrong"), false},
		{"it is right, and the branch is another", rule.And{branch("dev"), token("right")}, true},
		{"it is wrong, and the branch is another", rule.And{branch("dev"), token("wrong")}, false},
		{"the signature is wrong", rule.And{branch("main"), signed("k")}, false},
		{"one of two", rule.Or{token("wrong"), token("right")}, true},
		{"none of two", rule.Or{token("wrong"), signed("k")}, false},
		{"nobody is asked in one branch", rule.Or{token("wrong"), branch("dev")}, true},
		{"not the wrong token", rule.Not{Rule: token("wrong")}, true},
		{"not the right one", rule.Not{Rule: token("right")}, false},
		{"never", rule.Never{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(`{"ref":"main"}`, "X-Token", "right", "X-Signature", "sha1=00")
			if got := rule.Vouches(c.rule, r); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}
