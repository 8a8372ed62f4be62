package rule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/secret"
)

// builder makes rules from bytes: each byte decides the next thing, and no bytes
// are zeros.
type builder struct{ bytes []byte }

func (b *builder) next(n int) int {
	if len(b.bytes) == 0 {
		return 0
	}
	first := b.bytes[0]
	b.bytes = b.bytes[1:]
	return int(first) % n
}

func pick[T any](b *builder, list []T) T { return list[b.next(len(list))] }

func (b *builder) ref() delivery.Ref {
	return delivery.Ref{
		Source: pick(b, []delivery.Source{"payload", "header", "url", "query", "request", "raw-request-body", "entire-payload", "entire-headers", "entire-query", "string", "typo"}),
		Name:   pick(b, []string{"a", "a.b", "list.0", "X-Signature", "token", "method", "remote-addr", "", "a.#", "list.#(b>1)#"}),
	}
}

func (b *builder) match() rule.Rule {
	return anyway(rule.Definition{
		Type:      pick(b, append(rule.Types(), "typo")),
		Parameter: b.ref(),
		Value:     pick(b, []string{"", "1", "main", "POST"}),
		Regex:     pick(b, []string{"", "^1$", "(", "a|b", "[^x]*x?"}),
		Secret:    secret.New(pick(b, []string{"key", ""})),
		IPRange:   pick(b, []string{"", "192.0.2.0/24", "::/0 0.0.0.0/0", "x", "10.0.0.0/8 fe80::1%a"}),
	})
}

func (b *builder) rule(depth int) rule.Rule {
	kind := b.next(6)
	if depth > 5 && kind < 3 {
		kind = 3
	}
	switch kind {
	case 0, 1:
		rules := make([]rule.Rule, b.next(4))
		for i := range rules {
			rules[i] = b.rule(depth + 1)
		}
		if kind == 0 {
			return rule.And(rules)
		}
		return rule.Or(rules)
	case 2:
		return rule.Not{Rule: b.rule(depth + 1)}
	case 3:
		return rule.Never{}
	}
	return b.match()
}

// FuzzRule evaluates random rules for random requests. Nothing panics; two
// evaluations agree; the laws hold that hold with errors too; and a rule that
// asks for a signature is true for the right one alone.
func FuzzRule(f *testing.F) {
	for _, body := range []string{"", "{}", `{"a":1,"list":[{"b":2}]}`, `{"a":{"b":"main"}}`, "a=1&token=t", "[1,2", "\x00\xff"} {
		f.Add([]byte{0, 2, 4, 0, 0, 1, 4, 1, 4, 5}, body, "application/json", "sha256="+mac("sha256", "key", body), "192.0.2.1:80")
		f.Add([]byte{1, 3, 4, 5, 1, 3, 0, 0, 0, 2, 4, 2, 7, 7, 0, 1, 0, 1}, body, "application/x-www-form-urlencoded", mac("sha1", "key", body), "[::1%lo]:80")
		f.Add([]byte{2, 2, 1, 2, 4, 10, 10, 10, 3}, body, "text/xml", "sha1=00,sha512=", "@")
	}
	f.Fuzz(func(t *testing.T, shape []byte, body, contentType, signature, caller string) {
		if len(body) > 4<<10 || len(shape) > 1<<10 {
			t.Skip("larger ones are slower, not other")
		}
		for _, softly := range []bool{false, true} {
			ask := func(r rule.Rule) (bool, error) {
				q := request(body, "Content-Type", contentType, "X-Signature", signature)
				q.RemoteAddr, q.SoftSignatures = caller, softly
				return r.Evaluate(q)
			}
			b := &builder{shape}
			r, s := b.rule(0), b.rule(0)
			rule.Guards(r)
			checkLaws(t, r, ask)
			checkDeMorgan(t, r, s, ask)
		}
		checkSignatures(t, body, signature)
	})
}

// checkLaws checks what follows from a rule's answer for those made of it.
func checkLaws(t *testing.T, r rule.Rule, ask func(rule.Rule) (bool, error)) {
	t.Helper()
	ok, err := ask(r)
	passes := ok && err == nil
	for _, law := range []struct {
		name string
		rule rule.Rule
		want bool
		when bool
	}{
		{"the same again", r, ok, true},
		{"not turns the answer round", rule.Not{Rule: r}, !ok, true},
		{"not not is the same", rule.Not{Rule: rule.Not{Rule: r}}, ok, true},
		{"and of one holds without an error alone", rule.And{r}, passes, true},
		{"and with never", rule.And{r, rule.Never{}}, false, true},
		{"and of nothing, and it", rule.And{rule.And{}, r}, passes, true},
		{"and twice", rule.And{r, r}, passes, true},
		{"or of one", rule.Or{r}, ok && (err == nil || delivery.IsMissing(err)), true},
		{"or with never first", rule.Or{rule.Never{}, r}, ok && (err == nil || delivery.IsMissing(err)), true},
		{"or with what holds first", rule.Or{rule.And{}, r}, true, true},
		{"or with what holds last", rule.Or{r, rule.And{}}, true, err == nil || delivery.IsMissing(err)},
	} {
		if !law.when {
			continue
		}
		got, lawErr := ask(law.rule)
		if got != law.want {
			t.Errorf("%s: %v (%v), want %v; the rule says %v (%v)", law.name, got, lawErr, law.want, ok, err)
		}
		if _, isOr := law.rule.(rule.Or); !isOr && law.name != "and with never" && fmt.Sprint(lawErr) != fmt.Sprint(err) {
			t.Errorf("%s: error %v, want %v", law.name, lawErr, err)
		}
	}
}

// checkDeMorgan checks that and, or and not belong together where nothing is an
// error.
func checkDeMorgan(t *testing.T, r, s rule.Rule, ask func(rule.Rule) (bool, error)) {
	t.Helper()
	first, err1 := ask(r)
	second, err2 := ask(s)
	if err1 != nil || err2 != nil {
		return
	}
	for _, law := range []struct {
		rule rule.Rule
		want bool
	}{
		{rule.And{r, s}, first && second},
		{rule.Or{r, s}, first || second},
		{rule.Not{Rule: rule.And{r, s}}, !first || !second},
		{rule.Or{rule.Not{Rule: r}, rule.Not{Rule: s}}, !first || !second},
		{rule.And{rule.Not{Rule: r}, rule.Not{Rule: s}}, !first && !second},
	} {
		if got, err := ask(law.rule); got != law.want || err != nil {
			t.Errorf("%#v: %v, %v; want %v", law.rule, got, err, law.want)
		}
	}
}

// checkSignatures checks that a signature rule is true when the HMAC was sent, in
// one of its forms, and else never.
func checkSignatures(t *testing.T, body, sent string) {
	t.Helper()
	for algorithm := range hashes {
		right := mac(algorithm, "key", body)
		r := anyway(rule.Definition{Type: "payload-hmac-" + algorithm, Secret: secret.New("key"), Parameter: delivery.Ref{Source: delivery.String, Name: sent}})
		ok, err := r.Evaluate(request(body))
		if ok != (err == nil) {
			t.Errorf("%s: %v with error %v", algorithm, ok, err)
		}
		if ok && !strings.Contains(sent, right) {
			t.Errorf("%s: %q was taken for %s", algorithm, sent, right)
		}
		r = anyway(rule.Definition{Type: "payload-hmac-" + algorithm, Secret: secret.New("key"), Parameter: delivery.Ref{Source: delivery.String, Name: sent + "," + algorithm + "=" + right}})
		if ok, err := r.Evaluate(request(body)); !ok {
			t.Errorf("%s: the right signature behind %q: %v", algorithm, sent, err)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	const body = `{"ref":"refs/heads/main","repository":{"name":"pawl","owner":"acme"}}`
	long := "eyJhbGciOiJIUzI1NiJ9.a-token-that-is-longer-than-what-fits-on-the-stack-of-a-comparison"
	value := func(source delivery.Source, name, want string) rule.Rule {
		return match(b, rule.Definition{Type: "value", Value: want, Parameter: delivery.Ref{Source: source, Name: name}})
	}
	rules := map[string]rule.Rule{
		"payload value": value("payload", "repository.name", "pawl"),
		"long header":   value("header", "X-Token", long),
		"and of three":  rule.And{value("payload", "ref", "refs/heads/main"), value("payload", "repository.owner", "acme"), value("request", "method", "POST")},
		"address":       match(b, rule.Definition{Type: "ip-whitelist", IPRange: "10.0.0.0/8 192.0.2.0/24"}),
		"signature":     match(b, rule.Definition{Type: "payload-hmac-sha256", Secret: secret.New("key"), Parameter: header("X-Sig")}),
	}
	for name, r := range rules {
		b.Run(name, func(b *testing.B) {
			q := request(body, "X-Token", long, "X-Sig", "sha256="+mac("sha256", "key", body))
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := r.Evaluate(q); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// A value rule allocates nothing, once the delivery is parsed.
func TestValueRulesAllocateNothing(t *testing.T) {
	q := request(`{"ref":"refs/heads/main","repository":{"name":"a name that is longer than thirty-two bytes"}}`)
	r := rule.And{
		match(t, rule.Definition{Type: "value", Value: "refs/heads/main", Parameter: payload("ref")}),
		match(t, rule.Definition{Type: "value", Value: "a name that is longer than thirty-two bytes", Parameter: payload("repository.name")}),
		rule.Not{Rule: match(t, rule.Definition{Type: "value", Value: "x", Parameter: payload("ref")})},
	}
	var ok bool
	var err error
	allocations := testing.AllocsPerRun(100, func() { ok, err = r.Evaluate(q) })
	if !ok || err != nil || allocations != 0 {
		t.Errorf("%v, %v with %v allocations", ok, err, allocations)
	}
}
