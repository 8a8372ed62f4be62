package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// keptDirectories is how many directories of ended runs stay where a script
// left something in them.
const keptDirectories = 1000

// directory is a run's own directory; the zero value is none. It holds the pid file while the run's
// process lives, and what the script leaves: artifacts, summary, results.
type directory struct{ path string }

// makeDirectory makes a run's directory below parent. It is there already when
// the run was attempted before.
func makeDirectory(parent, id string) (directory, error) {
	if parent == "" {
		return directory{}, nil
	}
	own := directory{filepath.Join(parent, id)}
	err := os.Mkdir(own.path, 0o700)
	if err == nil || os.IsExist(err) {
		err = os.Mkdir(own.artifacts(), 0o700)
	}
	if err != nil && !os.IsExist(err) {
		return own, fmt.Errorf("make the run's own directory: %w", err)
	}
	return own, nil
}

func (d directory) file(name string) string { return filepath.Join(d.path, name) }

func (d directory) artifacts() string { return d.file("artifacts") }

// writePID tells who runs here, so that after a crash the process can be found
// and be told from another of its number: its pid, when it was started, and in
// which boot of the machine. It is a help, not a condition: errors are ignored.
func (d directory) writePID(pid int) {
	if d.path == "" {
		return
	}
	text := strconv.Itoa(pid) + "\n" + startTime(pid) + "\n" + bootID() + "\n"
	_ = os.WriteFile(d.file("pid"), []byte(text), 0o600)
}

// remove removes what nobody needs any more: the pid file, and the directory
// itself unless the script left something in it.
func (d directory) remove() {
	if d.path == "" {
		return
	}
	_ = os.Remove(d.file("pid"))
	_ = os.Remove(d.artifacts()) // fails when there are artifacts, as does the next
	if os.Remove(d.path) != nil {
		prune(filepath.Dir(d.path))
	}
}

// prune removes the oldest directories beyond keptDirectories. Run ids are
// UUIDs of version 7, so their order is that of time.
func prune(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) <= keptDirectories {
		return
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	slices.Sort(names)
	for _, name := range names[:len(names)-keptDirectories] {
		own := directory{filepath.Join(parent, name)}
		if _, err := os.Lstat(own.file("pid")); err == nil {
			continue // still running
		}
		_ = os.RemoveAll(own.path)
	}
}
