package sender

import (
	"encoding/json"
	"slices"
	"strings"
)

// Start is what a hook for a sender begins with: what pawl new writes and pawl
// senders shows.
type Start struct {
	// Auth is the hook's auth in a line of YAML, in which {topics}, {audience} and
	// {email} stand for what only the operator knows; "" where a secret alone is
	// enough.
	Auth string

	// Keyless says that no secret is shared: the sender signs with a key of its own.
	Keyless bool

	// Events are those that a hook is likely to be for; nil: the first of the
	// sender's.
	Events []string

	Field string // a payload value that its script is likely to want

	Example Operator // of what Auth needs, for people to see; its URL and Secret do not count
}

// inPath is the auth of a sender that can keep nothing but a URL.
const inPath = "{ path: {} }"

// Operator is what only the operator knows of a hook that begins.
type Operator struct {
	URL      string // of the hook, without a secret
	Secret   string // "" where there is none yet
	Topics   []string
	Audience string
	Email    string
}

// Needs names what the operator must say besides a secret: some of topics,
// audience, email.
func (s *Sender) Needs() []string {
	var needs []string
	for _, name := range []string{"topics", "audience", "email"} {
		if strings.Contains(s.Start.Auth, "{"+name+"}") {
			needs = append(needs, name)
		}
	}
	return needs
}

// UsualEvents are the event types that a hook is likely to be for; none where the
// preset does not find them.
func (s *Sender) UsualEvents() []string {
	switch {
	case !s.KnowsEvents():
		return nil
	case s.Start.Events != nil:
		return slices.Clone(s.Start.Events)
	}
	return slices.Clone(s.Events[:min(len(s.Events), 1)])
}

// StartAuth is the auth of a hook that begins, in a line of YAML; "" where it
// needs none. What the operator did not say is as in the example.
func (s *Sender) StartAuth(o Operator) string {
	o = s.completed(o)
	return strings.NewReplacer("{topics}", flow(o.Topics), "{audience}", flow(o.Audience), "{email}", flow(o.Email)).Replace(s.Start.Auth)
}

// Steps are what to enter at the sender, in order. What the operator did not say
// is as in the example.
func (s *Sender) Steps(o Operator) []string {
	o = s.completed(o)
	url := o.URL
	if s.Start.Auth == inPath {
		url += "/" + o.Secret
	}
	topic := ""
	if len(o.Topics) > 0 {
		topic = o.Topics[0]
	}
	fill := strings.NewReplacer("{url}", url, "{secret}", o.Secret, "{topic}", topic, "{audience}", o.Audience, "{email}", o.Email)
	steps := make([]string, len(s.About.Settings))
	for i, step := range s.About.Settings {
		steps[i] = fill.Replace(step)
	}
	return steps
}

// completed puts the example in the place of what was not said. A token is
// usually made for the hook's URL.
func (s *Sender) completed(o Operator) Operator {
	example := s.Start.Example
	if o.Topics == nil {
		o.Topics = example.Topics
	}
	if o.Audience == "" {
		o.Audience = o.URL
	}
	if o.Email == "" {
		o.Email = example.Email
	}
	return o
}

// flow writes a text or a list of them in one line of JSON, which YAML is too.
func flow(value any) string {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // texts and lists of them can always be encoded
	return strings.TrimSpace(text.String())
}
