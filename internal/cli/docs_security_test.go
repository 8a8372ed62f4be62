package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// securityTest finds packages, and the names of their tests behind them, in the last
// cell of a row of docs/security.md.
var securityTest = regexp.MustCompile("`([a-z]+)`|((?:Test|Fuzz)[A-Za-z]+)")

// TestDocsSecurity: each test that docs/security.md names as the proof of a promise
// is there.
func TestDocsSecurity(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if !strings.HasPrefix(line, "|") || len(cells) < 4 {
			continue
		}
		source := ""
		for _, part := range securityTest.FindAllStringSubmatch(cells[len(cells)-2], -1) {
			switch {
			case part[1] != "":
				source = testsOf(t, part[1])
			case !strings.Contains(source, "func "+part[2]+"("):
				t.Errorf("%s is not there: %s", part[2], strings.TrimSpace(line))
			default:
				found++
			}
		}
	}
	if found < 30 {
		t.Errorf("only %d tests were found: is the page read as it should be?", found)
	}
}

// testsOf is the text of a package's tests.
func testsOf(t *testing.T, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", name, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("package %s has no tests: %v", name, err)
	}
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
