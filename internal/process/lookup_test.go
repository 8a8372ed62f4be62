//go:build unix

package process

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place is a directory to be the server's, with programs in it, in sub and on
// PATH. Tests that use it cannot be parallel: PATH and directory are the
// process's.
func place(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{
		"local.sh": 0o755, "plain.sh": 0o644, "sub/in.sh": 0o755, "sub/plain": 0o644, "bin/onpath": 0o755, "bin/plain": 0o755, "my script": 0o755,
	} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	t.Setenv("PATH", filepath.Join(dir, "bin"))
	return dir
}

func TestLookup(t *testing.T) {
	here := place(t)
	for _, c := range []struct{ name, command, dir, want string }{
		{"absolute", here + "/local.sh", "", here + "/local.sh"},
		{"absolute with a directory", here + "/local.sh", here + "/sub", here + "/local.sh"},
		{"absolute with a directory that is missing", here + "/local.sh", here + "/none", here + "/local.sh"},
		{"with a slash, from the server's directory", "./local.sh", "", "./local.sh"},
		{"with a slash, below", "sub/in.sh", "", "sub/in.sh"},
		{"bare, on PATH", "onpath", "", here + "/bin/onpath"},
		{"bare, in the directory", "in.sh", here + "/sub", here + "/sub/in.sh"},
		{"with a dot, in the directory", "./in.sh", here + "/sub", here + "/sub/in.sh"},
		{"up from the directory", "../local.sh", here + "/sub", here + "/local.sh"},
		{"a relative directory", "in.sh", "sub", here + "/sub/in.sh"},
		{"bare, on PATH, beside a directory", "onpath", here + "/sub", here + "/bin/onpath"},
		{"a file whose name holds a blank", here + "/my script", "", here + "/my script"},
	} {
		if got, err := Lookup(c.command, c.dir); err != nil || got != c.want {
			t.Errorf("%s: %q %v, want %q", c.name, got, err, c.want)
		}
	}
}

func TestLookupSaysWhereItLooked(t *testing.T) {
	here := place(t)
	for _, c := range []struct {
		name, command, dir string
		kind               Kind
		words              []string
	}{
		{"empty", "", "", Missing, []string{"no execute-command", "not found"}},
		{"missing", here + "/nope.sh", "", Missing, []string{here + "/nope.sh", "no such file or directory"}},
		{"relative", "sub/nope.sh", "", Missing, []string{here + "/sub/nope.sh", "no such file or directory", "relative to the server's directory"}},
		{"bare, beside the server", "local.sh", "", Missing, []string{"not found on PATH (" + here + "/bin)", here + "/local.sh", `write "./local.sh"`, "executable file not found in $PATH"}},
		{"bare", "nope", "", Missing, []string{"not found on PATH"}},
		{"with a directory", "./nope", "sub", Missing, []string{here + "/sub/nope", "no such file or directory", "command-working-directory"}},
		{"bare, with a directory", "nope", here + "/sub", Missing, []string{here + "/sub/nope", "then on PATH (" + here + "/bin)"}},
		{"a directory that is missing", "in.sh", here + "/none", Missing, []string{"working directory " + quote(here+"/none") + " is not there"}},
		{"not executable", "./plain.sh", "", NotExecutable, []string{here + "/plain.sh", "chmod +x", "permission denied"}},
		{"not executable there, though on PATH", "plain", here + "/sub", NotExecutable, []string{here + "/sub/plain", "permission denied"}},
		{"a directory as a command", "./sub", "", Directory, []string{"is a directory"}},
		{"arguments in its text", here + "/local.sh --flag x", "", Blanks, []string{"no such file or directory", "one file", here + "/local.sh", "--flag x", "pass-arguments-to-command"}},
		{"arguments in a bare text", "onpath -v", "", Blanks, []string{"onpath", "-v", "pass-arguments-to-command", "not found in $PATH"}},
		{"arguments with a directory", "in.sh -v", here + "/sub", Blanks, []string{here + "/sub/in.sh -v", "pass-arguments-to-command", "no such file"}},
	} {
		got, err := Lookup(c.command, c.dir)
		if err == nil {
			t.Errorf("%s: found %q", c.name, got)
			continue
		}
		checkWords(t, c.name, err, c.kind, nil)
		for _, word := range c.words {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q lacks %q", c.name, err, word)
			}
		}
	}
}

func TestLookupNeverTakesADotOnPath(t *testing.T) {
	place(t)
	for _, path := range []string{".", "", ":", "bin:."} {
		t.Setenv("PATH", path)
		for _, command := range []string{"local.sh", "onpath"} {
			if got, err := Lookup(command, ""); err == nil {
				t.Errorf("PATH=%q: found %q as %q", path, command, got)
			}
		}
	}
}
