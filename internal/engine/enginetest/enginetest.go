// Package enginetest tries every rule of package engine on an engine.
//
// An engine's own test is a few lines: it calls Run with a func that opens the
// engine, and Bench from a benchmark. What the rules are is written down in
// engine.Engine and in the names and comments of the tests here; a number in a
// comment is that of the rule among "what happens when". The suite asks an
// engine through its interface alone: it knows nothing of how one keeps what it
// keeps, so what is peculiar to one engine (its disk, its plans, its bounds in
// memory) is for that engine's own tests.
//
// Time is that of testing/synctest: scripts are played by the suite, take
// seconds that cost nothing, and no test sleeps in earnest. An engine must
// therefore do nothing that hangs in such a bubble: each of its goroutines ends
// with Stop, and waits for channels and timers rather than polls.
package enginetest

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pawlhq/pawl/internal/engine"
)

// Open opens an engine whose journal belongs to a directory: called again with
// the same directory, when the engine before has stopped, it opens the same
// journal. It fails the test where it cannot. An engine that is not durable
// may begin anew each time; its Status says so, and what a restart must keep is
// not tried on it.
type Open func(t testing.TB, directory string, o engine.Options) engine.Engine

// Crash makes a directory such that opening it gives what would be there, had
// Pawl died at this moment, while an engine is open on another one. Nothing is
// being written meanwhile.
type Crash func(t testing.TB, open, left string)

// Suite is the suite with what an engine may say besides.
type Suite struct {
	Open  Open
	Crash Crash // nil: the directory is copied, which is what a kill -9 leaves
}

// Run tries every rule on the engine that open opens.
func Run(t *testing.T, open Open) { Suite{Open: open}.Run(t) }

// Run tries every rule.
func (s Suite) Run(t *testing.T) {
	if s.Crash == nil {
		s.Crash = copyDirectory
	}
	durable := s.durable(t)
	for _, part := range parts() {
		t.Run(part.name, func(t *testing.T) {
			for _, test := range part.tests {
				if test.restarts && !durable {
					continue
				}
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					s.bubble(t, test.try)
				})
			}
		})
	}
	t.Run("property", func(t *testing.T) {
		t.Parallel()
		s.property(t, durable)
	})
}

// part is the tests of one part of the rules.
type part struct {
	name  string
	tests []test
}

// test is one rule, named in words.
type test struct {
	name     string
	try      func(*world)
	restarts bool // it opens the journal again, which only a durable engine has
}

// parts lists the suite, in the order of a run's way.
func parts() []part {
	return []part{
		{"submit", submitTests()},
		{"duplicate", duplicateTests()},
		{"order", orderTests()},
		{"turns", turnTests()},
		{"coalesce", coalesceTests()},
		{"debounce", debounceTests()},
		{"rate", rateTests()},
		{"full", fullTests()},
		{"expire", expireTests()},
		{"retry", retryTests()},
		{"cancel", cancelTests()},
		{"pause", pauseTests()},
		{"held", heldTests()},
		{"follow", followTests()},
		{"interrupt", interruptTests()},
		{"rerun", rerunTests()},
		{"retain", retainTests()},
		{"list", listTests()},
		{"find", findTests()},
		{"delivery", deliveryTests()},
		{"attend", attendTests()},
		{"calls", callTests()},
		{"await", awaitTests()},
		{"stop", stopTests()},
		{"why", whyTests()},
	}
}

// bubble tries one test in a world of its own, in a bubble of its own.
func (s Suite) bubble(t *testing.T, try func(*world)) {
	root := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, s, root)
		t.Cleanup(w.stop)
		try(w)
	})
}

// durable reports whether the engine says of itself that it is.
func (s Suite) durable(t *testing.T) (durable bool) {
	s.bubble(t, func(w *world) {
		w.up()
		durable = w.engine.Status().Durable
	})
	return durable
}

// slack is how much later than it could an engine may do something: it may wait
// a moment so that several things share a commit. It is far below the second
// that a script takes.
const slack = 50 * time.Millisecond

// copyDirectory is the Crash of an engine that keeps all in its directory.
func copyDirectory(t testing.TB, open, left string) {
	t.Helper()
	err := filepath.WalkDir(open, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(open, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(left, name), 0o700)
		case d.Type().IsRegular():
			return copyFile(path, filepath.Join(left, name))
		}
		return nil // a socket is no part of what is kept
	})
	if err != nil {
		t.Fatalf("copy the journal as it is: %v", err)
	}
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
