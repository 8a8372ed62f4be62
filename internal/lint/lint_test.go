package lint_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/lint"
)

var update = flag.Bool("update", false, "write the expected findings anew")

// find loads files and looks at them. Relative commands are those of
// testdata/scripts, made executable as git keeps them.
func find(t *testing.T, template bool, files ...string) (findings []lint.Finding) {
	t.Helper()
	_, report, _ := hook.NewLoader(files, hook.Options{Template: template}).Load()
	findings = lint.Files(report, lint.Options{Directory: "testdata/scripts", Template: template})
	return slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule == "writable" }) // the checkout's modes are its owner's
}

// written is how findings are compared.
func written(findings []lint.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		here, _ := filepath.Abs(".")
		line := fmt.Sprintf("%s: %s: %s [%s]\n", f.At, f.Severity, f.Message(), f.Rule)
		if f.Fix != "" {
			line += "\tfix: " + f.Fix + "\n"
		}
		line = strings.ReplaceAll(line, os.Getenv("PATH"), "$PATH")
		b.WriteString(strings.ReplaceAll(line, here+string(filepath.Separator), ""))
	}
	return b.String()
}

// TestFindings: each file of testdata shows one rule, which its name begins with,
// and what is found in it; all rules have one.
func TestFindings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no files", err)
	}
	shown := map[string]bool{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			findings := find(t, strings.HasPrefix(name, "with-template"), file)
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := written(findings)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("other findings than expected (-want +got):\n%s", diff)
			}
			for _, f := range findings {
				if !slices.ContainsFunc(lint.Rules(), func(r lint.Rule) bool { return r.Name == f.Rule }) {
					t.Errorf("rule %q is none of Rules", f.Rule)
				}
				if strings.HasPrefix(name, f.Rule) {
					shown[f.Rule] = true
				}
			}
			if strings.HasPrefix(name, "quiet") && got != "" {
				t.Error("there is nothing to say about this file")
			}
		})
	}
	for _, r := range lint.Rules() {
		if !shown[r.Name] && !slices.Contains([]string{"writable", "secret-file"}, r.Name) {
			t.Errorf("no file of testdata shows the rule %s", r.Name)
		}
	}
}
