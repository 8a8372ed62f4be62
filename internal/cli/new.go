package cli

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
)

// newHookOptions is what new is told.
type newHookOptions struct {
	name, sender, script string
	directory, url       string // url: of all hooks; empty: an example
	events               []string
	topics               []string // of SNS
	audience, email      string   // of OIDC
}

// newNew makes the command that writes a hook to begin with.
func (a *app) newNew() *cobra.Command {
	var o newHookOptions
	command := &cobra.Command{
		Use:   "new [flags] NAME",
		Short: "Write a hook file for a sender, with a secret of its own",
		Long: `Write NAME.yaml, a hook for a sender, and NAME.secret with a fresh random secret
that nobody but this user can read, and say what to enter at the sender. Files that
are there are left alone. pawl senders lists the senders. NAME is made of letters,
digits, dots, dashes and underscores: it is a part of the URL.

Exit statuses: 0 written; 1 it could not be; 2 wrong flags.`,
		Args: wantOne("NAME"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.name = args[0]
			return a.runNew(&o)
		},
	}
	f := command.Flags()
	f.StringVar(&o.sender, "sender", "", "the sender's `name`, as pawl senders lists it")
	f.StringVar(&o.script, "script", "", "the `file` that the hook runs")
	f.StringVar(&o.directory, "dir", ".", "the `directory` that the files are written to")
	f.StringVar(&o.url, "url", "", "the `URL` below which the sender reaches Pawl's hooks, as in https://hooks.example.com/hooks")
	f.StringArrayVar(&o.events, "event", nil, "a `type` of event that the hook takes (default: the sender's usual one; \"\": all); may be given several times")
	f.StringArrayVar(&o.topics, "topic", nil, "the `ARN` of a topic whose messages count (ecr); may be given several times")
	f.StringVar(&o.audience, "audience", "", "the `audience` of the sender's tokens (gar)")
	f.StringVar(&o.email, "email", "", "the service account that the sender's tokens name (gar)")
	return command
}

func (a *app) runNew(o *newHookOptions) error {
	s, err := o.check()
	if err != nil {
		return err
	}
	paths, err := o.paths()
	if err != nil {
		return err
	}
	for _, path := range []string{paths.hook, paths.secret} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already, and is left alone: choose another name or -dir", path)
		}
	}
	text, err := o.text(s, paths)
	if err != nil {
		return err
	}
	a.noteNew(o, s, paths)
	secret := ""
	if !s.Start.Keyless && !s.IssuesSecret {
		if secret, err = makeSecret(paths.secret); err != nil {
			return err
		}
	}
	if err := writeNew(paths.hook, text, 0o644); err != nil {
		if secret != "" {
			_ = os.Remove(paths.secret) // it was made for this hook
		}
		return fmt.Errorf("write the hook: %w", err)
	}
	a.tellNew(o, s, paths, secret)
	return nil
}

// plainName is a name that is the same in a URL, as a file and in a shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*$`)

// check finds what is wrong with the flags, and the sender that they name.
func (o *newHookOptions) check() (*sender.Sender, error) {
	if o.sender == "" || o.script == "" {
		return nil, usageError{errors.New("-sender and -script are needed")}
	}
	s, err := namedSender(o.sender)
	switch {
	case err != nil:
		return nil, err
	case !plainName.MatchString(o.name):
		return nil, usageError{fmt.Errorf("the name %q is that of a file and a part of a URL: write letters, digits, dots, dashes and underscores, and begin with none of dot and dash", o.name)}
	case o.url != "":
		if err := checkURL(o.url); err != nil {
			return nil, err
		}
	}
	needs := s.Needs()
	for _, flag := range []struct {
		need, name, what string
		given            bool
	}{
		{"topics", "-topic", "the ARN of each topic whose messages count", len(o.topics) > 0},
		{"audience", "-audience", "for whom the push subscription has its tokens made", o.audience != ""},
		{"email", "-email", "the service account of the push subscription", o.email != ""},
	} {
		switch needed := slices.Contains(needs, flag.need); {
		case needed && !flag.given:
			return nil, usageError{fmt.Errorf("%s is needed for %s: %s", flag.name, s.Title, flag.what)}
		case flag.given && !needed:
			return nil, usageError{fmt.Errorf("%s is nothing that %s has: leave it out", flag.name, s.Title)}
		}
	}
	return s, nil
}

// checkURL checks a URL of hooks.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return usageError{fmt.Errorf("-url: %q is no URL of hooks, as https://hooks.example.com/hooks is", text)}
	}
	return nil
}

// noteNew says what is odd about what was asked, though a hook can be made of it.
func (a *app) noteNew(o *newHookOptions, s *sender.Sender, paths newPaths) {
	if _, err := os.Stat(paths.script); err != nil {
		fmt.Fprintf(a.stderr, "note: the script is not there yet: %v\n", err)
	}
	for _, event := range o.events {
		if event != "" && len(s.Events) > 0 && !slices.Contains(s.Events, event) {
			fmt.Fprintf(a.stderr, "note: %s is not known to send the event %q%s\n", s.Title, event, hook.Suggestion(event, s.Events))
		}
	}
}

// newPaths is where the files of a new hook lie.
type newPaths struct{ hook, secret, script string }

func (o *newHookOptions) paths() (newPaths, error) {
	script, err := filepath.Abs(o.script)
	if err != nil {
		return newPaths{}, err
	}
	if info, err := os.Stat(script); err == nil && !info.Mode().IsRegular() {
		return newPaths{}, fmt.Errorf("%s is no file that could be run: name the script itself", script)
	}
	directory, err := filepath.Abs(o.directory)
	if err != nil {
		return newPaths{}, err
	}
	if info, err := os.Stat(directory); err != nil || !info.IsDir() {
		return newPaths{}, fmt.Errorf("there is no directory %s: make it, or name another with -dir", directory)
	}
	base := filepath.Join(directory, o.name)
	return newPaths{base + ".yaml", base + ".secret", script}, nil
}

// secretBytes is how long a fresh secret is.
const secretBytes = 32

// makeSecret writes a fresh secret to a file for this user alone.
func makeSecret(path string) (string, error) {
	random := make([]byte, secretBytes)
	if _, err := rand.Read(random); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(random) // it may become part of a URL
	if err := writeNew(path, []byte(text+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("write the secret: %w", err)
	}
	return text, nil
}

// newHook is a hook to begin with, as it is written.
type newHook struct {
	ID, Sender, Auth, Secret, Script string
	Events                           string
}

const newHookText = `# yaml-language-server: $schema=hooks.schema.json
# (pawl schema > hooks.schema.json; an editor then completes and checks this file)
- id: {{.ID}}
  sender: {{.Sender}}
{{- with .Auth}}
  auth: {{.}}
{{- end}}
{{- with .Secret}}
  secret: {{.}}
{{- end}}
{{- with .Events}}
  events: {{.}}   # others run nothing; without this line all count
{{- end}}
  http-methods: [POST]
  execute-command: {{.Script}}
  process:
    stdin: { source: raw-request-body }   # the script reads the request's body
    timeout: 15m
  queue: { max-concurrent: 1 }
`

// stand is what stands in for a secret while a hook is tried: it is a key for
// every sender. It is no secret.
const stand = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// text makes the hook file, and reads it as Pawl will.
func (o *newHookOptions) text(s *sender.Sender, paths newPaths) ([]byte, error) {
	values := newHook{ID: flowText(o.name), Sender: s.Name, Auth: s.StartAuth(o.operator("")), Script: flowText(paths.script)}
	if events := o.takes(s); len(events) > 0 {
		values.Events = flowText(events)
	}
	tried := values
	if !s.Start.Keyless {
		values.Secret, tried.Secret = "{ file: "+flowText(paths.secret)+" }", flowText(stand)
	}
	text, err := values.text()
	if err != nil {
		return nil, err
	}
	trial, err := tried.text()
	if err != nil {
		return nil, err
	}
	_, problems := hook.Read(paths.hook, trial, hook.Options{})
	for _, problem := range problems {
		if problem.Severity != hook.Warning {
			return nil, fmt.Errorf("such a hook would not be loaded, so nothing is written: %s", problem.Text)
		}
	}
	return text, nil
}

func (h newHook) text() ([]byte, error) {
	var text bytes.Buffer
	if err := template.Must(template.New("hook").Parse(newHookText)).Execute(&text, h); err != nil {
		return nil, fmt.Errorf("make the hook: %w", err)
	}
	return text.Bytes(), nil
}

// takes is the events that the hook takes; none: all.
func (o *newHookOptions) takes(s *sender.Sender) []string {
	if o.events == nil {
		return s.UsualEvents()
	}
	return slices.DeleteFunc(slices.Clone(o.events), func(event string) bool { return event == "" })
}

// operator is what is known of the hook.
func (o *newHookOptions) operator(secret string) sender.Operator {
	base := o.url
	if base == "" {
		base = exampleURL
	}
	return sender.Operator{
		URL: strings.TrimSuffix(base, "/") + "/" + o.name, Secret: secret,
		Topics: o.topics, Audience: o.audience, Email: o.email,
	}
}

// flowText writes a value in one line of JSON, which YAML is too.
func flowText(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // texts and lists of them can always be encoded
	return strings.TrimSpace(text.String())
}
