package embedded

import (
	"slices"

	"github.com/pawlhq/pawl/internal/database"
)

// sweepStep is how many runs one read transaction asks for.
const sweepStep = 500

// sweep has what was kept of runs go that the journal does not know: Pawl died
// between forgetting them and removing it. kept is from before anything started,
// so none of them can be on its way into the journal.
//
// A journal without any run may be the wrong one, or stand in for one that was
// set aside: then nothing goes until a start that finds one.
func (e *Engine) sweep(kept []string) {
	for part := range slices.Chunk(kept, sweepStep) {
		var unknown []string
		empty := false
		err := e.view(e.base, func(c *database.Conn) error {
			unknown = nil
			newest, _, err := c.Number(newestRun)
			if empty = newest == 0; err != nil || empty {
				return err
			}
			for _, id := range part {
				key, err := parseID(id)
				if err != nil {
					continue // it is no run's
				}
				_, known, err := c.Number(isKnown, key)
				if err != nil {
					return err
				}
				if !known {
					unknown = append(unknown, id)
				}
			}
			return nil
		})
		switch {
		case err != nil: // Pawl stops, or the disk fails: the next start tries again
			return
		case empty:
			e.options.Log.Warn().Int("runs", len(kept)).Msg("files of runs are kept, and the journal holds no run: is it the right one? A start that finds runs in it removes the files of those that it does not know")
			return
		case len(unknown) > 0:
			e.options.Log.Info().Int("runs", len(unknown)).Msg("removing files of runs that were forgotten when Pawl was killed")
			e.options.Forgotten(unknown)
		}
	}
}
