package runner

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

// pushes is a sender whose event type stands in a header.
type pushes struct{}

func (pushes) SenderName() string                           { return "github" }
func (pushes) Message(*run.Delivery) ([]byte, string, bool) { return nil, "", false }
func (pushes) SenderID(*delivery.Delivery) string           { return "" }
func (pushes) EventType(d *delivery.Delivery) string        { return d.Header.Get("X-Github-Event") }

func TestSenderAndEvent(t *testing.T) {
	for name, test := range map[string]struct {
		sender delivery.Sender
		event  string
		origin run.OriginKind
		want   string
	}{
		"no sender":                    {nil, "push", "", ""},
		"a sender":                     {pushes{}, "push", "", "PAWL_EVENT=push PAWL_SENDER=github"},
		"a replay":                     {pushes{}, "push", run.Replay, "PAWL_EVENT=push PAWL_SENDER=github"},
		"no event":                     {pushes{}, "", "", "PAWL_SENDER=github"},
		"an event that is too long":    {pushes{}, strings.Repeat("x", maxEvent+1), "", "PAWL_SENDER=github"},
		"an event with a NUL byte":     {pushes{}, "push\x00", "", "PAWL_SENDER=github"},
		"an event with a line end":     {pushes{}, "push\nPATH=x", "", "PAWL_EVENT=push\nPATH=x PAWL_SENDER=github"},
		"what follows from a run":      {nil, "", run.OnFailure, "PAWL_EVENT=on-failure"},
		"the same, of a sender's hook": {pushes{}, "push", run.OnSuccess, "PAWL_EVENT=on-success"},
	} {
		h := &hook.Hook{ID: "h"}
		h.Payload.Sender = test.sender
		r := attempt("h")
		r.Delivery.Header = http.Header{"X-Github-Event": {test.event}}
		r.Delivery.Origin.Kind = test.origin
		var got []string
		for _, item := range environmentOf(t, h, &r) {
			if strings.HasPrefix(item, "PAWL_SENDER=") || strings.HasPrefix(item, "PAWL_EVENT=") {
				got = append(got, item)
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// environmentOf is what a script of the hook finds, without a directory of its
// own.
func environmentOf(t *testing.T, h *hook.Hook, attempt *run.Run) []string {
	t.Helper()
	r := New(Options{Environment: []string{"PATH=/bin", "HOME=/root"}, Log: zerolog.Nop()})
	built, of, err := r.build(h, attempt)
	if err != nil {
		t.Fatal(err)
	}
	return r.environment(h, attempt, place{}, of, built.Env)
}

// No value of a delivery takes the place of what Pawl tells, whether Pawl has
// something to tell there or not; and none becomes another variable.
func TestNoValueIsAVariableOfPawls(t *testing.T) {
	h := &hook.Hook{ID: "h"}
	for _, name := range []string{
		"PAWL_RUN_ID", "PAWL_HOOK_ID", "PAWL_ATTEMPT", "PAWL_DELIVERY_ID", "PAWL_SENDER", "PAWL_EVENT",
		"PAWL_ARTIFACTS", "PAWL_SUMMARY", "PAWL_OUTPUT", "PAWL_X", "pawl_sender", "Pawl_",
	} {
		h.Environment = append(h.Environment, hook.Argument{Ref: delivery.Ref{Source: delivery.Payload, Name: "v"}, Variable: name})
	}
	h.Environment = append(h.Environment, hook.Argument{Ref: delivery.Ref{Source: delivery.Payload, Name: "v"}, Variable: "OWN"})
	r := attempt("h")
	r.Delivery.Header = http.Header{"Content-Type": {"application/json"}}
	r.Delivery.Body = []byte(`{"v":"evil\nPAWL_RUN_ID=evil"}`)
	env := environmentOf(t, h, &r)
	for _, item := range env {
		if strings.Contains(item, "evil") && !strings.HasPrefix(item, "OWN=") {
			t.Errorf("a value became %q", item)
		}
	}
	for _, want := range []string{"OWN=evil\nPAWL_RUN_ID=evil", "PAWL_RUN_ID=" + r.ID, "PATH=/bin", "HOME=/root"} {
		if !slices.Contains(env, want) {
			t.Errorf("%q is missing in %q", want, env)
		}
	}
}

// Whatever is logged of a run, at any level, a secret is not in it: neither one
// that the hook gives its script nor a credential of the delivery.
func TestTheLogHoldsNoSecrets(t *testing.T) {
	const key = "k3y-0f-the-d00r"
	given := func(text, variable string) hook.Argument {
		set := secret.NewSet([]secret.Source{{Text: secret.New(text)}}, nil)
		return hook.Argument{Ref: delivery.Ref{Source: delivery.String}, Secret: set, Variable: variable}
	}
	header := hook.Argument{Ref: delivery.Ref{Source: delivery.Header, Name: "X-Token"}}
	for name, change := range map[string]func(h *hook.Hook){
		"that runs":              func(*hook.Hook) {},
		"an argument with NUL":   func(h *hook.Hook) { h.Arguments = append(h.Arguments, given(key+"\x00", "")) },
		"a variable with NUL":    func(h *hook.Hook) { h.Environment = append(h.Environment, given(key+"\x00", "V")) },
		"too long for a program": func(h *hook.Hook) { h.Arguments = append(h.Arguments, given(strings.Repeat(key, 300_000), "")) },
		"no program":             func(h *hook.Hook) { h.Command = "/nonexistent/" },
	} {
		var log bytes.Buffer
		s := newScene(t, "stdin", func(h *hook.Hook) {
			h.Arguments = append(h.Arguments, given(key, ""), header)
			h.Environment = append(h.Environment, given(key, "TOKEN"))
			h.Files = append(h.Files, given(key, "FILE"))
			change(h)
		})
		s.options.Log = zerolog.New(&log).Level(zerolog.TraceLevel)
		r := attempt("h")
		r.Delivery.Header.Set("X-Token", run.Withheld)
		r.Delivery.Credentials = &run.Credentials{Header: http.Header{"X-Token": {key}}}
		outcome := s.Run(t.Context(), r, nil)
		if ran := outcome.End == run.Exited; ran != (name == "that runs") {
			t.Errorf("%s: %+v", name, outcome)
		}
		if log.Len() == 0 || name == "that runs" && !strings.Contains(log.String(), "executing") {
			t.Errorf("%s: nothing is logged: %s", name, log.String())
		}
		if strings.Contains(log.String(), key) || strings.Contains(outcome.Reason, key) {
			t.Errorf("%s: the secret is in the log or the reason", name)
		}
	}
}
