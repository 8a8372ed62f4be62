package rule

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

// Definition is a match rule as a hook file has it.
type Definition struct {
	Type      string
	Parameter delivery.Ref
	Value     string
	Regex     string
	Secret    secret.Value
	IPRange   string
}

// Problem says what of a definition could not be compiled: the key and why.
type Problem struct {
	Key string // "type", "regex", "ip-range", "secret", "parameter"
	Err error
}

// The types of match rules.
const (
	TypeValue = "value"
	TypeRegex = "regex"
	TypeIP    = "ip-whitelist"
	TypeScalr = "scalr-signature"
)

// Types lists the types of match rules, the deprecated ones last.
func Types() []string {
	return []string{
		TypeValue, TypeRegex, TypeIP, TypeScalr,
		"payload-hmac-sha1", "payload-hmac-sha256", "payload-hmac-sha512",
		"payload-hash-sha1", "payload-hash-sha256", "payload-hash-sha512",
	}
}

// Uses lists the keys that a rule of that type looks at; nil for a type that
// does not exist.
func Uses(ruleType string) []string {
	if _, ok := signatureAlgorithm(ruleType); ok {
		return []string{"type", "parameter", "secret"}
	}
	switch ruleType {
	case TypeValue:
		return []string{"type", "parameter", "value"}
	case TypeRegex:
		return []string{"type", "parameter", "regex"}
	case TypeIP:
		return []string{"type", "ip-range"}
	case TypeScalr:
		return []string{"type", "secret"}
	}
	return nil
}

// Match compiles one match rule. The rule that it returns can be evaluated
// whatever the problems are: it answers as webhook would.
func Match(d Definition) (Rule, []Problem) {
	var problems []Problem
	note := func(key string, err error) {
		if err != nil {
			problems = append(problems, Problem{key, err})
		}
	}
	if d.Type != TypeIP && d.Type != TypeScalr {
		if _, known := delivery.ParseSource(string(d.Parameter.Source)); !known {
			note("parameter", fmt.Errorf("unknown source %q", d.Parameter.Source))
		}
	}
	if algorithm, ok := signatureAlgorithm(d.Type); ok {
		rule := &signature{parameter: d.Parameter, algorithm: algorithm, secret: d.Secret}
		note("secret", rule.check())
		return rule, problems
	}
	switch d.Type {
	case TypeValue:
		return &value{d.Parameter, d.Value, !d.Secret.Empty()}, problems
	case TypeRegex:
		rule := &regex{parameter: d.Parameter}
		rule.expression, rule.err = regexp.Compile(d.Regex)
		note("regex", rule.err)
		if d.Regex == "" {
			note("regex", errEmptyRegex)
		}
		return rule, problems
	case TypeIP:
		rule := &addresses{text: d.IPRange, ranges: parseRanges(d.IPRange)}
		if len(rule.ranges) == 0 {
			note("ip-range", errNoRange)
		}
		for _, r := range rule.ranges {
			note("ip-range", r.err)
		}
		return rule, problems
	case TypeScalr:
		if d.Secret.Empty() {
			note("secret", errNoSecret)
		}
		return &scalr{d.Secret}, problems
	}
	note("type", fmt.Errorf("unknown type of match rule %q", d.Type))
	return &unknown{d.Parameter}, problems
}

// value holds when a value is exactly so.
type value struct {
	parameter delivery.Ref
	want      string
	ignored   bool // the definition has a secret, which this type does not look at
}

func (v *value) Evaluate(r *Request) (bool, error) {
	got, err := r.Value(v.parameter)
	if r.vouched(v.parameter, got, err) {
		return !r.negated, nil
	}
	return err == nil && equal(got, v.want), err
}

// regex holds when an expression matches anywhere in a value.
type regex struct {
	parameter  delivery.Ref
	expression *regexp.Regexp
	err        error // why there is no expression
}

func (x *regex) Evaluate(r *Request) (bool, error) {
	got, err := r.Value(x.parameter)
	switch {
	case r.vouched(x.parameter, got, err):
		return !r.negated, nil
	case err != nil:
		return false, err
	case x.err != nil:
		return false, x.err
	}
	return x.expression.MatchString(got), nil
}

// unknown is a match rule of a type that does not exist: it looks its value up
// and does not hold.
type unknown struct{ parameter delivery.Ref }

func (u *unknown) Evaluate(r *Request) (bool, error) {
	_, err := r.Value(u.parameter)
	return false, err
}

// addresses holds when the caller's address lies in one of the ranges.
type addresses struct {
	text   string
	ranges []addressRange
}

type addressRange struct {
	network *net.IPNet
	err     error
}

// Evaluate looks through the ranges in order; one that is no range is an error
// only for a caller who matched none before it.
func (a *addresses) Evaluate(r *Request) (bool, error) {
	if r.Replayed {
		return !r.negated, nil
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	host, _, _ = strings.Cut(host, "%") // the zone of a link-local address
	ip := net.ParseIP(host)
	if ip == nil {
		return false, fmt.Errorf("the caller has no IP address (%q) that an ip-range could hold", r.RemoteAddr)
	}
	for _, candidate := range a.ranges {
		if candidate.err != nil {
			return false, candidate.err
		}
		if candidate.network.Contains(ip) {
			return true, nil
		}
	}
	return false, nil
}

var (
	errNoRange    = errors.New("it is empty and admits nobody")
	errEmptyRegex = errors.New("an empty expression matches any value")
)

// parseRanges reads addresses and CIDR ranges with white space between them. A
// plain address means itself alone: webhook takes a plain IPv6 address for its
// /32, which lets strangers in.
func parseRanges(text string) []addressRange {
	var ranges []addressRange
	for _, written := range strings.Fields(text) {
		field := written
		if !strings.Contains(field, "/") {
			bits := "/32"
			if strings.Contains(field, ":") {
				bits = "/128"
			}
			field += bits
		}
		_, network, err := net.ParseCIDR(field)
		if err != nil {
			err = fmt.Errorf("%q is no address and no CIDR range (as in 192.0.2.0/24)", written)
		}
		ranges = append(ranges, addressRange{network, err})
	}
	return ranges
}
