package hook

import (
	"fmt"
	"strings"

	"github.com/pawlhq/pawl/internal/rule"
)

// Suggestion puts the known word that is nearest to an unknown one as
// " (did you mean X?)", or nothing where none is near.
func Suggestion(word string, known []string) string {
	if best := nearest(word, known); best != "" {
		return fmt.Sprintf(" (did you mean %q?)", best)
	}
	return ""
}

// nearest gives the known word that differs in the fewest places, "" where all
// differ in more than two and a third of the word.
func nearest(word string, known []string) string {
	best, distance := "", max(2, len(word)/3)+1
	for _, candidate := range known {
		if d := rule.Distance(strings.ToLower(word), strings.ToLower(candidate)); d < distance {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return alike(word, known)
	}
	return best
}

// alike gives the known word of which a part begins with the same eight letters,
// as max-concurrent for concurrency; "" where there is none.
func alike(word string, known []string) string {
	const letters = 8
	if len(word) < letters {
		return ""
	}
	begin := strings.ToLower(word[:letters])
	for _, candidate := range known {
		for part := range strings.SplitSeq(strings.ToLower(candidate), "-") {
			if strings.HasPrefix(part, begin) {
				return candidate
			}
		}
	}
	return ""
}
