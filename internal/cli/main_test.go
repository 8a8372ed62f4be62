package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// playVariable makes the test binary play a program instead of running tests.
// Its value is a key of plays, or 1 for pawl.
const playVariable = "PAWL_TEST_MAIN"

// plays are the programs that the test binary can be: by the variable
// PAWL_TEST_MAIN, or when started under the program's name (as the scripts of
// testdata/script do). Each returns its exit status.
func plays() map[string]func() int {
	return map[string]func() int{
		"pawl": Main,
	}
}

// TestMain runs the tests, or plays the program that is asked for. The variable
// stays set, so that a program that starts itself once more is itself again
// and not a second run of all tests.
func TestMain(m *testing.M) {
	name := os.Getenv(playVariable)
	switch name {
	case "":
		called := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
		play, ok := plays()[called]
		if !ok {
			os.Exit(m.Run())
		}
		os.Exit(play())
	case "1":
		name = "pawl"
	}
	play, ok := plays()[name]
	if !ok {
		println(playVariable + "=" + name + ": there is no such program in main_test.go")
		os.Exit(2)
	}
	os.Exit(play())
}

// unable leaves out what cannot be tested on this machine. In CI, where
// everything must be tested, it fails.
func unable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
