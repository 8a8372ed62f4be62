package fault

import (
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/cli"
)

var (
	long = flag.Bool("long", false, "try for hours")
	seed = flag.Uint64("seed", 0, "of all that is left to chance; 0: another one each time")
)

// playVariable has the test binary play pawl.
const playVariable = "PAWL_FAULT_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(playVariable) != "" {
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}

// chance gives what a test leaves to chance, and tells how to have it again.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	from := *seed
	if from == 0 {
		from = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", from)
	return rand.New(rand.NewPCG(from, 0))
}

// times is how often something is tried: for hours with -long.
func times(short int) int {
	if *long {
		return 500 * short
	}
	return short
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
