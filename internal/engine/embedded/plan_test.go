package embedded

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/database"
)

// Each statement whose time must not grow with the journal goes by an index,
// and sorts nothing.
func TestPlans(t *testing.T) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	db, err := database.Open(t.Context(), database.Options{Memory: 1 << 20, Migrations: files})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	plans := []struct{ name, sql, by string }{
		{"a run by its id", ticketByID, "USING INDEX run_id"},
		{"whether a run is known", isKnown, "USING COVERING INDEX run_id"},
		{"a run by its sequence", recordBySeq, "USING INTEGER PRIMARY KEY"},
		{"ids that begin so", idsFrom, "USING COVERING INDEX run_id"},
		{"a delivery by its id", deliveryByID, "USING INDEX delivery_id"},
		{"the window of heads", fillWindow, "USING INDEX run_ready"},
		{"whether a key is busy", keyOpen, "USING INDEX run_line (hook=? AND key=? AND place<?)"},
		{"the next of a key", keyHead, "USING INDEX run_line"},
		{"what waits of a key", keyWaits, "USING INDEX run_line"},
		{"what waits of a hook", hookWaits, "USING INDEX run_phase"},
		{"what runs", hookRunning, "USING INDEX run_phase"},
		{"what is due", dueRuns, "USING INDEX run_due"},
		{"when the next is due", nextDue, "USING COVERING INDEX run_due"},
		{"what may expire", expirable, "USING INDEX run_phase"},
		{"how many there are", counts, "USING COVERING INDEX run_phase"},
		{"the run in front", behindRun, "USING INDEX run_line"},
		{"the oldest of a hook", oldestOf, "USING INDEX run_phase"},
		{"the oldest of all", oldestEnded, "USING INDEX run_ended"},
		{"an earlier delivery", getSeen, "USING PRIMARY KEY"},
		{"earlier deliveries that are too old", forgetSeen, "USING COVERING INDEX seen_until"},
		{"what became of an earlier delivery", spoilt, "USING COVERING INDEX run_phase"},
		{"earlier attempts", olderEnds, "USING INDEX sqlite_autoindex_attempt_1"},
		{"list: all", listAll, "USING INTEGER PRIMARY KEY"},
		{"list: state", listPhase, "USING COVERING INDEX run_ended"},
		{"list: hook", listPhaseHook, "USING COVERING INDEX run_phase"},
		{"list: key", listPhaseHookKey, "USING COVERING INDEX run_key"},
		{"list: hooks of a key", hooksOfKey, "USING COVERING INDEX run_key"},
		{"list: hooks of a state", hooksOfPhase, "USING COVERING INDEX run_phase"},
		{"list: since", acceptedFrom, "USING INTEGER PRIMARY KEY"},
	}
	err = db.Update(func(c *database.Conn) error {
		for _, p := range plans {
			args := make([]any, strings.Count(p.sql, "?"))
			var plan []string
			if err := each(c, func(r *database.Rows) { plan = append(plan, r.Text(3)) }, "EXPLAIN QUERY PLAN "+p.sql, args...); err != nil {
				return err
			}
			text := strings.Join(plan, "; ")
			if !strings.Contains(text, p.by) || strings.Contains(text, "TEMP B-TREE") || strings.Contains(text, "SCAN") && p.name != "how many there are" && !strings.Contains(text, "SCAN run USING COVERING INDEX run_due") {
				t.Errorf("%s: %s, want %q", p.name, text, p.by)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
