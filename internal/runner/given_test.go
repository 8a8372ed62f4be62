package runner

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

func TestStandardInput(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789"), 100_000)
	for name, test := range map[string]struct {
		ref  *delivery.Ref
		body []byte
		want []byte
	}{
		"none":          {nil, large, nil},
		"a large body":  {&delivery.Ref{Source: delivery.RawRequestBody}, large, large},
		"a value":       {&delivery.Ref{Source: "payload", Name: "ref"}, []byte(`{"ref":"main"}`), []byte("main")},
		"not there":     {&delivery.Ref{Source: "payload", Name: "gone"}, []byte(`{"ref":"main"}`), nil},
		"the element":   {&delivery.Ref{Source: "element", Name: "tag"}, []byte(`{}`), []byte("v1")},
		"a credential":  {&delivery.Ref{Source: "header", Name: "X-Token"}, []byte(`{}`), []byte("s3cret")},
		"an empty body": {&delivery.Ref{Source: delivery.RawRequestBody}, nil, nil},
	} {
		s := newScene(t, "stdin", func(h *hook.Hook) { h.Process.Stdin = test.ref })
		r := attempt("h")
		r.Element, r.Delivery.Body = `{"tag":"v1"}`, test.body
		r.Delivery.Header.Set("X-Token", run.Withheld)
		r.Delivery.Credentials = &run.Credentials{Header: http.Header{"X-Token": {"s3cret"}}}
		outcome := s.Run(t.Context(), r, nil)
		if want := fmt.Sprintf("%d %x %v", len(test.want), sha256.Sum256(test.want), error(nil)); string(outcome.Output) != want {
			t.Errorf("%s: the script read %q, want %q", name, outcome.Output, want)
		}
		if told := strings.Contains(s.log.String(), "is not in the delivery"); told != (name == "not there") {
			t.Errorf("%s: the log tells that it is missing: %v", name, told)
		}
	}
}

func TestWhatAScriptInherits(t *testing.T) {
	for name, test := range map[string]struct {
		inherit hook.Inherit
		want    []string
	}{
		"all":             {hook.Inherit{}, []string{"KEPT_A=1", "KEPT_B=2"}},
		"all, and more":   {hook.Inherit{Vars: []string{"KEPT_B=own", "KEPT_C=3"}}, []string{"KEPT_A=1", "KEPT_B=own", "KEPT_C=3"}},
		"nothing":         {hook.Inherit{Set: true}, nil},
		"one":             {hook.Inherit{Set: true, Names: []string{"KEPT_A"}}, []string{"KEPT_A=1"}},
		"by a pattern":    {hook.Inherit{Set: true, Names: []string{"X", "KEPT_*"}, Vars: []string{"KEPT_A="}}, []string{"KEPT_A=", "KEPT_B=2"}},
		"values set only": {hook.Inherit{Set: true, Vars: []string{"KEPT_C=a=b"}}, []string{"KEPT_C=a=b"}},
	} {
		s := newScene(t, "pawl", func(h *hook.Hook) {
			h.Process.Inherit = test.inherit
			h.Process.Inherit.Vars = append(slices.Clone(h.Process.Inherit.Vars), play+"=pawl", "GORACE=atexit_sleep_ms=0")
		})
		s.options.Environment = append(s.options.Environment, "KEPT_A=1", "KEPT_B=2")
		r := attempt("h")
		outcome := s.Run(t.Context(), r, nil)
		lines := strings.Split(strings.TrimSpace(string(outcome.Output)), "\n")
		slices.Sort(lines)
		kept := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return !strings.HasPrefix(line, "KEPT_") })
		if !slices.Equal(kept, test.want) {
			t.Errorf("%s: it inherits %q, want %q", name, kept, test.want)
		}
		for _, want := range []string{"PAWL_RUN_ID=" + r.ID, "PAWL_HOOK_ID=h", "PAWL_ATTEMPT=1", "PAWL_DELIVERY_ID=d"} {
			if !slices.Contains(lines, want) {
				t.Errorf("%s: %s is missing in %q", name, want, lines)
			}
		}
	}
}

func TestPatternsOfNames(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"PATH", "PATH", true}, {"PATH", "PATHS", false}, {"*", "", true}, {"*", "X", true},
		{"*_PROXY", "HTTP_PROXY", true}, {"*_PROXY", "_PROXY", true}, {"*_PROXY", "PROXY", false},
		{"LC_*", "LC_ALL", true}, {"LC_*", "LANG", false}, {"A*B", "AB", true}, {"A*B", "A", false},
		{"A*A", "A", false}, {"*A*B*", "xAxBx", true}, {"*A*B*", "xBxAx", false}, {"", "X", false}, {"**", "X", true},
	} {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("%q, %q: %v", test.pattern, test.name, got)
		}
	}
}

func TestResults(t *testing.T) {
	for name, test := range map[string]struct {
		text     string
		want     []run.Result
		problems string
	}{
		"none":            {"", nil, ""},
		"lines":           {"a=1\nb_2.c-d=\n", []run.Result{{Name: "a", Value: "1"}, {Name: "b_2.c-d"}}, ""},
		"no line end":     {"a=1", []run.Result{{Name: "a", Value: "1"}}, ""},
		"Windows":         {"a=1\r\n\r\n", []run.Result{{Name: "a", Value: "1"}}, ""},
		"one name twice":  {"a=1\na=2\n", []run.Result{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}, ""},
		"no UTF-8":        {"a=\xff!\n", []run.Result{{Name: "a", Value: "\uFFFD!"}}, ""},
		"no name":         {"=1\na=1\n", []run.Result{{Name: "a", Value: "1"}}, `line 1 ("=1")`},
		"a bad name":      {"a b=1\n", nil, "line 1"},
		"no value":        {"\na\n", nil, `line 2 ("a")`},
		"many bad lines":  {strings.Repeat("x\n", 8), nil, "3 more lines"},
		"too many lines":  {strings.Repeat("a=1\n", 1001), slices.Repeat([]run.Result{{Name: "a", Value: "1"}}, 1000), "more than 1000 lines"},
		"too long":        {"a=1\nb=" + strings.Repeat("x", 70_000), []run.Result{{Name: "a", Value: "1"}}, "longer than 65536 bytes"},
		"one line, large": {"b=" + strings.Repeat("x", 70_000), nil, "longer than 65536 bytes"},
	} {
		got, problems := parseResults([]byte(test.text))
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %d results %.100v, want %d", name, len(got), got, len(test.want))
		}
		if all := strings.Join(problems, "; "); (all == "") != (test.problems == "") || !strings.Contains(all, test.problems) {
			t.Errorf("%s: problems %q, want %q", name, all, test.problems)
		}
	}
}

func FuzzParseResults(f *testing.F) {
	f.Add([]byte("a=1\nb\r\n=\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		results, problems := parseResults(text)
		if len(results) > resultsCount || len(problems) > toldLines+2 {
			t.Errorf("%d results, %d problems", len(results), len(problems))
		}
		for _, r := range results {
			if !resultName.MatchString(r.Name) || strings.ContainsAny(r.Value, "\n") {
				t.Errorf("result %q", r)
			}
		}
	})
}

// Not everything that a script puts in the place of its results is read.
func TestResultsAreAPlainFile(t *testing.T) {
	if err := os.Symlink("x", filepath.Join(t.TempDir(), "x")); err != nil {
		t.Skip("this system lets nobody make links")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, lay := range map[string]func(path string) error{
		"a link":      func(path string) error { return os.Symlink(secret, path) },
		"a hard link": func(path string) error { return os.Link(secret, path) },
		"a directory": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := errors.Join(os.Mkdir(dir, 0o700), lay(filepath.Join(dir, outputName))); err != nil {
			t.Fatal(err)
		}
		if results, problems := readResults(dir); len(results) != 0 || len(problems) != 1 {
			t.Errorf("%s: %v, %q", name, results, problems)
		}
	}
}
