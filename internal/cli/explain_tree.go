package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	ansi "github.com/jedib0t/go-pretty/v6/text"

	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
)

// tree prints explanations for people.
type tree struct {
	out    io.Writer
	colour bool
	marks  marks
}

// marks are the signs of a tree.
type marks struct {
	holds, fails, errs, skipped, hint string
	branch, last, through, blank      string
}

func newTree(out io.Writer) *tree {
	t := &tree{out: out, colour: wantsColour(out)}
	t.marks = marks{"✓", "✗", "!", "-", "→", "├─ ", "└─ ", "│  ", "   "}
	if isTerminal(out) && !speaksUnicode() {
		t.marks = marks{"+", "x", "!", "-", "->", "|- ", "`- ", "|  ", "   "}
	}
	return t
}

// speaksUnicode reports whether the terminal's locale has more than ASCII.
func speaksUnicode() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := os.Getenv(name); value != "" {
			value = strings.ToUpper(value)
			return strings.Contains(value, "UTF-8") || strings.Contains(value, "UTF8")
		}
	}
	return false
}

func (t *tree) paint(text string, colours ...ansi.Color) string {
	if !t.colour || text == "" {
		return text
	}
	return ansi.Colors(colours).Sprint(text)
}

func (t *tree) line(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// mark is the sign of a result.
func (t *tree) mark(result string) string {
	switch rule.Result(result) {
	case rule.Holds:
		return t.paint(t.marks.holds, ansi.FgGreen)
	case rule.Fails:
		return t.paint(t.marks.fails, ansi.FgRed)
	case rule.Errs:
		return t.paint(t.marks.errs, ansi.FgRed, ansi.Bold)
	}
	return t.paint(t.marks.skipped, ansi.Faint)
}

// explanation prints all of one.
func (t *tree) explanation(e explain.Explanation) {
	t.headline(e)
	if e.Decision != nil {
		for i := range e.Decision.Parts {
			t.node(&e.Decision.Parts[i], "", i == len(e.Decision.Parts)-1)
		}
	}
	for _, hint := range e.Hints {
		t.line("%s %s", t.paint(t.marks.hint, ansi.FgYellow), clean(hint))
	}
	if h := e.Handshake; h != nil && h.Fetch != "" {
		t.line("\nfetch        %s", clean(h.Fetch))
	}
	for i := range e.Runs {
		t.run(&e.Runs[i], i, len(e.Runs))
	}
	if a := e.Answer; a != nil {
		t.line("\nanswer       %d%s", a.Status, after(" ", clean(a.Body)))
		if a.Then != "" {
			t.line("             %s", clean(a.Then))
		}
	}
}

// headline says what the whole comes to.
func (t *tree) headline(e explain.Explanation) {
	result := string(rule.Fails)
	words := string(e.Outcome)
	switch e.Outcome {
	case explain.Triggered:
		result, words = string(rule.Holds), "triggers "+count(len(e.Runs), "run")
	case explain.Handshaken:
		result, words = string(rule.Holds), "is answered as a handshake, and runs nothing"
	case explain.Failed:
		result = string(rule.Errs)
	}
	t.line("%s %s %s%s", t.mark(result), t.paint(clean(e.Hook), ansi.Bold), words, after(": ", clean(e.Reason)))
	field := func(name, value string) {
		if value != "" {
			t.line("  %s %s", t.paint(fmt.Sprintf("%-11s", name), ansi.Faint), clean(value))
		}
	}
	field("hook", e.At)
	field("sender", e.Sender)
	field("event", e.Event)
	field("delivery id", e.DeliveryID)
	field("verified", e.Verified)
}

// node prints a step and what is in it.
func (t *tree) node(n *explain.Node, indent string, last bool) {
	stem, below := t.marks.branch, t.marks.through
	if last {
		stem, below = t.marks.last, t.marks.blank
	}
	text := n.What
	if n.What == "match" || n.What == "pattern" || n.What == "computed" {
		text = ""
	}
	text = strings.TrimSpace(text + " " + clean(n.Text))
	alone := len(n.Saw) == 1
	if alone {
		text += t.paint(": "+aloneText(n), ansi.FgCyan)
	}
	if rule.Result(n.Result) == rule.NotAsked && n.What != "auth" && n.What != "body" { // those tell why
		text = t.paint(text+" (not asked)", ansi.Faint)
	}
	t.line("%s%s %s", t.paint(indent+stem, ansi.Faint), t.mark(n.Result), text)
	inner := indent + below
	deeper := t.marks.blank
	if len(n.Parts) > 0 {
		deeper = t.marks.through
	}
	if !alone {
		for _, saw := range n.Saw {
			t.line("%s%s = %s", t.paint(inner+deeper, ansi.Faint), clean(saw.Name), t.paint(sawText(saw, ""), ansi.FgCyan))
		}
	}
	if n.Why != "" && len(n.Parts) == 0 && !(alone && n.Result == string(rule.Fails) && n.What != "events") {
		t.line("%s%s", t.paint(inner+deeper, ansi.Faint), t.paint(clean(n.Why), ansi.FgYellow))
	}
	for i := range n.Parts {
		t.node(&n.Parts[i], inner, i == len(n.Parts)-1)
	}
}

// aloneText is the one value that a step saw as it is printed.
func aloneText(n *explain.Node) string {
	saw := n.Saw[0]
	if saw.Value != rule.Masked || saw.Missing {
		return sawText(saw, "it is ")
	}
	switch rule.Result(n.Result) {
	case rule.Holds:
		return "right (not shown)"
	case rule.Fails:
		if strings.HasSuffix(n.Text, "the secret") {
			return "it is another (not shown)"
		}
		return "it does not fit (not shown)"
	}
	return "not shown"
}

// sawText is a value as it is printed.
func sawText(saw explain.Seen, intro string) string {
	switch {
	case saw.Missing:
		return intro + "missing"
	case saw.Value == rule.Masked:
		return "not shown"
	case saw.Value == run.Withheld:
		return "it was withheld"
	}
	return intro + strconv.QuoteToGraphic(saw.Value)
}

// run prints what a run would be given.
func (t *tree) run(r *explain.Run, at, of int) {
	title := "run"
	if of > 1 || r.Element != "" {
		title = fmt.Sprintf("run %d of %d%s", at+1, of, after(": ", clean(r.Element)))
	}
	t.line("\n%s", t.paint(title, ansi.Bold))
	many := func(name string, values []string) {
		for _, value := range values {
			t.line("  %-10s %s", name, clean(value))
			name = ""
		}
	}
	argv := make([]string, len(r.Argv))
	for i, argument := range r.Argv {
		argv[i] = strconv.QuoteToGraphic(argument)
	}
	many("arguments", argv)
	many("variables", r.Env)
	if r.Inherit != "" {
		many("", []string{"and " + r.Inherit})
	}
	for _, file := range r.Files {
		many("file", []string{file.Variable + ": " + bytesText(int64(file.Size))})
		many("", strings.Split(strings.TrimRight(cutLines(file.Content), "\n"), "\n"))
	}
	if r.Stdin != "" {
		many("reads", strings.Split(strings.TrimRight(cutLines(r.Stdin), "\n"), "\n"))
	}
	if r.Dir != "" {
		many("directory", []string{r.Dir})
	}
	if r.Key != nil {
		many("key", []string{strconv.QuoteToGraphic(*r.Key)})
	}
	many("missing", r.Missing)
	if r.Problem != "" {
		many("problem", []string{r.Problem})
	}
}

// maxLines is how many lines of a file are printed.
const maxLines = 5

// cutLines leaves the first lines of a text.
func cutLines(text string) string {
	lines := strings.SplitAfterN(text, "\n", maxLines+1)
	if len(lines) <= maxLines || lines[maxLines] == "" {
		return text
	}
	return strings.Join(lines[:maxLines], "") + "…"
}
