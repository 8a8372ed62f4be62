package hook

import (
	"fmt"
	"slices"
	"strings"
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
		if d := editDistance(strings.ToLower(word), strings.ToLower(candidate)); d < distance {
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

// editDistance counts the insertions, deletions and changes of a byte that turn
// a into b (Levenshtein). Words over 64 bytes are infinitely far from all.
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = slices.Min([]int{change, row[j] + 1, diagonal + 1})
		}
	}
	return row[len(b)]
}
