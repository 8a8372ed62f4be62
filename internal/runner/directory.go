package runner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/process"
)

// keptDirectories is how many directories of ended runs stay where a script
// left something in them.
const keptDirectories = 1000

// sparePrefix begins the names of directories that wait for a run.
const sparePrefix = ".spare-"

// directories hands out the runs' own directories below parent.
//
// Most runs leave nothing in theirs. Such a directory is kept as a spare and
// renamed for the next run: to make and remove it for each run takes seven
// changes of the file system, and on ext4 more time than to start the script.
// The directory for artifacts is made anew all the same: a script may have left
// something running that stands in it.
type directories struct {
	parent string // "": there are none

	mu     sync.Mutex
	spares []string
	made   int // spares so far, for their names
}

// newDirectories begins with the spares that an earlier Pawl left, and removes
// what it could not remove itself.
func newDirectories(parent string) *directories {
	d := &directories{parent: parent}
	entries, err := os.ReadDir(parent)
	if parent == "" || err != nil {
		return d // what is wrong with parent is told by the first run
	}
	for _, entry := range entries {
		path := filepath.Join(parent, entry.Name())
		number, spare := strings.CutPrefix(entry.Name(), sparePrefix)
		switch {
		case spare:
			n, _ := strconv.Atoi(number)
			d.made = max(d.made, n)
			d.spares = append(d.spares, path)
		case strings.HasPrefix(entry.Name(), "output-"), strings.HasPrefix(entry.Name(), "probe-"):
			_ = os.RemoveAll(path)
		}
	}
	return d
}

// directory is a run's own directory; the zero value is none. It holds the pid
// file while the run's process lives, and what the script leaves: artifacts,
// summary, results.
type directory struct{ path string }

func (d directory) file(name string) string { return filepath.Join(d.path, name) }

func (d directory) artifacts() string { return d.file("artifacts") }

// take gives a run its directory. It is there already when the run was
// attempted before.
func (d *directories) take(id string) (directory, error) {
	if d.parent == "" {
		return directory{}, nil
	}
	own := directory{filepath.Join(d.parent, id)}
	if spare := d.spare(); spare != "" && os.Rename(spare, own.path) == nil && os.Remove(own.artifacts()) != nil {
		// Something that an earlier run left running has written to it since.
		_ = os.RemoveAll(own.path)
	}
	if err := os.MkdirAll(own.artifacts(), 0o700); err != nil {
		return directory{}, fmt.Errorf("make the run's own directory: %w", err)
	}
	return own, nil
}

func (d *directories) spare() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.spares) == 0 {
		return ""
	}
	last := len(d.spares) - 1
	spare := d.spares[last]
	d.spares = d.spares[:last]
	return spare
}

// give takes a run's directory back. What the script left in it stays. Where it
// left nothing the directory becomes a spare.
func (d *directories) give(own directory) {
	switch {
	case own.path == "":
	case !own.untouched():
		_ = os.Remove(own.file("pid"))
		prune(d.parent)
	default:
		d.mu.Lock()
		d.made++
		spare := filepath.Join(d.parent, sparePrefix+strconv.Itoa(d.made))
		d.mu.Unlock()
		if os.Rename(own.path, spare) != nil {
			return
		}
		d.mu.Lock()
		d.spares = append(d.spares, spare)
		d.mu.Unlock()
	}
}

// untouched reports whether there is nothing but Pawl's own pid file and the
// empty directory for artifacts.
func (d directory) untouched() bool {
	for _, name := range names(d.path, 3) {
		if name != "pid" && name != "artifacts" {
			return false
		}
	}
	return len(names(d.artifacts(), 1)) == 0
}

// names lists up to n entries of a directory. One that cannot be read counts as
// full: what may be there must not be lost.
func names(path string, n int) []string {
	file, err := os.Open(path)
	if err != nil {
		return []string{err.Error()}
	}
	defer file.Close()
	list, err := file.Readdirnames(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return []string{err.Error()}
	}
	return list
}

// writePID tells who runs here, so that after a crash the process can be found
// and be told from another of its number: its pid, when it was started, and in
// which boot of the machine. It is a help, not a condition: errors are ignored.
func (d directory) writePID(pid int) {
	if d.path == "" {
		return
	}
	// Not truncated, for that is one more change on the disk: three lines count.
	file, err := os.OpenFile(d.file("pid"), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return
	}
	_, _ = file.WriteString(identity(pid))
	_ = file.Close()
}

// identity names a process for good, in three lines.
func identity(pid int) string {
	return fmt.Sprintf("%d\n%s\n%s\n", pid, process.StartTime(pid), bootID())
}

// occupied reports whether the process of the pid file still runs.
func (d directory) occupied() bool {
	text, err := os.ReadFile(d.file("pid"))
	if err != nil {
		return false
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(first)
	return err == nil && strings.HasPrefix(string(text), identity(pid))
}

// prune removes the oldest directories beyond keptDirectories. Run ids are
// UUIDs of version 7, so their order is that of time.
func prune(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	var runs []string
	for _, entry := range entries {
		if uuid.Validate(entry.Name()) == nil {
			runs = append(runs, entry.Name())
		}
	}
	slices.Sort(runs)
	for _, name := range runs[:max(0, len(runs)-keptDirectories)] {
		if own := (directory{filepath.Join(parent, name)}); !own.occupied() {
			_ = os.RemoveAll(own.path)
		}
	}
}
