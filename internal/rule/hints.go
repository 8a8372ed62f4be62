package rule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
)

// maxHinted is the largest body of which usual mistakes are looked for, in
// bytes: to try what else a signature could be of takes a pass each.
const maxHinted = 1 << 20

// hints names the usual mistakes that a match shows signs of.
func hints(rule Rule, r *Request, ok bool, err error) []string {
	if len(r.Body) > maxHinted {
		return nil
	}
	var list hintList
	switch rule := rule.(type) {
	case *value:
		if rule.ignored {
			list.add("the rule for %s has a secret, but its type is value, which does not look at it: nothing is verified; "+
				"a signature is checked by type payload-hmac-sha256 without value", rule.parameter)
		}
		if !ok {
			list.compared(rule, r, err)
		}
	case *regex:
		if !ok {
			list.matched(rule, r, err)
		}
	case *addresses:
		if !ok && err == nil {
			list.forwarded(r)
		}
	case *signature:
		if !ok {
			list.signed(rule, r, err)
		}
	}
	return list.texts
}

// hintList gathers hints.
type hintList struct{ texts []string }

func (l *hintList) add(format string, args ...any) {
	l.texts = append(l.texts, fmt.Sprintf(format, args...))
}

// compared says in what small way a value differs from the one asked for.
func (l *hintList) compared(v *value, r *Request, err error) {
	if err != nil {
		l.missing(v.parameter, r, err)
		return
	}
	got, _ := r.Value(v.parameter)
	wanted, hidden := strconv.Quote(cut(v.want)), ""
	if secretive(v.parameter) {
		wanted, hidden = "the one asked for", " (the values are not shown)"
	}
	gotNumber, notGot := strconv.ParseFloat(strings.TrimSpace(got), 64)
	wantNumber, notWanted := strconv.ParseFloat(strings.TrimSpace(v.want), 64)
	switch {
	case strings.TrimSpace(got) == strings.TrimSpace(v.want):
		l.add("%s differs from %s in the white space around it alone%s", v.parameter, wanted, hidden)
	case strings.EqualFold(got, v.want):
		l.add("%s differs from %s in upper and lower case alone%s", v.parameter, wanted, hidden)
	case strings.EqualFold(strings.TrimSpace(got), strings.TrimSpace(v.want)):
		l.add("%s differs from %s in case and in the white space around it alone%s", v.parameter, wanted, hidden)
	case notGot == nil && notWanted == nil && gotNumber == wantNumber && hidden == "":
		l.add("%s is the same number as %s, but rules compare texts: write the value as %q", v.parameter, wanted, cut(got))
	case hidden == "" && strings.Trim(v.want, `"'`) == got:
		l.add("the rule's value %s has quotes of its own, and %s has none", wanted, v.parameter)
	case hidden == "" && strings.HasSuffix(got, "/"+v.want) && strings.HasPrefix(got, "refs/"):
		l.add("%s is the whole name of the reference: write the value as %q", v.parameter, cut(got))
	case strings.Contains(v.want, "$"):
		l.add("the rule's value has a $: nothing is put in its place (in a hook file that is a template, with -template, getenv does so)")
	}
}

// matched says in what small way a value misses an expression.
func (l *hintList) matched(x *regex, r *Request, err error) {
	switch {
	case x.expression == nil:
		return
	case err != nil:
		l.missing(x.parameter, r, err)
		return
	}
	got, _ := r.Value(x.parameter)
	text := x.expression.String()
	written := cut(text)
	if secretive(x.parameter) {
		written = "its expression"
	}
	like := func(expression, value string) bool {
		other, err := regexp.Compile(expression)
		return err == nil && other.MatchString(value)
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "^"), "$")
	switch {
	case like(text, strings.TrimSpace(got)):
		l.add("%s would match %s without the white space around it", x.parameter, written)
	case like("(?i)"+text, got):
		l.add("%s would match %s in another case: (?i) at its beginning ignores case", x.parameter, written)
	case bare != text && bare != "" && like(bare, got):
		l.add("%s would match %s without its anchors (^ is the value's beginning, $ its end)", x.parameter, written)
	case strings.Contains(text, `\\`) && like(strings.ReplaceAll(text, `\\`, `\`), got):
		l.add("%s would match %s with single backslashes: in YAML only a text in double quotes needs two", x.parameter, written)
	case strings.HasPrefix(text, "/") && strings.HasSuffix(text, "/") && len(text) > 2 && like(text[1:len(text)-1], got):
		l.add("%s would match %s without the slashes around it: they are a part of the expression here", x.parameter, written)
	}
}

// forwarded says that a proxy stands between.
func (l *hintList) forwarded(r *Request) {
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "Via"} {
		if len(r.Header[name]) > 0 {
			l.add("a proxy (%s) stands between: its address was compared, not the sender's; -trusted-proxies %s believes its X-Forwarded-For",
				name, address(r.RemoteAddr))
			return
		}
	}
}

// missing says where a value that is missing might be.
func (l *hintList) missing(ref delivery.Ref, r *Request, err error) {
	if !delivery.IsMissing(err) {
		return
	}
	source, _ := delivery.ParseSource(string(ref.Source))
	switch source {
	case delivery.Payload:
		l.missingPayload(ref, r)
	case delivery.Header:
		names := make([]string, 0, len(r.Header))
		for name := range r.Header {
			names = append(names, name)
		}
		if near := nearest(ref.Name, names); near != "" {
			l.add("there is no header %q, but one named %q", ref.Name, near)
		}
	}
	l.elsewhere(ref, source, r)
}

// elsewhere says that another part of the request has a value of that name.
func (l *hintList) elsewhere(ref delivery.Ref, source delivery.Source, r *Request) {
	for _, other := range []delivery.Source{delivery.Payload, delivery.Header, delivery.Query} {
		if other == source {
			continue
		}
		if _, err := r.Value(delivery.Ref{Source: other, Name: ref.Name}); err == nil {
			l.add("%s is not there, but %s %q is: the source would have to be %s", ref, other, ref.Name, other)
		}
	}
}
