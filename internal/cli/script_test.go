package cli

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript runs the command line as people type it: each file of
// testdata/script is one story. Every program of plays is a command in it; one
// that is to run beside the script is started with exec (exec pawl serve &).
func TestScript(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	commands := map[string]func(*testscript.TestScript, bool, []string){}
	for name := range plays() {
		linkTestBinary(t, bin, name)
		commands[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			err := ts.Exec(name, args...)
			if err != nil && !neg {
				ts.Fatalf("%s %q: %v", name, args, err)
			}
			if err == nil && neg {
				ts.Fatalf("%s %q ended well, and should not have", name, args)
			}
		}
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: commands,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // under -race each program would end a second late
			return nil
		},
	})
}

// linkTestBinary gives the test binary another name. A hard link comes first:
// a program that asks for its own path then gets this name, not the tests'.
func linkTestBinary(t *testing.T, dir, name string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	link := filepath.Join(dir, name)
	if os.Link(self, link) == nil {
		return
	}
	if err := os.Symlink(self, link); err != nil { // another file system
		t.Fatal(err)
	}
}
