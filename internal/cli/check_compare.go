package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/explain"
)

// change is a kind of difference between then and now.
type change string

// The changes, in the order in which they are told.
const (
	changeEnds      change = "runs no more"
	changeBegins    change = "runs now"
	changeElements  change = "elements"
	changeKey       change = "key"
	changeArguments change = "arguments"
	changeVariables change = "environment"
	changeFiles     change = "files"
	changeCaller    change = "authentication"
)

func changes() []change {
	return []change{changeEnds, changeBegins, changeElements, changeKey, changeArguments, changeVariables, changeFiles, changeCaller}
}

// comparison is what became of all deliveries of one hook.
type comparison struct {
	hook       string
	deliveries int
	same       int
	changed    int // deliveries with a change, or several
	strangers  int // of these, that no secret of the files has signed
	absent     int // the hook is not in the files
	unasked    int // who called cannot be asked again
	unknown    int // what the runs were given cannot be told any more
	why        string
	changes    map[change]*changed
}

// changed counts a change and keeps the first deliveries with it.
type changed struct {
	count    int
	examples []changedFor
}

// changedFor is one delivery that something changes for.
type changedFor struct {
	delivery, run string
	received      string
	then, now     string
}

// maxExamples is how many examples of a change are kept.
const maxExamples = 3

// add compares what was made of a delivery with what a hook of the files makes of
// it.
func (c *comparison) add(p *past, now asked, then *explain.Explanation) {
	c.deliveries++
	before := c.total()
	runs := p.runs[c.hook]
	if now.unasked != "" {
		c.unasked++
		c.why = now.unasked
	}
	c.caller(p, now, then, len(runs) > 0)
	switch {
	case len(runs) > 0 && len(now.Runs) == 0:
		c.note(changeEnds, p, runsText(runs), strings.TrimSpace(string(now.Outcome)+after(": ", now.Reason)))
	case len(runs) == 0 && len(now.Runs) > 0:
		c.note(changeBegins, p, "no run of this hook", count(len(now.Runs), "run"))
	case len(runs) > 0:
		c.runs(p, runs, now, then)
	}
	if c.total() == before {
		c.same++
	} else {
		c.changed++
	}
}

// caller compares who was let in, and by what.
func (c *comparison) caller(p *past, now asked, then *explain.Explanation, ran bool) {
	was := p.delivery.Verified
	by, rule := callersThen(was, then), ""
	if now.Decision != nil {
		rule = ruleText(now.Decision)
	}
	switch {
	case p.own || !ran || now.unasked != "":
	case now.Outcome == explain.Unauthenticated:
		if was != "" && now.Verified == "" {
			c.strangers++
		}
		c.note(changeCaller, p, by, "refused: "+now.Reason)
	case now.Verified != was:
		c.note(changeCaller, p, by, orText(now.Verified, orText(rule, "nobody is asked")))
	case was == "" && rule == "" && then != nil && then.Decision != nil && ruleText(then.Decision) != "":
		c.note(changeCaller, p, by, "nobody is asked")
	}
}

// callersThen says what let a delivery in: a check of the sender, or what the
// trigger rule of the hook in force asks, which may be a signature.
func callersThen(verified string, then *explain.Explanation) string {
	switch {
	case verified != "":
		return verified
	case then == nil || then.Decision == nil:
		return "no check of the sender; what the trigger rule asked cannot be told any more"
	}
	return orText(ruleText(then.Decision), "nobody was asked")
}

// ruleText says what a trigger rule asks, "" where there is none.
func ruleText(decision *explain.Node) string {
	at := slices.IndexFunc(decision.Parts, func(n explain.Node) bool { return n.What == "trigger-rule" })
	if at < 0 {
		return ""
	}
	return "the trigger rule: " + strings.Join(questions(&decision.Parts[at]), "; ")
}

// questions lists what the leaves of a rule ask.
func questions(n *explain.Node) []string {
	if len(n.Parts) == 0 {
		return []string{n.Text}
	}
	var list []string
	for i := range n.Parts {
		list = append(list, questions(&n.Parts[i])...)
	}
	return list
}

// runs compares the runs that were made with those that would be.
func (c *comparison) runs(p *past, runs []admin.Run, now asked, then *explain.Explanation) {
	if was, is := elementsThen(runs), elementsNow(now.Runs); !slices.Equal(was, is) {
		c.note(changeElements, p, strings.Join(was, " "), strings.Join(is, " "))
		return
	}
	for i, r := range now.Runs {
		if i < len(runs) && keyText(runs[i].Key) != keyText(r.Key) {
			c.note(changeKey, p, keyText(runs[i].Key), keyText(r.Key))
			break
		}
	}
	if then == nil || len(then.Runs) == 0 {
		c.unknown++
		return
	}
	for _, r := range now.Runs {
		at := slices.IndexFunc(then.Runs, func(one explain.Run) bool { return one.Element == r.Element })
		if at < 0 {
			continue
		}
		c.given(p, then.Runs[at], r)
	}
}

// given compares what a run was given.
func (c *comparison) given(p *past, was, is explain.Run) {
	pair := func(kind change, was, is string) {
		if was != is {
			c.note(kind, p, was, is)
		}
	}
	pair(changeArguments, quoted(was.Argv)+after(" in ", was.Dir), quoted(is.Argv)+after(" in ", is.Dir))
	pair(changeVariables, variablesText(was, is), variablesText(is, was))
	pair(changeFiles, filesText(was), filesText(is))
}

// variablesText gives the variables of a run that another has not, or not so. Those
// that Pawl adds by itself (PAWL_SENDER, PAWL_EVENT, …) come and go with what a hook
// says of its sender, and are no change of the hook's own.
func variablesText(r, other explain.Run) string {
	var list []string
	for _, variable := range slices.Sorted(slices.Values(r.Env)) {
		if !slices.Contains(other.Env, variable) && !strings.HasPrefix(variable, "PAWL_") {
			list = append(list, variable)
		}
	}
	text := quoted(list)
	if r.Inherit != other.Inherit {
		text += after("; inherited: ", r.Inherit)
	}
	return text
}

// note notes a change, once for a delivery.
func (c *comparison) note(kind change, p *past, then, now string) {
	found := c.changes[kind]
	if found == nil {
		found = &changed{}
		c.changes[kind] = found
	}
	one := changedFor{delivery: p.delivery.ID, received: p.delivery.Received.UTC().Format("2006-01-02T15:04:05Z"), then: then, now: now}
	if runs := p.runs[c.hook]; len(runs) > 0 {
		one.run = runs[0].ID
	}
	if n := len(found.examples); n > 0 && found.examples[n-1].delivery == one.delivery {
		return // another element of the same
	}
	found.count++
	if len(found.examples) < maxExamples {
		found.examples = append(found.examples, one)
	}
}

func (c *comparison) total() (n int) {
	for _, one := range c.changes {
		n += one.count
	}
	return n
}

func runsText(runs []admin.Run) string { return count(len(runs), "run") }

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func elementsThen(runs []admin.Run) []string {
	list := make([]string, len(runs))
	for i, r := range runs {
		list[i] = string(r.Element)
	}
	slices.Sort(list)
	return list
}

func elementsNow(runs []explain.Run) []string {
	list := make([]string, len(runs))
	for i, r := range runs {
		list[i] = r.Element
	}
	slices.Sort(list)
	return list
}

func keyText(key *string) string {
	if key == nil {
		return "no key"
	}
	return "key " + *key
}

func quoted(words []string) string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = fmt.Sprintf("%q", word)
	}
	return strings.Join(list, " ")
}

func filesText(r explain.Run) string {
	var list []string
	for _, f := range r.Files {
		list = append(list, fmt.Sprintf("%s (%d bytes) %q", f.Variable, f.Size, f.Content))
	}
	if r.Stdin != "" {
		list = append(list, fmt.Sprintf("standard input %q", r.Stdin))
	}
	return strings.Join(list, ", ")
}
