package cli

import (
	"strings"
	"testing"
	"time"

	ansi "github.com/jedib0t/go-pretty/v6/text"

	"github.com/pawlhq/pawl/internal/explain"
)

// The reason is what is looked for: other columns go before it is cut short.
func TestWhyTableKeepsTheReason(t *testing.T) {
	reason := `payload "repository.full_name" is not the value asked for, and more words`
	kept := explain.TurnedAway{
		ID: "01a20a68-5bf7-72a1-afd5-91a0fffa04a3", Received: time.Now(), RemoteAddr: "192.0.2.100:1", Status: 200,
		Explanations: []explain.Explanation{{Hook: "a-hook-with-a-long-name", Outcome: explain.Unmatched, Reason: reason}},
	}
	for width, least := range map[int]int{200: len(reason), 100: 45, 80: 29, 60: 12} {
		l := whyTable([]explain.TurnedAway{kept}, "", time.Now())
		l.fit(width)
		row := l.rows[0]
		total := 0
		for _, cell := range row {
			total += ansi.StringWidth(cell) + 2
		}
		why := row[len(row)-1]
		if ansi.StringWidth(why) < least || !strings.HasPrefix(reason, strings.TrimSuffix(why, "…")) || total-2 > width {
			t.Errorf("%d wide: %q is %d wide, want the reason in at least %d", width, row, total-2, least)
		}
	}
}
