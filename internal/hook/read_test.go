package hook_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
)

var update = flag.Bool("update", false, "rewrite what the cases in testdata/read expect")

// TestRead reads each file of testdata/read: what it shows and with which
// options ("options: template reload elsewhere"), a hook file, its problems, and the hooks
// that were read of it.
func TestRead(t *testing.T) {
	files, err := filepath.Glob("testdata/read/*.txt")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d cases, error %v", len(files), err)
	}
	t.Setenv("DEPLOY_SECRET", "s3cr3t")
	t.Setenv("CREDENTIALS_DIRECTORY", "testdata/credentials")
	t.Setenv("PAWL_TEST_SECRET", "a secret of a variable")
	t.Setenv("PAWL_TEST_UNSET", "")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input := archive.Files[0]
			hooks, problems := hook.Read(input.Name, input.Data, optionsOf(archive))
			got := &txtar.Archive{Comment: archive.Comment, Files: []txtar.File{
				input,
				{Name: "problems", Data: []byte(strings.ReplaceAll(renderProblems(problems), here, "HERE"))},
				{Name: "hooks", Data: []byte(renderHooks(hooks, problems))},
			}}
			if *update {
				if err := os.WriteFile(file, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := gocmp.Diff(string(txtar.Format(archive)), string(txtar.Format(got))); diff != "" {
				t.Errorf("not as expected (-update rewrites it) (-want +got):\n%s", diff)
			}
		})
	}
}

func optionsOf(archive *txtar.Archive) hook.Options {
	for line := range strings.Lines(string(archive.Comment)) {
		if words, ok := strings.CutPrefix(line, "options:"); ok {
			fields := strings.Fields(words)
			return hook.Options{
				Template: slices.Contains(fields, "template"), Reload: slices.Contains(fields, "reload"),
				Elsewhere: slices.Contains(fields, "elsewhere"),
			}
		}
	}
	return hook.Options{}
}

func renderProblems(problems hook.Problems) string {
	var b strings.Builder
	for _, p := range problems {
		severity := p.Severity.String()
		if p.Severity == hook.Refusal {
			severity = "refused"
		}
		fmt.Fprintf(&b, "%s: %s: %s\n", p.At, severity, p.Message())
	}
	return b.String()
}

// renderHooks shows what of hooks differs from the defaults.
func renderHooks(hooks []*hook.Hook, problems hook.Problems) string {
	if problems.Refused() {
		return "none: the file is refused\n"
	}
	var b strings.Builder
	for _, h := range hooks {
		fmt.Fprintf(&b, "%q at %d:%d\n", h.ID, h.At.Line, h.At.Column)
		show := func(what, value string) {
			if value != "" && value != "0" && value != "false" {
				fmt.Fprintf(&b, "  %s: %s\n", what, value)
			}
		}
		if h.Path != h.ID {
			show("path", h.Path)
		}
		show("command", h.Command)
		show("directory", h.Directory)
		show("arguments", renderArguments(h.Arguments))
		show("environment", renderArguments(h.Environment))
		show("files", renderArguments(h.Files))
		show("content type", h.Payload.ContentType)
		for _, ref := range h.Payload.JSONParameters {
			show("as JSON", ref.String())
		}
		show("rule", renderRule(h.Rule))
		show("soft signatures", fmt.Sprint(h.SoftSignatures))
		show("methods", strings.Join(h.Methods, " "))
		show("message", h.Message)
		for _, header := range h.Headers {
			show("header", header.Name+"="+header.Value)
		}
		show("success", fmt.Sprint(h.SuccessCode))
		show("mismatch", fmt.Sprint(h.MismatchCode))
		show("answers with output", fmt.Sprint(h.OutputInResponse))
		show("on error too", fmt.Sprint(h.OutputInResponseOnError))
		renderCallers(h, show)
		renderGroups(h, show)
		show("has keys of Pawl's", fmt.Sprint(h.Own))
	}
	return b.String()
}

// renderCallers shows who may call a hook, and which deliveries it takes.
func renderCallers(h *hook.Hook, show func(what, value string)) {
	if h.Sender != nil {
		show("sender", h.Sender.Name)
	}
	if h.Gate != nil {
		show("checks of callers", fmt.Sprint(len(h.Gate.Words()))) // their words are not this package's
		show("behind its path", fmt.Sprint(h.Gate.UsesPath()))
		show("asks for a certificate", fmt.Sprint(h.Gate.UsesCertificate()))
	}
	show("open", fmt.Sprint(h.Open))
	if h.Payload.Sender != nil {
		show("identity", cmp.Or(h.Payload.Sender.SenderName(), "of no sender"))
	}
	if h.EventType != nil {
		show("event type", h.EventType.String())
	}
	show("events", strings.Join(h.Events, " "))
	if h.When != nil {
		show("when", h.When.String())
	}
	for _, b := range h.Bounds {
		show("bound", fmt.Sprintf("%v of %s at %d:%d: %q (%v), at most %d", b.Ref, b.Of, b.At.Line, b.At.Column, b.Written, b.Pattern, b.MaxLength))
	}
	if set, ok := h.Payload.Expressions.(expression.Set); ok {
		for _, text := range slices.Sorted(maps.Keys(set)) {
			show("computes", text)
		}
	}
}

// renderGroups shows what Pawl's groups say otherwise than a hook without them.
func renderGroups(h *hook.Hook, show func(what, value string)) {
	plain := hook.Hook{
		Process: hook.Process{KillGrace: hook.DefaultKillGrace},
		Retry:   hook.Retry{Attempts: 1, Backoff: hook.DefaultBackoff, MaxBackoff: hook.DefaultMaxBackoff},
		Keep: hook.Keep{
			Runs: hook.DefaultKeepRuns, Age: hook.DefaultKeepAge,
			Output: hook.DefaultKeepOutput, Artifacts: hook.DefaultKeepArtifacts,
		},
	}
	differs := func(what string, group, plain any) {
		if !reflect.DeepEqual(group, plain) {
			text := fmt.Sprintf("%+v", group)
			show(what, strings.NewReplacer("Set:true ", "", "Source:", "", "Name:", "").Replace(text))
		}
	}
	differs("for each", *cmp.Or(h.ForEach, &delivery.Ref{}), delivery.Ref{})
	differs("delivery id", *cmp.Or(h.DeliveryID, &delivery.Ref{}), delivery.Ref{})
	differs("dedupe", h.Dedupe, plain.Dedupe)
	differs("queue", h.Queue, plain.Queue)
	stdin := cmp.Or(h.Process.Stdin, &delivery.Ref{})
	h.Process.Stdin = nil
	differs("process", h.Process, plain.Process)
	differs("stdin", *stdin, delivery.Ref{})
	differs("retry", h.Retry, plain.Retry)
	differs("answer", h.Answer, plain.Answer)
	show("on failure", h.OnFailure)
	show("on success", h.OnSuccess)
	differs("keep", h.Keep, plain.Keep)
}

func renderArguments(arguments []hook.Argument) string {
	words := make([]string, len(arguments))
	for i, a := range arguments {
		words[i] = a.Ref.String()
		if a.Variable != "" {
			words[i] += " as " + a.Variable
		}
		if a.Base64Decode {
			words[i] += " from base64"
		}
		if a.Secret != nil {
			words[i] += fmt.Sprintf(" from %v (%d set)", a.Secret.Sources(), len(a.Secret.Values()))
		}
	}
	return strings.Join(words, ", ")
}

func renderRule(r rule.Rule) string {
	list := func(name string, rules []rule.Rule) string {
		words := make([]string, len(rules))
		for i, one := range rules {
			words[i] = renderRule(one)
		}
		return name + "(" + strings.Join(words, ", ") + ")"
	}
	switch r := r.(type) {
	case nil:
		return ""
	case rule.And:
		return list("and", r)
	case rule.Or:
		return list("or", r)
	case rule.Not:
		return "not(" + renderRule(r.Rule) + ")"
	case rule.Never:
		return "never"
	}
	words := []string{strings.TrimPrefix(fmt.Sprintf("%T", r), "*rule.")}
	for _, guard := range rule.Guards(r) {
		words = append(words, string(guard))
	}
	return strings.Join(words, " ")
}
