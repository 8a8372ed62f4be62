package cli

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
)

// newHookOptions is what new is told.
type newHookOptions struct {
	name, sender, script string
	directory, url       string
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
are there are left alone. pawl senders lists the senders.

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
	f.StringVar(&o.url, "url", "https://pawl.example.com/hooks", "where the sender reaches Pawl's hooks")
	f.StringArrayVar(&o.events, "event", nil, "a `type` of event that the hook takes (default: all); may be given several times")
	f.StringArrayVar(&o.topics, "topic", nil, "the `ARN` of a topic whose messages count (ecr); may be given several times")
	f.StringVar(&o.audience, "audience", "", "the `audience` of the sender's tokens (gar)")
	f.StringVar(&o.email, "email", "", "the service account that the sender's tokens name (gar)")
	return command
}

func (a *app) runNew(o *newHookOptions) error {
	s := sender.Named(o.sender)
	switch {
	case o.sender == "" || o.script == "":
		return usageError{errors.New("-sender and -script are needed")}
	case s == nil:
		var names []string
		for _, one := range sender.All() {
			names = append(names, one.Name)
		}
		return usageError{fmt.Errorf("there is no sender %q%s; pawl senders lists them", o.sender, hook.Suggestion(o.sender, names))}
	case strings.ContainsAny(o.name, `/\`) || strings.HasPrefix(o.name, "."):
		return usageError{fmt.Errorf("the name %q is that of a file and of a URL's last part: it holds no slash and begins with no dot", o.name)}
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
	if _, err := os.Stat(paths.script); err != nil {
		fmt.Fprintf(a.stderr, "note: the script is not there yet: %v\n", err)
	}
	auth, err := o.auth(s)
	if err != nil {
		return err
	}
	secret := ""
	if !signedByOthers(s) && !s.IssuesSecret {
		if secret, err = makeSecret(paths.secret); err != nil {
			return err
		}
	}
	if err := o.write(s, auth, paths); err != nil {
		if secret != "" {
			_ = os.Remove(paths.secret) // it was made for this hook
		}
		return err
	}
	a.tellNew(o, s, paths, secret)
	return nil
}

// newPaths is where the files of a new hook lie.
type newPaths struct{ hook, secret, script string }

func (o *newHookOptions) paths() (newPaths, error) {
	script, err := filepath.Abs(o.script)
	if err != nil {
		return newPaths{}, err
	}
	directory, err := filepath.Abs(o.directory)
	if err != nil {
		return newPaths{}, err
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

// auth is what the hook says of how the sender authenticates: "" where a secret
// alone is enough.
func (o *newHookOptions) auth(s *sender.Sender) (string, error) {
	switch {
	case s.Name == "ecr":
		if len(o.topics) == 0 {
			return "", usageError{errors.New("-topic is needed: the ARN of each topic whose messages count")}
		}
		return flowText(map[string]any{"sns": map[string]any{"topics": o.topics}}), nil
	case s.Name == "gar":
		if o.audience == "" || o.email == "" {
			return "", usageError{errors.New("-audience and -email are needed: those of the push subscription")}
		}
		return flowText(map[string]any{"oidc": map[string]any{"issuer": googleIssuer, "audience": o.audience, "email": o.email}}), nil
	case s.TakesSecret():
		return "", nil
	case s.Name == "generic":
		return "{ bearer: {} }", nil
	}
	return "{ path: {} }", nil
}

// googleIssuer is whose tokens Google Cloud's Pub/Sub sends
// (https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions).
const googleIssuer = "https://accounts.google.com"

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
  secret: { file: {{.}} }
{{- end}}
{{- with .Events}}
  events: {{.}}
{{- end}}
  http-methods: [POST]
  execute-command: {{.Script}}
  process:
    stdin: { source: raw-request-body }   # the script reads the request's body
    timeout: 15m
  queue: { max-concurrent: 1 }
`

// write writes the hook file.
func (o *newHookOptions) write(s *sender.Sender, auth string, paths newPaths) error {
	values := newHook{ID: flowText(o.name), Sender: s.Name, Auth: auth, Script: flowText(paths.script)}
	if !signedByOthers(s) {
		values.Secret = flowText(paths.secret)
	}
	if len(o.events) > 0 {
		values.Events = flowText(o.events)
	}
	var text bytes.Buffer
	if err := template.Must(template.New("hook").Parse(newHookText)).Execute(&text, values); err != nil {
		return fmt.Errorf("make the hook: %w", err)
	}
	if err := writeNew(paths.hook, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the hook: %w", err)
	}
	return nil
}

// signedByOthers reports whether no secret is shared with a sender: it signs with
// a key of its own.
func signedByOthers(s *sender.Sender) bool { return s.Name == "ecr" || s.Name == "gar" }

// flowText writes a value in one line of JSON, which YAML is too.
func flowText(value any) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // texts and lists of them can always be encoded
	return strings.TrimSpace(text.String())
}

// tellNew says what was written, what is wrong with it so far, and what to do now.
func (a *app) tellNew(o *newHookOptions, s *sender.Sender, paths newPaths, secret string) {
	fmt.Fprintf(a.stdout, "%s: hook %q for %s\n", paths.hook, o.name, s.Title)
	url := strings.TrimSuffix(o.url, "/") + "/" + o.name
	switch {
	case secret != "":
		fmt.Fprintf(a.stdout, "%s: its secret, for this user alone\n", paths.secret)
	case s.IssuesSecret:
		fmt.Fprintf(a.stdout, "%s is not there yet: write the secret that %s shows into it (mode 0600); until then the hook is not loaded\n", paths.secret, s.Title)
	}
	if len(s.About.Settings) > 0 {
		fmt.Fprintf(a.stdout, "\nAt the sender:\n")
		if !s.TakesSecret() && secret != "" && s.Name != "generic" {
			url += "/" + secret // auth: path
		}
		fill := strings.NewReplacer("{url}", url, "{secret}", secret)
		for i, step := range s.About.Settings {
			fmt.Fprintf(a.stdout, "%3d. %s\n", i+1, fill.Replace(step))
		}
	}
	fmt.Fprintf(a.stdout, "\nThen:\n  pawl check %[1]s\n  pawl serve -hooks %[1]s -hotreload\n  pawl send -hooks %[1]s %[2]s\n", paths.hook, o.name)
}
