package rule

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// Trace is what a rule came to for one delivery, with the rules in it.
type Trace struct {
	Kind   string // "and", "or", "not", "match", "never"
	Text   string // of a match: its type and what it compares with; secrets are not in it
	Result Result
	Why    string   // in words, of one that does not hold or cannot be told
	Hints  []string // usual mistakes that a match shows signs of
	Saw    []Seen   // the values that it was asked with
	Parts  []Trace
}

// Result is what a rule came to.
type Result string

// The results of rules.
const (
	Holds    Result = "holds"
	Fails    Result = "fails"
	Errs     Result = "error"
	NotAsked Result = "not asked" // what came before it decided
)

// Seen is a value that a rule saw.
type Seen struct {
	Ref     delivery.Ref
	Value   string // a credential is masked; long ones are cut
	Missing bool
}

// Masked stands in an explanation in the place of what may let its bearer in.
const Masked = "***"

// Explain asks a rule as Decide does and tells what each part of it came to.
func Explain(rule Rule, r *Request) Trace {
	trace, ok, err := explain(rule, r)
	if _, decided := Decide(rule, r); decided == nil && delivery.IsMissing(err) {
		trace.Result = resultOf(ok, nil)
	}
	return trace
}

// explain gives what Evaluate does besides.
func explain(rule Rule, r *Request) (Trace, bool, error) {
	switch rule := rule.(type) {
	case And:
		return rule.explain(r)
	case Or:
		return rule.explain(r)
	case Not:
		return rule.explain(r)
	case Never:
		return Trace{Kind: "never", Result: Fails, Why: "a rule without content never holds"}, false, nil
	}
	ok, err := rule.Evaluate(r)
	trace := Trace{Kind: "match", Text: describe(rule), Result: resultOf(ok, err)}
	trace.Saw = seen(rule, r)
	if r.Replayed && ok != r.negated && err == nil && aboutCaller(rule, r) {
		trace.Why = "who calls is not asked again of a stored delivery"
		return trace, ok, err
	}
	if !ok {
		trace.Why = why(rule, r, err)
	}
	trace.Hints = hints(rule, r, ok, err)
	return trace, ok, err
}

func resultOf(ok bool, err error) Result {
	var soft softError
	switch {
	case err == nil && ok:
		return Holds
	case err == nil, delivery.IsMissing(err) && !ok, errors.As(err, &soft):
		return Fails
	case delivery.IsMissing(err):
		return Holds // the not of what is missing
	}
	return Errs
}

func (and And) explain(r *Request) (Trace, bool, error) {
	trace := Trace{Kind: "and", Result: Holds}
	var failed error
	for _, rule := range and {
		if trace.Result != Holds {
			trace.Parts = append(trace.Parts, notAsked(rule))
			continue
		}
		part, ok, err := explain(rule, r)
		if err != nil || !ok {
			failed = err
			if trace.Result = resultOf(false, err); part.Result == Holds {
				part.Result, part.Why = Fails, reason(err)+": in an and this counts as false, also below a not"
			}
			trace.Why = part.Why
		}
		trace.Parts = append(trace.Parts, part)
	}
	return trace, trace.Result == Holds, failed
}

func (or Or) explain(r *Request) (Trace, bool, error) {
	trace := Trace{Kind: "or", Result: Fails}
	var passed, ended error
	for _, rule := range or {
		if trace.Result == Holds || ended != nil {
			trace.Parts = append(trace.Parts, notAsked(rule))
			continue
		}
		part, ok, err := explain(rule, r)
		trace.Parts = append(trace.Parts, part)
		var wrong *SignatureError
		switch {
		case err == nil || delivery.IsMissing(err):
			if ok {
				trace.Result = Holds
			}
		case r.SoftSignatures && errors.As(err, &wrong):
			passed = softError{wrong}
		default:
			ended = err
		}
	}
	switch {
	case trace.Result == Holds:
		quiet(trace.Parts)
		return trace, true, nil
	case ended != nil:
		trace.Result, trace.Why = resultOf(false, ended), ended.Error()
		return trace, false, ended
	case len(trace.Parts) == 1:
		trace.Why = trace.Parts[0].Why
	default:
		trace.Why = fmt.Sprintf("none of the %d rules of the or holds", len(or))
	}
	return trace, false, passed
}

func (not Not) explain(r *Request) (Trace, bool, error) {
	r.negated = !r.negated
	part, ok, err := explain(not.Rule, r)
	r.negated = !r.negated
	trace := Trace{Kind: "not", Result: resultOf(!ok, err), Parts: []Trace{part}}
	quiet(trace.Parts)
	switch trace.Result {
	case Errs:
		trace.Why = err.Error()
	case Fails:
		trace.Why = "the rule in the not holds"
		if err != nil {
			trace.Why = err.Error()
		}
	}
	return trace, !ok, err
}

// quiet drops the hints of what does not hold, where that does no harm.
func quiet(parts []Trace) {
	for i := range parts {
		if parts[i].Result == Fails {
			parts[i].Hints = nil
		}
		quiet(parts[i].Parts)
	}
}

// reason is the text of an error that there may not be.
func reason(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// notAsked is the trace of a rule that another one made needless.
func notAsked(rule Rule) Trace {
	trace := Trace{Kind: "match", Result: NotAsked}
	var parts []Rule
	switch rule := rule.(type) {
	case And:
		trace.Kind, parts = "and", rule
	case Or:
		trace.Kind, parts = "or", rule
	case Not:
		trace.Kind, parts = "not", []Rule{rule.Rule}
	case Never:
		trace.Kind = "never"
	default:
		trace.Text = describe(rule)
	}
	for _, part := range parts {
		trace.Parts = append(trace.Parts, notAsked(part))
	}
	return trace
}

// describe says what a match asks. What it compares a credential with is one.
func describe(rule Rule) string {
	switch rule := rule.(type) {
	case *value:
		if secretive(rule.parameter) {
			return DescribeSecret(rule.parameter, false)
		}
		return rule.parameter.String() + " is " + strconv.Quote(cut(rule.want))
	case *regex:
		switch {
		case secretive(rule.parameter):
			return DescribeSecret(rule.parameter, true)
		case rule.expression == nil:
			return rule.parameter.String() + " matches an expression that cannot be compiled"
		}
		return rule.parameter.String() + " matches " + cut(rule.expression.String())
	case *addresses:
		return "the caller's address is in " + cut(strings.Join(strings.Fields(rule.text), " "))
	case *signature:
		return fmt.Sprintf("%s is the body's HMAC-%s", rule.parameter, strings.ToUpper(rule.algorithm))
	case *scalr:
		return "header \"X-Signature\" is the Scalr signature of the body and the date"
	}
	return "a match of an unknown type"
}

// DescribeSecret says what a match asks that compares a credential: not with what.
func DescribeSecret(ref delivery.Ref, matches bool) string {
	if matches {
		return ref.String() + " matches an expression that is not shown"
	}
	return ref.String() + " is the secret"
}

// why says why a match does not hold.
func why(rule Rule, r *Request, err error) string {
	switch rule := rule.(type) {
	case *addresses:
		if err == nil {
			return address(r.RemoteAddr) + " is in none of the ranges " + cut(strings.Join(strings.Fields(rule.text), " "))
		}
	case *value:
		if err == nil && !secretive(rule.parameter) {
			return fmt.Sprintf("%s is another value than %q", rule.parameter, cut(rule.want))
		}
	case *regex:
		if err == nil && !secretive(rule.parameter) {
			return fmt.Sprintf("%s does not match %s", rule.parameter, cut(rule.expression.String()))
		}
	}
	if err != nil {
		return err.Error()
	}
	return Why(rule, r)
}

// seen looks up what a match is asked with.
func seen(rule Rule, r *Request) []Seen {
	look := func(refs ...delivery.Ref) (list []Seen) {
		for _, ref := range refs {
			list = append(list, see(ref, r))
		}
		return list
	}
	switch rule := rule.(type) {
	case *value:
		return look(rule.parameter)
	case *regex:
		return look(rule.parameter)
	case *unknown:
		return look(rule.parameter)
	case *signature:
		return look(rule.parameter)
	case *addresses:
		return look(delivery.Ref{Source: delivery.Request, Name: "remote-addr"})
	case *scalr:
		return look(delivery.Ref{Source: delivery.Header, Name: "X-Signature"}, delivery.Ref{Source: delivery.Header, Name: "Date"})
	}
	return nil
}

func see(ref delivery.Ref, r *Request) Seen {
	got, err := r.Value(ref)
	switch {
	case err != nil:
		return Seen{Ref: ref, Missing: true}
	case got == run.Withheld:
		return Seen{Ref: ref, Value: got}
	case secretive(ref):
		return Seen{Ref: ref, Value: Masked}
	}
	return Seen{Ref: ref, Value: cut(got)}
}

// aboutCaller reports whether a match asks only who calls, and is not asked of
// a delivery that is sent again.
func aboutCaller(rule Rule, r *Request) bool {
	vouched := func(ref delivery.Ref) bool {
		got, err := r.Value(ref)
		return r.vouched(ref, got, err)
	}
	switch rule := rule.(type) {
	case *value:
		return vouched(rule.parameter)
	case *regex:
		return vouched(rule.parameter)
	case *addresses, *signature, *scalr:
		return true
	}
	return false
}

// secretive reports whether a value that a rule compares may let its bearer in:
// by its name, or since it may be any.
func secretive(ref delivery.Ref) bool {
	switch ref.Source {
	case delivery.EntireHeaders, delivery.EntireQuery:
		return true
	case delivery.Payload:
		return delivery.CredentialName(ref.Name[strings.LastIndexByte(ref.Name, '.')+1:]) == delivery.IsCredential
	}
	return ref.Credential() != delivery.NoCredential
}

// MaxShown is how many bytes of a value an explanation shows.
const MaxShown = 200

func cut(text string) string { return Cut(text, MaxShown) }

// Cut gives the beginning of a text of more than so many bytes, and says how long
// it is.
func Cut(text string, most int) string {
	if len(text) <= most {
		return strings.ToValidUTF8(text, "�")
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return strings.ToValidUTF8(text[:end], "�") + fmt.Sprintf("… (%d bytes)", len(text))
}

// address is the caller's address without its port.
func address(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}
