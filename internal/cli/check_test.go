package cli

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/lint"
)

// TestCheckSARIF: the log has what SARIF 2.1.0 requires and what code hosts ask
// for besides: rules that are declared, levels that exist, places in files whose
// URIs are relative to the checkout.
func TestCheckSARIF(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("hooks dir", 0o750); err != nil {
		t.Fatal(err)
	}
	hooks := "- id: a\n  execute-command: sh\n  trigger-rule: { match: { type: value, value: x, secret: y, parameter: { source: payload, name: z } } }\n"
	file := filepath.Join("hooks dir", "a#1.yaml")
	if err := os.WriteFile(file, []byte(hooks), 0o600); err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{file, absolute} {
		var out bytes.Buffer
		a := &app{stdout: &out, stderr: &out}
		if status := a.main(t.Context(), []string{"check", "-o", "sarif", named, "not-there.yaml"}); status != exitFailure {
			t.Errorf("the exit status is %d:\n%s", status, &out)
		}
		checkSARIF(t, out.Bytes())
	}
}

func checkSARIF(t *testing.T, text []byte) {
	t.Helper()
	var log sarifLog
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	if log.Version != "2.1.0" || !strings.HasPrefix(log.Schema, "https://") || len(log.Runs) != 1 {
		t.Fatalf("it is no log of version 2.1.0: %+v", log)
	}
	one := log.Runs[0]
	driver := one.Tool.Driver
	if driver.Name == "" || one.ColumnKind != "unicodeCodePoints" || len(driver.Rules) != len(lint.Rules()) {
		t.Errorf("the tool is %+v", driver)
	}
	levels := []string{"none", "note", "warning", "error"}
	for _, r := range driver.Rules {
		if !regexp.MustCompile(`^[a-z][a-z-]+$`).MatchString(r.ID) || r.Summary.Text == "" || !slices.Contains(levels, r.Default.Level) {
			t.Errorf("rule %+v", r)
		}
		if _, err := url.ParseRequestURI(r.HelpURI); err != nil {
			t.Error(err)
		}
	}
	var found []string
	for _, result := range one.Results {
		if result.RuleIndex < 0 || result.RuleIndex >= len(driver.Rules) || driver.Rules[result.RuleIndex].ID != result.RuleID {
			t.Errorf("rule %d is not %s", result.RuleIndex, result.RuleID)
		}
		if result.Message.Text == "" || !slices.Contains(levels, result.Level) || len(result.Locations) != 1 {
			t.Errorf("result %+v", result)
			continue
		}
		place := result.Locations[0].Physical
		uri, err := url.Parse(place.Artifact.URI)
		if err != nil || uri.IsAbs() || strings.HasPrefix(uri.Path, "/") {
			t.Errorf("the URI %q is not relative (%v)", place.Artifact.URI, err)
		}
		if place.Region != nil && (place.Region.Line < 1 || place.Region.Column < 1) {
			t.Errorf("lines and columns count from 1: %+v", place.Region)
		}
		if place.Region != nil {
			found = append(found, uri.Path+" "+result.RuleID)
		}
	}
	if want := "hooks dir/a#1.yaml secret-on-value"; !slices.Contains(found, want) {
		t.Errorf("found is %q, without %q", found, want)
	}
}

// TestCheckDocs: docs/checking.md tells of each rule what the code says of it.
func TestCheckDocs(t *testing.T) {
	text := pageNamed(t, "docs/checking.md").text
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (error|warning|note) \\|")
	var documented []string
	for _, match := range row.FindAllStringSubmatch(text, -1) {
		documented = append(documented, match[1]+" "+match[2])
	}
	var known []string
	for _, r := range lint.Rules() {
		known = append(known, r.Name+" "+r.Severity.String())
	}
	slices.Sort(known)
	slices.Sort(documented)
	if !slices.Equal(known, documented) {
		t.Errorf("docs/checking.md has the rules\n%q\nthe code\n%q", documented, known)
	}
}

// TestCheckSaysTheSameOnce: what is wrong with several hooks in one way is one
// finding to read, with all of them; and lines break between words.
func TestCheckSaysTheSameOnce(t *testing.T) {
	c := checked{Hooks: 3, Files: 1}
	for i, id := range []string{"a", "b", "c"} {
		f := lint.Finding{Rule: "command-missing", Hook: id, Severity: lint.Warning, Text: "the command is not there", Fix: "write its path"}
		f.At.File, f.At.Line, f.At.Column = "h.yaml", i+1, 3
		c.Findings = append(c.Findings, f)
	}
	var out bytes.Buffer
	c.print(&out)
	want := "h.yaml:1:3: warning: hook \"a\": the command is not there; so it is of \"b\" (line 2), \"c\" (line 3)\n" +
		"    fix: write its path\n3 hook(s) in 1 file(s): 3 warnings\n"
	if out.String() != want {
		t.Errorf("it prints\n%s", &out)
	}
	if got := hang("    fix: put it into a file of its own", 20); got != "    fix: put it into\n      a file of its\n      own" {
		t.Errorf("broken as\n%s", got)
	}
	if got := hang("/a/very/long/path/without/blanks: x", 20); got != "/a/very/long/path/without/blanks:\n      x" {
		t.Errorf("broken as\n%s", got)
	}
}
