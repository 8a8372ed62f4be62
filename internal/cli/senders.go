package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/secret"
	"github.com/pawlhq/pawl/internal/sender"
)

// sendersOptions is what senders is told.
type sendersOptions struct {
	name   string // empty: all
	url    string // of the hook; empty: an example
	output outputFlag
}

func (a *app) newSenders() *cobra.Command {
	var o sendersOptions
	command := &cobra.Command{
		Use:   "senders [flags] [NAME]",
		Short: "List the senders that Pawl knows, or tell what one does and what to enter there",
		Long: `List the senders that Pawl knows: the values of sender in a hook file. Of one of
them tell how it authenticates its deliveries, what it does when one fails, what to
enter on its settings page, a hook to begin with, and what of this is uncertain.
pawl new writes such a hook, with a secret of its own.

Exit statuses: 0 told; 2 wrong flags, or no such sender.`,
		Example: `  pawl senders
  pawl senders quay -url https://hooks.example.com/hooks/quay-scan`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("give one NAME, not %d", len(args))}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.name = args[0]
			}
			return a.runSenders(&o)
		},
	}
	command.Flags().StringVar(&o.url, "url", "", "the hook's `URL`, as the sender reaches it (default: an example)")
	addOutput(command, &o.output, "text", "json")
	return command
}

func (a *app) runSenders(o *sendersOptions) error {
	all := sender.All()
	if o.url != "" {
		if err := checkURL(o.url); err != nil {
			return err
		}
	}
	if o.name == "" {
		if o.output.json() {
			told := make([]senderJSON, 0, len(all))
			for _, s := range all {
				told = append(told, describe(s, o.url))
			}
			return printJSON(a.stdout, told)
		}
		listSenders(all).print(a.stdout)
		if isTerminal(a.stdout) {
			fmt.Fprintln(a.stderr, "(pawl senders NAME tells more of one)")
		}
		return nil
	}
	s, err := namedSender(o.name)
	if err != nil {
		return err
	}
	if o.output.json() {
		return printJSON(a.stdout, describe(s, o.url))
	}
	printSender(a.stdout, s, o.url)
	return nil
}

// namedSender is the sender of that name.
func namedSender(name string) (*sender.Sender, error) {
	if s := sender.Named(name); s != nil {
		return s, nil
	}
	var names []string
	for _, known := range sender.All() {
		names = append(names, known.Name)
	}
	return nil, usageError{fmt.Errorf("there is no sender %q%s; pawl senders lists them", name, hook.Suggestion(name, names))}
}

// listSenders makes the list of senders.
func listSenders(all []*sender.Sender) *list {
	l := &list{columns: []column{
		{title: "NAME"}, {title: "SENDER", cut: true, spare: 2}, {title: "AUTHENTICATION", cut: true}, {title: "FURTHER TRIES", cut: true, spare: 1},
	}}
	for _, s := range all {
		l.add(s.Name, s.Title, authenticates(s), s.About.Tries)
	}
	return l
}

// authenticates says in a few words how a sender's deliveries are authenticated.
func authenticates(s *sender.Sender) string {
	if s.About.Brief != "" {
		return s.About.Brief
	}
	gate, errs := sender.NewGate(sender.Config{Sender: s, Secret: secret.NewSet([]secret.Source{{Text: secret.New("example")}}, nil)})
	if len(errs) > 0 {
		return s.About.Auth
	}
	words := strings.Join(gate.Words(), ", ")
	words = strings.TrimPrefix(strings.TrimPrefix(words, "an "), "a ")
	return strings.NewReplacer(" in header Authorization", " (Authorization)", " signature in header ", ", ", " in header ", " in ").Replace(words)
}

// exampleSecret stands where a secret is to be entered.
const exampleSecret = "SECRET"

// exampleURL is where the hooks of an example are reached.
const exampleURL = "https://pawl.example.com/hooks"

// example is a hook of a sender, with a stand-in for its secret; url is its own,
// empty: an example's.
func example(s *sender.Sender, url string) sender.Operator {
	if url == "" {
		url = exampleURL + "/" + s.Name
	}
	return sender.Operator{URL: url, Secret: exampleSecret}
}

// exampleHook is a hook to begin with.
func exampleHook(s *sender.Sender, url string) string {
	lines := []string{"- id: " + s.Name, "  sender: " + s.Name}
	if auth := s.StartAuth(example(s, url)); auth != "" {
		lines = append(lines, "  auth: "+auth)
	}
	if !s.Start.Keyless {
		lines = append(lines, "  secret: { file: /run/secrets/"+s.Name+" }")
	}
	if events := s.UsualEvents(); len(events) > 0 {
		for i := range events {
			events[i] = inBrackets(events[i])
		}
		lines = append(lines, "  events: ["+strings.Join(events, ", ")+"]")
	}
	lines = append(lines,
		"  execute-command: /usr/local/bin/on-"+s.Name,
		"  pass-arguments-to-command:",
		"    - { source: payload, name: "+s.Start.Field+" }")
	return strings.Join(lines, "\n") + "\n"
}

// inBrackets writes an event type so that YAML takes it for a text within brackets.
func inBrackets(event string) string {
	if strings.ContainsAny(event, `:{}[],&*#?|-<>=!%@\ `) {
		return `"` + event + `"`
	}
	return event
}

// senderJSON is a sender as -o json tells it.
type senderJSON struct {
	Name         string   `json:"name"`
	Title        string   `json:"title"`
	Events       []string `json:"events"`
	GivesID      bool     `json:"gives_id"`
	Repeats      bool     `json:"repeats"`
	SwitchesOff  bool     `json:"switches_off"`
	TakesSecret  bool     `json:"takes_secret"`
	IssuesSecret bool     `json:"issues_secret"`
	Auth         string   `json:"auth"`
	Timeout      string   `json:"timeout"`
	Failure      string   `json:"failure"`
	GivesUp      string   `json:"gives_up"`
	Settings     []string `json:"settings"`
	Hook         string   `json:"hook"`
	Remarks      []string `json:"remarks"`
	Uncertain    []string `json:"uncertain"`
	Sources      []string `json:"sources"`
}

func describe(s *sender.Sender, url string) senderJSON {
	some := func(texts []string) []string { return append([]string{}, texts...) } // never null
	about := s.About
	return senderJSON{
		s.Name, s.Title, some(s.Events), s.GivesID(), s.Repeats, s.SwitchesOff, s.TakesSecret(), s.IssuesSecret,
		about.Auth, about.Timeout, about.Failure, about.GivesUp, some(s.Steps(example(s, url))), exampleHook(s, url),
		some(about.Remarks), some(about.Uncertain), some(about.Sources),
	}
}

// printSender tells of one sender.
func printSender(out io.Writer, s *sender.Sender, url string) {
	p := &paragraphs{out: out, width: 80}
	if width := terminalWidth(out); width > 0 {
		p.width = max(40, min(width, 100))
	}
	about := s.About
	fmt.Fprintf(out, "%s (sender: %s)\n", s.Title, s.Name)
	p.section("How it authenticates", about.Auth)
	p.section("What it does")
	p.item("Waits", about.Timeout)
	p.item("On failure", about.Failure)
	p.item("Gives up", about.GivesUp)
	if s.SwitchesOff {
		p.item("In Pawl", "It stops calling after failures, so a delivery that is authentic but does not fit is answered with 200 and the reason, and one that meets a full queue is accepted all the same.")
	}
	switch {
	case s.Repeats:
		p.item("Same again", "It gives each delivery an id, by which Pawl drops repetitions for 24 h (dedupe).")
	case s.GivesID():
		p.item("Same again", "It gives each delivery an id; only a person repeats one, so repetitions run again unless dedupe says otherwise.")
	case s.KnowsEvents():
		p.item("Same again", "It gives no id, so a repetition runs again.")
	}
	p.item("Events", strings.Join(s.Events, ", "))
	p.steps("What to enter there", s.Steps(example(s, url)))
	p.section("A hook to begin with")
	for line := range strings.Lines(exampleHook(s, url)) {
		fmt.Fprint(out, "  "+line)
	}
	p.bullets("Good to know", about.Remarks)
	p.bullets("Uncertain (no source says it)", about.Uncertain)
	p.bullets("Sources", about.Sources)
}

// paragraphs prints texts in lines that are no wider than width.
type paragraphs struct {
	out   io.Writer
	width int
}

func (p *paragraphs) section(title string, texts ...string) {
	fmt.Fprintf(p.out, "\n%s\n", title)
	for _, text := range texts {
		p.print("  ", "  ", text)
	}
}

// item prints a text beside its name; nothing where it is empty.
func (p *paragraphs) item(name, text string) {
	if text != "" {
		p.print(fmt.Sprintf("  %-11s ", name), strings.Repeat(" ", 14), text)
	}
}

func (p *paragraphs) bullets(title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	p.section(title)
	for _, text := range texts {
		p.print("  - ", "    ", text)
	}
}

// steps prints what is to be done in order. What is typed there is not broken
// into lines, so that it can be copied.
func (p *paragraphs) steps(title string, texts []string) {
	if len(texts) == 0 {
		return
	}
	p.section(title)
	for i, text := range texts {
		fmt.Fprintf(p.out, "%4d. %s\n", i+1, text)
	}
}

// print breaks a text at blanks.
func (p *paragraphs) print(first, others, text string) {
	line, empty := first, true
	for _, word := range strings.Fields(text) {
		if !empty && len([]rune(line))+1+len([]rune(word)) > p.width {
			fmt.Fprintln(p.out, line)
			line, empty = others, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(p.out, strings.TrimRight(line, " "))
}
