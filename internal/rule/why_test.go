package rule_test

import (
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/rule"
)

func TestWhy(t *testing.T) {
	value := func(name, want string) rule.Rule {
		return match(t, rule.Definition{Type: rule.TypeValue, Value: want, Parameter: payload(name)})
	}
	right, wrongValue := value("one", "1"), value("one", "the-secret")
	for _, c := range []struct {
		name string
		rule rule.Rule
		want string
	}{
		{"a value", wrongValue, `payload "one" is not the value asked for`},
		{"a missing value", value("absent", "1"), `payload "absent" is not in the request`},
		{"the part of an and that decides", rule.And{right, rule.And{right, wrongValue}}, `payload "one" is not the value asked for`},
		{"an or of one", rule.Or{wrongValue}, `payload "one" is not the value asked for`},
		{"an or of several", rule.Or{wrongValue, wrongValue}, "none of the 2 rules of an or holds"},
		{"a not", rule.Not{Rule: right}, "the rule in a not holds"},
		{"the not of a missing value in an and", rule.And{rule.Not{Rule: value("absent", "1")}}, `payload "absent" is not in the request`},
		{"an expression", match(t, rule.Definition{Type: rule.TypeRegex, Regex: "^x", Parameter: payload("one")}), `payload "one" does not match the expression`},
		{"an address", match(t, rule.Definition{Type: rule.TypeIP, IPRange: "10.0.0.0/8"}), "the caller's address is in none of the ranges"},
		{"no content", rule.Never{}, "a rule without content never holds"},
		{"an unknown type", anyway(rule.Definition{Type: "valeu", Parameter: payload("one")}), "unknown type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(`{"one":1}`)
			if triggers, err := rule.Decide(c.rule, r); triggers || err != nil {
				t.Fatalf("triggers %t, error %v", triggers, err)
			}
			got := rule.Why(c.rule, r)
			if !strings.Contains(got, c.want) || strings.Contains(got, "the-secret") {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
