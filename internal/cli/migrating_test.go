//go:build unix

package cli

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMigratingHasEveryDifference: each recorded case in which Pawl is meant to
// differ from webhook stands in a row of docs/migrating.md, and no other.
func TestMigratingHasEveryDifference(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(repository + "/docs/migrating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, found := strings.Cut(string(text), "\n## Every difference\n")
	if !found {
		t.Fatal("docs/migrating.md has lost its table of differences")
	}
	told := map[string]bool{}
	for line := range strings.SplitSeq(tables, "\n") {
		for _, match := range regexp.MustCompile(`<!-- case: (.*?) -->`).FindAllStringSubmatch(line, -1) {
			if !strings.HasPrefix(line, "| ") {
				t.Errorf("the case %q stands in no row", match[1])
			}
			told[match[1]] = true
		}
	}
	meant := readMeantDifferences(t, readCases(t))
	for _, name := range slices.Sorted(maps.Keys(meant)) {
		if !told[name] {
			t.Errorf("differences.txt has a case that docs/migrating.md does not tell: <!-- case: %s --> (%s)", name, meant[name])
		}
	}
	for name := range told {
		if meant[name] == "" {
			t.Errorf("docs/migrating.md tells of %q, which differences.txt does not list", name)
		}
	}
	if len(meant) == 0 {
		t.Error("differences.txt lists nothing")
	}
}
