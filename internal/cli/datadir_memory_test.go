//go:build unix

package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

// TestADirectoryWithoutAJournalIsOnePawlsAtATime: two Pawls on one port, with an
// -ip each, have the same one. The second touches nothing in it.
func TestADirectoryWithoutAJournalIsOnePawlsAtATime(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "file") // where no directory can be
	if err := os.WriteFile(broken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		dataDir string
		before  []string // directories that are tried first
		refused bool
	}{
		"with -data-dir none":               {dataDir: "none", refused: true},
		"without a place for the journal":   {before: []string{filepath.Join(broken, "state")}},
		"where more than one cannot be had": {before: []string{filepath.Join(broken, "state"), filepath.Join(broken, "run")}},
	} {
		t.Run(name, func(t *testing.T) {
			log := zerolog.New(io.Discard)
			shared := filepath.Join(t.TempDir(), "9000")
			directories := append(c.before, shared)
			first, err := (&settings{dataDir: c.dataDir}).openDataDirectory(directories, log)
			if err != nil || first.path != shared || first.journal != "" {
				t.Fatalf("the first has %+v, %v", first, err)
			}
			artifact := filepath.Join(first.runs(), "of the first")
			if err := os.WriteFile(artifact, nil, 0o600); err != nil {
				t.Fatal(err)
			}

			second, err := (&settings{dataDir: c.dataDir}).openDataDirectory(directories, log)
			switch {
			case c.refused && err == nil:
				t.Errorf("the second has %+v", second)
			case c.refused:
				for _, word := range []string{shared, "in use by another process", "-data-dir", "-port"} {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("it does not say %q: %v", word, err)
					}
				}
			case err != nil || second.path != "" || second.journal != "" || second.notice == "":
				t.Errorf("the second has %+v, %v", second, err)
			}
			if _, err := os.Stat(artifact); err != nil {
				t.Errorf("the second removed what is the first's: %v", err)
			}

			first.close()
			third, err := (&settings{dataDir: c.dataDir}).openDataDirectory(directories, log)
			if err != nil || third.path != shared {
				t.Fatalf("when the first has ended, the next has %+v, %v", third, err)
			}
			defer third.close()
			if _, err := os.Stat(artifact); err == nil {
				t.Error("what no journal knows of stays")
			}
		})
	}
}
