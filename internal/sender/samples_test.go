package sender

import (
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
)

// named lets a delivery be read as a hook of the preset reads it.
type named struct{ *Sender }

func (n named) SenderName() string { return n.Name }

func (n named) Message(d *run.Delivery) ([]byte, string, bool) {
	message, ok := n.Unwrap(d)
	return message.Body, message.ContentType, ok
}

func (n named) EventType(d *delivery.Delivery) string { return n.Event(d) }

func (n named) SenderID(d *delivery.Delivery) string { return n.ID(d) }

// Each sender has samples, of an event that the preset finds and lists, and none
// that holds what authenticates it.
func TestSamples(t *testing.T) {
	credential := regexp.MustCompile(`(?i)^(authorization|.*-signature(-256)?|.*-token|.*-timestamp)$`)
	for _, s := range All() {
		all := s.Samples()
		if len(all) == 0 {
			t.Errorf("%s has no sample", s.Name)
		}
		for _, sample := range all {
			d := delivery.New(&run.Delivery{Method: http.MethodPost, Header: sample.Header, Body: sample.Body}, delivery.Options{Sender: named{s}})
			if event := s.Event(d); s.KnowsEvents() && event != sample.Event {
				t.Errorf("%s: the event of sample %q is %q", s.Name, sample.Event, event)
			}
			own := strings.HasPrefix(sample.Event, "/") // a command in Slack is its owner's
			if s.KnowsEvents() && len(s.Events) > 0 && !own && !slices.Contains(s.Events, sample.Event) {
				t.Errorf("%s does not list its sample's event %q", s.Name, sample.Event)
			}
			if len(sample.Body) == 0 {
				t.Errorf("%s: sample %q has no body", s.Name, sample.Event)
			}
			for name := range sample.Header {
				if credential.MatchString(name) {
					t.Errorf("%s: sample %q has the header %s", s.Name, sample.Event, name)
				}
			}
		}
	}
}

// The samples stay small: they are in each binary.
func TestSamplesAreSmall(t *testing.T) {
	size := int64(0)
	known := All()
	err := fs.WalkDir(samples, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.Split(path, "/")[1]
		if !slices.ContainsFunc(known, func(s *Sender) bool { return s.Name == name }) {
			t.Errorf("%s is of no preset", path)
		}
		info, err := entry.Info()
		size += info.Size()
		return err
	})
	if err != nil || size == 0 || size > 200<<10 {
		t.Errorf("%d bytes, %v", size, err)
	}
}

func TestHasField(t *testing.T) {
	for _, test := range []struct {
		sender string
		source delivery.Source
		name   string
		known  bool
	}{
		{"quay", delivery.Payload, "docker_url", true},
		{"quay", delivery.Payload, "updated_tags", true},
		{"quay", delivery.Payload, "updated_tags.0", true},
		{"quay", delivery.Payload, "updated_tags.#", true},
		{"quay", delivery.Payload, `updated_tags.#(%"v*")`, true}, // cannot be judged
		{"quay", delivery.Payload, "docker_uri", false},
		{"quay", delivery.Payload, "updated_tags.name", false},
		{"quay", delivery.Payload, "vulnerability.id", true},
		{"quay", delivery.Element, "anything", true},
		{"distribution", delivery.Payload, "events.0.target.repository", true},
		{"distribution", delivery.Payload, "events.12.target.repository", true},
		{"distribution", delivery.Payload, "events.#.target.repository", true},
		{"distribution", delivery.Payload, "events.target.repository", false},
		{"distribution", delivery.Payload, "events.0.target.repo", false},
		{"dockerhub", delivery.Payload, "push_data.tag", true},
		{"dockerhub", delivery.Payload, "hash", false},
		{"ecr", delivery.Payload, "detail.repository-name", true},
		{"ecr", delivery.Payload, "detail.else", true},
		{"ecr", delivery.Payload, "Message", true}, // of a message that is not JSON
		{"gar", delivery.Payload, "tag", true},
		{"gar", delivery.Payload, "message.attributes.anything", true},
		{"gar", delivery.Payload, "image", false},
		{"alertmanager", delivery.Payload, "commonLabels.team", true},
		{"alertmanager", delivery.Payload, "alerts.0.labels.team", true},
		{"alertmanager", delivery.Payload, "alert.0.labels.team", false},
		{"github", delivery.Payload, "head_commit.id", true},
		{"github", delivery.Payload, "workflow_run.head_branch", true},
		{"github", delivery.Payload, "headcommit.id", false},
		{"generic", delivery.Payload, "anything", true},
		{"github", delivery.Header, "x-github-event", true},
		{"github", delivery.Header, "X-Hub-Signature-256", true},
		{"github", delivery.Header, "X-GitHub-Evnet", false},
		{"github", delivery.Header, "X-Forwarded-For", true},
		{"github", delivery.Query, "anything", true},
	} {
		if known := Named(test.sender).HasField(test.source, test.name); known != test.known {
			t.Errorf("%s, %s %q: known %v", test.sender, test.source, test.name, known)
		}
	}
	fields := Named("distribution").Fields()
	if !slices.Contains(fields, "events.0.target.digest") || !slices.IsSorted(fields) {
		t.Errorf("fields of distribution: %q", fields)
	}
}

// Every name that Fields suggests is one that HasField knows.
func TestFieldsAreKnown(t *testing.T) {
	for _, s := range All() {
		for _, name := range s.Fields() {
			if !s.HasField(delivery.Payload, name) {
				t.Errorf("%s: %q is suggested, and not known", s.Name, name)
			}
		}
	}
}

// All presets say what an operator needs, in sentences, with the placeholders
// that the command line fills in.
func TestAbout(t *testing.T) {
	for _, s := range All() {
		if s.Name == "generic" {
			continue
		}
		about := s.About
		settings := strings.Join(about.Settings, "\n")
		if s.Title == "" || about.Auth == "" || about.Timeout == "" || about.Failure == "" || len(about.Sources) == 0 || !strings.Contains(settings, "{url}") {
			t.Errorf("%s: something is missing: %+v", s.Name, about)
		}
		if s.TakesSecret() && !strings.Contains(settings, "{secret}") && !s.IssuesSecret {
			t.Errorf("%s: its settings do not say where the secret goes", s.Name)
		}
		for _, source := range about.Sources {
			if !strings.HasPrefix(source, "https://") {
				t.Errorf("%s: the source %q is no URL", s.Name, source)
			}
		}
		if s.Repeats && !s.GivesID() {
			t.Errorf("%s repeats without an id", s.Name)
		}
	}
}
