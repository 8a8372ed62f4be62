package command_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

// key is what nothing that is shown may hold.
const key = "k3y-0f-the-d00r"

func ofSecret(variable string, sources ...secret.Source) hook.Argument {
	return hook.Argument{Ref: delivery.Ref{Source: delivery.String}, Variable: variable, Secret: secret.NewSet(sources, nil)}
}

// keyed is a delivery whose headers and query hold the key where they let
// somebody in.
func keyed() *delivery.Delivery {
	return delivery.New(&run.Delivery{
		RawQuery: "token=" + key + "&page=2", Body: []byte(`{"ref":"main"}`),
		Header: http.Header{"Content-Type": {"application/json"}, "X-Token": {key}, "Authorization": {"Bearer " + key}, "X-Event": {"push"}},
	}, delivery.Options{})
}

// A secret reaches the script whole, and nothing that is shown.
func TestSecretsAreHandedOverAndNeverShown(t *testing.T) {
	text := secret.Source{Text: secret.New(key)}
	tests := map[string]struct {
		hook  hook.Hook
		given string // what the script is given, all of it
		shown string
	}{
		"an argument": {
			hook.Hook{Arguments: []hook.Argument{argument("payload", "ref"), ofSecret("", text)}},
			"[x main " + key + "] [] [] ", "[x main ***] [] [] ",
		},
		"of several the first": {
			hook.Hook{Arguments: []hook.Argument{ofSecret("", text, secret.Source{Text: secret.New("older")})}},
			"[x " + key + "] [] [] ", "[x ***] [] [] ",
		},
		"a variable": {
			hook.Hook{Environment: []hook.Argument{ofSecret("TOKEN", text), named("payload", "ref", "REF")}},
			"[x] [TOKEN=" + key + " REF=main] [] ", "[x] [TOKEN=*** REF=main] [] ",
		},
		"a variable that is set again": {
			hook.Hook{Environment: []hook.Argument{ofSecret("A", text), named("payload", "ref", "A"), named("payload", "ref", "B"), ofSecret("B", text)}},
			"[x] [A=main B=" + key + "] [] ", "[x] [A=main B=***] [] ",
		},
		"a file": {
			hook.Hook{Files: []hook.Argument{ofSecret("KEY_FILE", text), named("payload", "ref", "REF_FILE")}},
			"[x] [] [{KEY_FILE " + key + "} {REF_FILE main}] ", "[x] [] [{KEY_FILE ***} {REF_FILE main}] ",
		},
		"credentials of the delivery": {
			hook.Hook{
				Arguments:   []hook.Argument{argument("header", "x-token"), argument("query", "token"), argument("query", "page"), argument("header", "X-Event")},
				Environment: []hook.Argument{named("header", "Authorization", "AUTH")},
				Process:     hook.Process{Stdin: &delivery.Ref{Source: delivery.Header, Name: "X-Token"}},
			},
			"[x " + key + " " + key + " 2 push] [AUTH=Bearer " + key + "] [] " + key, "[x *** *** 2 push] [AUTH=***] [] ***",
		},
		"all headers, all of the query": {
			hook.Hook{Arguments: []hook.Argument{argument("entire-query", "")}, Files: []hook.Argument{named("entire-headers", "", "H")}},
			`[x {"page":"2","token":"` + key + `"}] [] [{H {"Authorization":"Bearer ` + key + `","Content-Type":"application/json","X-Event":"push","X-Token":"` + key + `"}}] `,
			"[x ***] [] [{H ***}] ",
		},
	}
	for name, tt := range tests {
		tt.hook.Command = "x"
		built, err := command.Build(&tt.hook, keyed())
		if err != nil || len(built.Missing) > 0 {
			t.Errorf("%s: %v, missing %v", name, err, built.Missing)
		}
		if diff := cmp.Diff(tt.given, inWords(built)); diff != "" {
			t.Errorf("%s: the script's (-want +got):\n%s", name, diff)
		}
		shown := built.Shown()
		if diff := cmp.Diff(tt.shown, inWords(shown)); diff != "" {
			t.Errorf("%s: shown (-want +got):\n%s", name, diff)
		}
		if text := fmt.Sprintf("%+v %#v", shown, shown); strings.Contains(text, key) {
			t.Errorf("%s: shown it holds the secret", name)
		}
		if diff := cmp.Diff(tt.given, inWords(built)); diff != "" {
			t.Errorf("%s: to show it changed it (-want +got):\n%s", name, diff)
		}
	}
}

func inWords(c command.Command) string {
	var files []string
	for _, file := range c.Files {
		files = append(files, fmt.Sprintf("{%s %s}", file.Variable, file.Content))
	}
	return fmt.Sprintf("%v %v %v %s", c.Args, c.Env, files, c.Stdin)
}

// What an expression makes of a credential is one.
func TestComputedCredentialsAreNeverShown(t *testing.T) {
	const made, plain = `"key " + headers["x-token"]`, `"event " + headers["x-event"]`
	h := hook.Hook{Command: "x", Arguments: []hook.Argument{argument("cel", made), argument("cel", plain)}}
	h.Payload.Expressions = expression.Set{made: computation(t, made), plain: computation(t, plain)}
	built, err := command.Build(&h, delivery.New(keyed().Delivery, h.Payload))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"x", "key " + key, "event push"}, built.Args); diff != "" {
		t.Errorf("the script's (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"x", "***", "event push"}, built.Shown().Args); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func computation(t *testing.T, text string) *expression.Program {
	t.Helper()
	p, errs := expression.Computation(text)
	if p == nil {
		t.Fatal(errs)
	}
	return p
}

// A secret that is not set is told, and its place stays empty.
func TestSecretThatIsNotSet(t *testing.T) {
	none := secret.Source{File: t.TempDir() + "/none"}
	h := hook.Hook{Command: "x", Arguments: []hook.Argument{ofSecret("", none), argument("payload", "ref")}, Environment: []hook.Argument{ofSecret("TOKEN", none)}}
	built, err := command.Build(&h, keyed())
	if err != nil || !cmp.Equal(built.Args, []string{"x", "", "main"}) || len(built.Env) > 0 || len(built.Missing) != 2 {
		t.Fatalf("%v: %+v", err, built)
	}
	if want := "a secret for the script is not set: file " + none.File; built.Missing[0].Error() != want {
		t.Errorf("told is %q, want %q", built.Missing[0], want)
	}
}

// Errors tell nothing of what is secret either: not that of a value which cannot
// be base64, nor that of one which no argument can hold.
func TestErrorsHoldNoSecrets(t *testing.T) {
	odd := secret.Source{Text: secret.New(key + "\x00!")}
	file := ofSecret("F", odd)
	file.Base64Decode = true
	for name, h := range map[string]hook.Hook{
		"an argument with NUL":           {Arguments: []hook.Argument{ofSecret("", odd)}},
		"a variable with NUL":            {Environment: []hook.Argument{ofSecret("V", odd)}},
		"a file that is no base64":       {Files: []hook.Argument{file}},
		"a credential that is no base64": {Files: []hook.Argument{decoded(argument("header", "Authorization"))}},
	} {
		if _, err := command.Build(&h, keyed()); err == nil || strings.Contains(err.Error(), key[:4]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
