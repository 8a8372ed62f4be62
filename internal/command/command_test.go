package command_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

const body = `{
	"ref": "refs/heads/main", "n": 1.50, "yes": true, "null": null, "empty": "",
	"commits": [{"id": "c0", "author": {"name": "é \"q\""}}], "shell": "$(touch x); 'a' \n b",
	"base64": "aGVsbG8=", "raw": "aGVsbG8", "url": "-_-_", "odd": "a!"
}`

func request() *delivery.Delivery {
	return delivery.New(&run.Delivery{
		Method: "POST", RemoteAddr: "192.0.2.1:5", RawQuery: "token=t",
		Header: http.Header{"Content-Type": {"application/json"}, "X-Event": {"push"}},
		Body:   []byte(body),
	}, delivery.Options{})
}

func argument(source delivery.Source, name string) hook.Argument {
	return hook.Argument{Ref: delivery.Ref{Source: source, Name: name}}
}

func named(source delivery.Source, name, variable string) hook.Argument {
	a := argument(source, name)
	a.Variable = variable
	return a
}

func decoded(a hook.Argument) hook.Argument {
	a.Base64Decode = true
	return a
}

var buildCases = []struct {
	name string
	hook hook.Hook
	want command.Command // its Missing is below
	miss []string
	err  string
}{
	{
		name: "nothing but the command",
		hook: hook.Hook{Command: "scripts/x.sh", Directory: "/srv"},
		want: command.Command{Name: "scripts/x.sh", Directory: "/srv", Args: []string{"scripts/x.sh"}},
	},
	{
		name: "arguments, each one argument whatever it holds",
		hook: hook.Hook{Command: "x", Arguments: []hook.Argument{
			argument("payload", "ref"), argument("payload", "n"), argument("payload", "yes"), argument("payload", "null"),
			argument("payload", "empty"), argument("payload", "commits.0.author"), argument("payload", "shell"),
			argument("header", "x-event"), argument("url", "token"), argument("request", "method"), argument("string", "--flag"), argument("raw-request-body", ""),
		}},
		want: command.Command{Name: "x", Args: []string{
			"x", "refs/heads/main", "1.50", "true", "<nil>", "", `{"name":"é \"q\""}`, "$(touch x); 'a' \n b", "push", "t", "POST", "--flag", body,
		}},
	},
	{
		name: "a missing value is an empty argument in its place, no variable and no file",
		hook: hook.Hook{
			Command:     "x",
			Arguments:   []hook.Argument{argument("payload", "absent"), argument("payload", "ref")},
			Environment: []hook.Argument{argument("payload", "gone"), argument("payload", "ref")},
			Files:       []hook.Argument{argument("header", "none"), decoded(argument("payload", "none"))},
		},
		want: command.Command{Name: "x", Args: []string{"x", "", "refs/heads/main"}, Env: []string{"HOOK_ref=refs/heads/main"}},
		miss: []string{`payload "absent" is not in the request`, `payload "gone" is not in the request`, `header "none" is not in the request`, `payload "none" is not in the request`},
	},
	{
		name: "a source that does not exist",
		hook: hook.Hook{Command: "x", Arguments: []hook.Argument{argument("typo", "a")}},
		want: command.Command{Name: "x", Args: []string{"x", ""}},
		miss: []string{`unknown source "typo"`},
	},
	{
		name: "variables: HOOK_ and the name as written, or the name that the file gives",
		hook: hook.Hook{Command: "x", Environment: []hook.Argument{
			argument("payload", "commits.0.id"), named("header", "X-Event", "EVENT"), named("entire-query", "", "QUERY"), argument("entire-query", ""), argument("payload", "empty"),
		}},
		want: command.Command{Name: "x", Args: []string{"x"}, Env: []string{
			"HOOK_commits.0.id=c0", "EVENT=push", `QUERY={"token":"t"}`, `HOOK_={"token":"t"}`, "HOOK_empty=",
		}},
	},
	{
		name: "a variable that is set twice is there once, with the last value",
		hook: hook.Hook{Command: "x", Environment: []hook.Argument{named("string", "a=1", "A"), named("string", "b", "AB"), named("string", "2", "A")}},
		want: command.Command{Name: "x", Args: []string{"x"}, Env: []string{"A=2", "AB=b"}},
	},
	{
		name: "standard input: the body as it came",
		hook: hook.Hook{Command: "x", Process: hook.Process{Stdin: &delivery.Ref{Source: delivery.RawRequestBody}}},
		want: command.Command{Name: "x", Args: []string{"x"}, Stdin: []byte(body)},
	},
	{
		name: "standard input: a value",
		hook: hook.Hook{Command: "x", Process: hook.Process{Stdin: &delivery.Ref{Source: delivery.Payload, Name: "ref"}}},
		want: command.Command{Name: "x", Args: []string{"x"}, Stdin: []byte("refs/heads/main")},
	},
	{
		name: "standard input: a value that is missing is nothing to read",
		hook: hook.Hook{Command: "x", Process: hook.Process{Stdin: &delivery.Ref{Source: delivery.Payload, Name: "none"}}},
		want: command.Command{Name: "x", Args: []string{"x"}},
		miss: []string{`payload "none" is not in the request`},
	},
	{
		name: "a name that no variable can have",
		hook: hook.Hook{Command: "x", Environment: []hook.Argument{named("string", "v", "A=B")}},
		err:  "pass-environment-to-command: the name \"A=B\" of an environment variable holds '='",
	},
	{
		name: "files: HOOK_ and the name in capitals, or the name that the file gives",
		hook: hook.Hook{Command: "x", Files: []hook.Argument{argument("payload", "commits.0.id"), named("payload", "ref", "Ref"), argument("payload", "empty")}},
		want: command.Command{Name: "x", Args: []string{"x"}, Files: []command.File{
			{Variable: "HOOK_COMMITS.0.ID", Content: []byte("c0")}, {Variable: "Ref", Content: []byte("refs/heads/main")}, {Variable: "HOOK_EMPTY", Content: []byte{}},
		}},
	},
	{
		name: "a file's name that no variable can have",
		hook: hook.Hook{Command: "x", Files: []hook.Argument{named("string", "v", "A\x00")}},
		err:  "pass-file-to-command: the name \"A\\x00\" of an environment variable holds a NUL byte",
	},
	{
		name: "base64 in either alphabet, with and without padding",
		hook: hook.Hook{Command: "x", Files: []hook.Argument{
			decoded(argument("payload", "base64")), decoded(argument("payload", "raw")), decoded(argument("payload", "url")),
			decoded(named("string", " aGVs\nbG8=\n", "BROKEN")), decoded(named("string", "", "EMPTY")), argument("payload", "base64"),
		}},
		want: command.Command{Name: "x", Args: []string{"x"}, Files: []command.File{
			{Variable: "HOOK_BASE64", Content: []byte("hello")}, {Variable: "HOOK_RAW", Content: []byte("hello")},
			{Variable: "HOOK_URL", Content: []byte{0xFB, 0xFF, 0xBF}}, {Variable: "BROKEN", Content: []byte("hello")},
			{Variable: "EMPTY", Content: []byte{}}, {Variable: "HOOK_BASE64", Content: []byte("aGVsbG8=")},
		}},
	},
	{
		name: "what is no base64",
		hook: hook.Hook{Command: "x", Files: []hook.Argument{decoded(argument("payload", "odd"))}},
		err:  `pass-file-to-command: payload "odd": the value is not base64: illegal base64 data at input byte 1`,
	},
	{
		name: "base64 in two alphabets at once",
		hook: hook.Hook{Command: "x", Files: []hook.Argument{decoded(argument("string", "+-AA"))}},
		err:  "the value is not base64",
	},
}

func TestBuild(t *testing.T) {
	for _, c := range buildCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := command.Build(&c.hook, request())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("error %v, want %s", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var miss []string
			for _, err := range got.Missing {
				miss = append(miss, err.Error())
			}
			if diff := cmp.Diff(c.miss, miss); diff != "" {
				t.Errorf("missing (-want +got):\n%s", diff)
			}
			got.Missing = nil
			got.Hidden = command.Hidden{}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A run's command is made with its element and with the credentials that were
// kept for it; without them it is told what the script misses.
func TestBuildForARun(t *testing.T) {
	element, tag := delivery.Ref{Source: delivery.Element}, delivery.Ref{Source: delivery.Element, Name: "tag"}
	h := hook.Hook{
		Command: "x", Arguments: []hook.Argument{{Ref: element}, {Ref: tag}, argument("header", "X-Token"), argument("query", "token")},
		Process: hook.Process{Stdin: &element},
	}
	r := run.Run{Element: `{"tag": "v1"}`, Delivery: &run.Delivery{
		Header: http.Header{"X-Token": {run.Withheld}}, RawQuery: "token=%5Bwithheld%5D",
		Credentials: &run.Credentials{Header: http.Header{"X-Token": {"s"}}, RawQuery: "token=t"},
	}}
	got, err := command.Build(&h, delivery.OfRun(r, h.Payload))
	want := command.Command{Name: "x", Args: []string{"x", `{"tag":"v1"}`, "v1", "s", "t"}, Stdin: []byte(`{"tag":"v1"}`), Hidden: command.Hidden{Args: []int{3, 4}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; (-want +got):\n%s", err, diff)
	}

	r.Delivery.Credentials = nil
	got, err = command.Build(&h, delivery.OfRun(r, h.Payload))
	want.Args = []string{"x", `{"tag":"v1"}`, "v1", run.Withheld, run.Withheld}
	miss := fmt.Sprint(got.Missing)
	got.Missing = nil
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v; (-want +got):\n%s", err, diff)
	}
	const told = `[header "X-Token" is a credential, which was not kept: the script gets [withheld] query "token" is a credential, which was not kept: the script gets [withheld]]`
	if miss != told {
		t.Errorf("it is told %s", miss)
	}
}

// Building twice gives the same: nothing of a hook or a delivery changes.
func TestBuildIsPure(t *testing.T) {
	for _, c := range buildCases {
		before := fmt.Sprintf("%+v", c.hook)
		d := request()
		first, err1 := command.Build(&c.hook, d)
		second, err2 := command.Build(&c.hook, d)
		if fmt.Sprint(first, err1) != fmt.Sprint(second, err2) {
			t.Errorf("%s: %v, then %v", c.name, first, second)
		}
		if after := fmt.Sprintf("%+v", c.hook); after != before || string(d.Body) != body {
			t.Errorf("%s changed its hook or its delivery", c.name)
		}
	}
}

func TestSetenv(t *testing.T) {
	env := []string{"A=1", "AB=2", "B"}
	for _, c := range []struct{ name, value, want string }{
		{"A", "x", "A=x AB=2 B"},
		{"AB", "", "A=x AB= B"},
		{"B", "y", "A=x AB= B B=y"},
		{"a", "z", "A=x AB= B B=y a=z"},
		{"A", "k=v", "A=k=v AB= B B=y a=z"},
	} {
		if env = command.Setenv(env, c.name, c.value); strings.Join(env, " ") != c.want {
			t.Errorf("set %s: %q, want %s", c.name, env, c.want)
		}
	}
}
