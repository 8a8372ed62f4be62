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
	c.caller(p, now, len(runs) > 0)
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
	}
}

// caller compares who was let in, and by what.
func (c *comparison) caller(p *past, now asked, ran bool) {
	was := p.delivery.Verified
	switch {
	case p.own || !ran || now.unasked != "":
	case now.Outcome == explain.Unauthenticated:
		c.note(changeCaller, p, orText(was, "nobody was asked"), "refused: "+now.Reason)
	case now.Verified != was:
		c.note(changeCaller, p, orText(was, "nobody was asked"), orText(now.Verified, "nobody is asked"))
	}
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
	pair(changeVariables, quoted(slices.Sorted(slices.Values(was.Env)))+after("; inherited: ", was.Inherit), quoted(slices.Sorted(slices.Values(is.Env)))+after("; inherited: ", is.Inherit))
	pair(changeFiles, filesText(was), filesText(is))
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
