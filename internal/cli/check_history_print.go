package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxShown bounds what of one value is shown to a person.
const maxShown = 300

// print writes a table of the hooks, and then examples of each change.
func (h *history) print(out io.Writer) {
	if len(h.hooks) == 0 {
		fmt.Fprintf(out, "no deliveries are kept since %s\n", h.since.Format(time.DateTime))
		return
	}
	l := &list{columns: []column{{title: "HOOK", cut: true}, {title: "DELIVERIES", right: true}, {title: "SAME", right: true}, {title: "CHANGES", cut: true}}}
	for _, c := range h.hooks {
		l.add(c.hook, strconv.Itoa(c.deliveries), strconv.Itoa(c.same), c.words())
	}
	l.print(out)
	for _, c := range h.hooks {
		c.print(out)
	}
	total := 0
	for _, c := range h.hooks {
		total += c.changed
	}
	fmt.Fprintf(out, "\n%s since %s: %s\n", deliveriesText(h.deliveries), h.since.Format(time.DateTime), changesText(total))
	if h.gone > 0 {
		fmt.Fprintf(out, "%s could not be asked about: not kept any more\n", deliveriesText(h.gone))
	}
	if h.turnedAway > 0 {
		fmt.Fprintf(out, "%s made no run, and cannot be asked about again: whether they would now is not told; pawl runs why lists them\n", deliveriesText(h.turnedAway))
	}
}

func deliveriesText(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

func changesText(n int) string {
	if n == 0 {
		return "nothing changes"
	}
	if n == 1 {
		return "something changes for 1 of them"
	}
	return fmt.Sprintf("something changes for %d of them", n)
}

// words says what changes, with how often.
func (c *comparison) words() string {
	var words []string
	for _, kind := range changes() {
		if found := c.changes[kind]; found != nil {
			words = append(words, fmt.Sprintf("%s: %d", kind, found.count))
		}
	}
	if c.absent > 0 {
		words = append(words, fmt.Sprintf("not in these files: %d", c.absent))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func (c *comparison) print(out io.Writer) {
	for _, kind := range changes() {
		found := c.changes[kind]
		if found == nil {
			continue
		}
		fmt.Fprintf(out, "\n%s: %s (%s)\n", clean(c.hook), kind, deliveriesText(found.count))
		for _, one := range found.examples {
			id := "delivery " + one.delivery
			if one.run != "" {
				id = "run " + shortID(one.run)
			}
			fmt.Fprintf(out, "  %s of %s\n    then  %s\n    now   %s\n", id, one.received, cutText(orText(one.then, "-")), cutText(orText(one.now, "-")))
		}
		if kind == changeCaller && c.strangers > 0 {
			fmt.Fprintf(out, "  %s: verified then, and not by a secret of these files: that is so too where a secret was exchanged since\n", deliveriesText(c.strangers))
		}
		if more := found.count - len(found.examples); more > 0 {
			fmt.Fprintf(out, "  and %d more\n", more)
		}
	}
	if c.unasked > 0 {
		fmt.Fprintf(out, "\n%s: who called cannot be asked again of %s: %s\n", clean(c.hook), deliveriesText(c.unasked), clean(c.why))
	}
	if c.unknown > 0 {
		fmt.Fprintf(out, "\n%s: arguments could not be compared of %s: the hooks in force do not tell what they were\n", clean(c.hook), deliveriesText(c.unknown))
	}
}

func cutText(text string) string {
	text = clean(text)
	if runes := []rune(text); len(runes) > maxShown {
		return string(runes[:maxShown]) + "…"
	}
	return text
}

// historyJSON is what check -against-history -o json prints.
type historyJSON struct {
	Since      time.Time        `json:"since"`
	Deliveries int              `json:"deliveries"`
	Gone       int              `json:"not_kept"`    // deliveries whose runs are kept, and they are not
	TurnedAway int              `json:"turned_away"` // of the last that made no run; nothing of them can be asked again
	Changed    bool             `json:"changed"`
	Hooks      []comparisonJSON `json:"hooks"`
}

type comparisonJSON struct {
	Hook       string        `json:"hook"`
	Deliveries int           `json:"deliveries"`
	Same       int           `json:"same"`
	Absent     int           `json:"not_in_files"`
	Unasked    int           `json:"callers_not_asked"`
	Unasking   string        `json:"callers_not_asked_because,omitempty"`
	Unknown    int           `json:"arguments_unknown"`
	Changes    []changedJSON `json:"changes"`
}

type changedJSON struct {
	What       change        `json:"what"`
	Deliveries int           `json:"deliveries"`
	Examples   []exampleJSON `json:"examples"`
}

type exampleJSON struct {
	Delivery string `json:"delivery"`
	Run      string `json:"run,omitempty"`
	Received string `json:"received"`
	Then     string `json:"then"`
	Now      string `json:"now"`
}

func (h *history) json() historyJSON {
	all := historyJSON{Since: h.since.UTC().Truncate(time.Second), Deliveries: h.deliveries, Gone: h.gone, TurnedAway: h.turnedAway, Changed: h.changed(), Hooks: []comparisonJSON{}}
	for _, c := range h.hooks {
		one := comparisonJSON{c.hook, c.deliveries, c.same, c.absent, c.unasked, c.why, c.unknown, []changedJSON{}}
		for _, kind := range changes() {
			if found := c.changes[kind]; found != nil {
				what := changedJSON{What: kind, Deliveries: found.count}
				for _, e := range found.examples {
					what.Examples = append(what.Examples, exampleJSON{e.delivery, e.run, e.received, e.then, e.now})
				}
				one.Changes = append(one.Changes, what)
			}
		}
		all.Hooks = append(all.Hooks, one)
	}
	return all
}
