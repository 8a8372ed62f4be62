package command_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// dangerous are variables by which a loader, a shell or an interpreter does what
// their value says.
var dangerous = []string{
	"LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "ENV", "PATH", "IFS", "PS4", "SHELLOPTS",
	"PYTHONPATH", "PYTHONSTARTUP", "PERL5OPT", "PERL5LIB", "RUBYOPT", "NODE_OPTIONS", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT",
	"PAWL_RUN_ID", "PAWL_OUTPUT", "BASH_FUNC_ls%%", "HOME", "TMPDIR", "JAVA_TOOL_OPTIONS",
}

// A sender chooses the names and the texts of all values: in a payload, in
// headers, in the query. Whatever it chooses, variables have the names that the
// hook file gives: HOOK_ and the name there, or its envname.
func TestDeliveriesNameNoVariables(t *testing.T) {
	body, query, header := map[string]any{}, url.Values{}, http.Header{}
	for _, name := range dangerous {
		for _, text := range []string{name, "HOOK_" + name, "x\n" + name + "=evil", "x\x00" + name, "=" + name} {
			body[text] = name + "=/tmp/evil.so\n" + name + "=/tmp/evil.so"
			query.Set(text, "evil")
			header[text] = []string{"evil"}
		}
	}
	body["ref"], body["envname"] = "LD_PRELOAD=/tmp/evil.so", "LD_PRELOAD"
	content, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	sources := []hook.Argument{
		argument("payload", "ref"), argument("payload", "envname"), argument("entire-payload", ""), argument("raw-request-body", ""),
		argument("entire-headers", ""), argument("entire-query", ""), argument("header", "PATH"), argument("query", "BASH_ENV"),
		argument("payload", "LD_PRELOAD"), argument("request", "method"), argument("element", ""), argument("string", "fixed"),
	}
	for _, name := range dangerous {
		sources = append(sources, argument("payload", name), argument("header", name), argument("query", name))
	}
	for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", "text/xml"} {
		header["Content-Type"] = []string{contentType}
		d := delivery.New(&run.Delivery{Method: "LD_PRELOAD=x", Header: header, RawQuery: query.Encode(), Body: content}, delivery.Options{Element: `"PATH=/tmp"`})
		h := hook.Hook{Command: "x", Environment: sources, Files: sources}
		built, err := command.Build(&h, d)
		if err != nil {
			t.Fatal(err)
		}
		if len(built.Env) < 5 || len(built.Files) < 5 {
			t.Fatalf("%s: only %d variables and %d files: nothing is tried", contentType, len(built.Env), len(built.Files))
		}
		for _, item := range built.Env {
			if name, _, _ := strings.Cut(item, "="); !strings.HasPrefix(name, "HOOK_") {
				t.Errorf("%s: a variable is named %q", contentType, name)
			}
		}
		for _, file := range built.Files {
			if !strings.HasPrefix(file.Variable, "HOOK_") {
				t.Errorf("%s: a file's variable is named %q", contentType, file.Variable)
			}
		}
	}
}

// What a hook itself names by envname it gets: that is its business.
func TestHooksNameVariables(t *testing.T) {
	h := hook.Hook{Command: "x", Environment: []hook.Argument{named("payload", "ref", "PATH")}}
	if built, err := command.Build(&h, request()); err != nil || fmt.Sprint(built.Env) != "[PATH=refs/heads/main]" {
		t.Errorf("%v: %q", err, built.Env)
	}
}

// No value becomes two arguments, an option of Pawl's, or part of another.
func TestValuesStayInTheirPlaces(t *testing.T) {
	for _, text := range []string{"", " ", "a b", "-rf /", "--", "$(id)", "`id`", ";id", "a\nb", "*", "'\"", "\\", "%s%n", "\x1b[2J", "é\u202e", "<nil>", "null"} {
		content, err := json.Marshal(map[string]string{"v": text})
		if err != nil {
			t.Fatal(err)
		}
		d := delivery.New(&run.Delivery{Header: http.Header{"Content-Type": {"application/json"}}, Body: content}, delivery.Options{})
		v := argument("payload", "v")
		h := hook.Hook{Command: "x", Arguments: []hook.Argument{argument("string", "before"), v, argument("string", "after")}, Environment: []hook.Argument{v}}
		built, err := command.Build(&h, d)
		if err != nil || len(built.Args) != 4 || built.Args[1] != "before" || built.Args[2] != text || built.Args[3] != "after" ||
			len(built.Env) != 1 || built.Env[0] != "HOOK_v="+text {
			t.Errorf("%q: %v, %q, %q", text, err, built.Args, built.Env)
		}
	}
}
