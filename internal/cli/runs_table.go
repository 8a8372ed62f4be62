package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	ansi "github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/pawlhq/pawl/internal/run"
)

// column is a column of a list.
type column struct {
	title string
	cut   bool // may be cut where the terminal is narrow
	least int  // how narrow it becomes before others go, which are spare; 0: leastWidth
	spare int  // goes where it is narrower still, 1 first; 0: stays
	right bool // its numbers stand below each other
}

// leastWidth is how narrow a column that may be cut becomes.
const leastWidth = 8

// list is a table for people: without lines, and on a terminal no wider than it.
type list struct {
	columns []column
	rows    [][]string
	colour  func(row []string, at int) ansi.Colors // of a cell; nil: none
}

func (l *list) add(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	l.rows = append(l.rows, cells)
}

// print writes the list. Colours and a bound of its width are for terminals.
func (l *list) print(out io.Writer) {
	width := terminalWidth(out)
	l.fit(width)
	writer := pretty.NewWriter()
	writer.SetOutputMirror(&trimmed{out})
	style := pretty.StyleDefault
	style.Options = pretty.OptionsNoBordersAndSeparators
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	style.Format.Header = ansi.FormatDefault
	writer.SetStyle(style)
	header := pretty.Row{}
	var configs []pretty.ColumnConfig
	for i, c := range l.columns {
		header = append(header, c.title)
		if c.right {
			configs = append(configs, pretty.ColumnConfig{Number: i + 1, Align: ansi.AlignRight, AlignHeader: ansi.AlignRight})
		}
	}
	writer.SetColumnConfigs(configs)
	writer.AppendHeader(header)
	colours := width > 0 && l.colour != nil && wantsColour(out)
	for _, cells := range l.rows {
		row := pretty.Row{}
		for i, cell := range cells {
			if colours {
				cell = l.colour(cells, i).Sprint(cell)
			}
			row = append(row, cell)
		}
		writer.AppendRow(row)
	}
	writer.Render()
}

// fit cuts cells, of the widest columns first, until a row has its place.
func (l *list) fit(width int) {
	if width <= 0 {
		return
	}
	l.columns = slices.Clone(l.columns)
	widths, fits := l.widths(width)
	for !fits {
		at := l.sparest()
		if at < 0 {
			if !l.lower() {
				break
			}
			widths, fits = l.widths(width)
			continue
		}
		l.columns = slices.Delete(l.columns, at, at+1)
		for i := range l.rows {
			l.rows[i] = slices.Delete(l.rows[i], at, at+1)
		}
		widths, fits = l.widths(width)
	}
	for _, row := range l.rows {
		for i, c := range l.columns {
			if c.cut {
				row[i] = ansi.Snip(row[i], widths[i], "…")
			}
		}
	}
}

// lower lets columns become narrower, and reports whether any can.
func (l *list) lower() bool {
	lowered := false
	for i := range l.columns {
		lowered = lowered || l.columns[i].least > 0
		l.columns[i].least = max(0, l.columns[i].least-leastWidth)
	}
	return lowered
}

// sparest is the place of the column that is missed least, -1 where all must stay.
func (l *list) sparest() int {
	at := -1
	for i, c := range l.columns {
		if c.spare > 0 && (at < 0 || c.spare < l.columns[at].spare) {
			at = i
		}
	}
	return at
}

// widths gives the columns' widths in a row that is no wider than width, or as
// narrow as can be, and whether it has its place.
func (l *list) widths(width int) (widths []int, fits bool) {
	widths = make([]int, len(l.columns))
	total := 0
	for i, c := range l.columns {
		widths[i] = len(c.title)
		for _, row := range l.rows {
			widths[i] = max(widths[i], ansi.StringWidth(row[i]))
		}
		total += widths[i] + 2
	}
	for total -= 2; total > width; total-- {
		widest := -1
		for i, c := range l.columns {
			if c.cut && widths[i] > max(leastWidth, c.least) && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return widths, false
		}
		widths[widest]--
	}
	return widths, true
}

// trimmed drops blanks at the ends of lines.
type trimmed struct{ io.Writer }

func (t *trimmed) Write(p []byte) (int, error) {
	var lines []string
	for line := range strings.Lines(string(p)) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	ending := ""
	if strings.HasSuffix(string(p), "\n") {
		ending = "\n"
	}
	if _, err := io.WriteString(t.Writer, strings.Join(lines, "\n")+ending); err != nil {
		return 0, err
	}
	return len(p), nil
}

// terminalWidth is how many columns a terminal has, 0 where out is none.
func terminalWidth(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width < 1 {
		return 0
	}
	return width
}

func wantsColour(out io.Writer) bool {
	return isTerminal(out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// clean takes out of a text what could tell a terminal to do something, and
// keeps it on one line: hooks, keys and reasons may come from outside.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '·'
		}
		return r
	}, s)
}

// cleanBlock is clean for a text of several lines.
func cleanBlock(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = clean(strings.ReplaceAll(line, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}

// stateColours makes what went wrong and what goes on stand out.
func stateColours(state run.State) ansi.Colors {
	switch state {
	case run.Failed:
		return ansi.Colors{ansi.FgRed}
	case run.Succeeded:
		return ansi.Colors{ansi.FgGreen}
	case run.Running:
		return ansi.Colors{ansi.FgCyan}
	case run.Retrying, run.Held:
		return ansi.Colors{ansi.FgYellow}
	}
	return nil
}

// shortID is enough of a run's id to mean no other: within one Pawl, ids differ
// in the time that they begin with, and what of it is finer than a millisecond.
func shortID(id string) string { return id[:min(len(id), len("01234567-0123-7012"))] }

// age says how long ago something was, in one unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// took says how long something took, in three digits or so.
func took(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// bytesText says a number of bytes.
func bytesText(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	value, unit := float64(n)/(1<<10), "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB"} {
		if value < 1<<10 {
			break
		}
		value, unit = value/(1<<10), next
	}
	return fmt.Sprintf("%.1f %s", value, unit)
}

// count says how many of something there are.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
