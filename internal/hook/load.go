package hook

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Loader loads hook files, first and again. It is for one goroutine.
//
// Each file is judged by itself: one that cannot be loaded keeps the hooks that
// it had, and the Set is made of all files at once. A listed file that is gone
// keeps its hooks too; one that is gone from a listed directory takes them with
// it.
type Loader struct {
	paths   []string
	options Options
	good    map[string][]*Hook // of each file, what was loaded last
	loaded  bool               // Load ran before
}

// NewLoader makes a Loader of files and directories. Of a directory every
// *.json, *.yaml and *.yml counts, in the order of their names.
func NewLoader(paths []string, options Options) *Loader {
	return &Loader{paths: paths, options: options, good: map[string][]*Hook{}}
}

// Loaded tells of one file what came of it.
type Loaded struct {
	File  string
	Hooks []*Hook // in force now
	Kept  bool    // the file could not be loaded, and these are the ones it had

	// Awaited are the files that one that could not be loaded names, as those of
	// its secrets: when one of them appears or changes, it may load.
	Awaited []Awaited

	Text []byte // what was read, with Options.KeepText
}

// Report tells what came of a load.
type Report struct {
	Files    []Loaded
	Problems Problems
}

// ErrSameID says that an id stands in two files at the start, where no file has
// a last good state to keep.
var ErrSameID = errors.New("an id stands in two hook files")

// candidate is a file on its way into a Set.
type candidate struct {
	Loaded
	problems Problems
	read     []*Hook // as far as they could be read, also where the file was refused
}

// Load reads all files and makes a Set of them. The error is ErrSameID, or nil:
// a file that cannot be loaded is a problem in the Report.
func (l *Loader) Load() (*Set, Report, error) {
	options := l.options
	options.Reload = l.loaded
	var files []*candidate
	listed := map[string]bool{}
	for _, path := range l.paths {
		for _, c := range l.read(path, options) {
			if name := filepath.Clean(c.File); !listed[name] {
				listed[name] = true
				files = append(files, c)
			}
		}
	}
	twice := l.settle(files)
	for l.settleFollowers(files) {
		l.settle(files)
	}
	var hooks []*Hook
	for _, c := range files {
		hooks = append(hooks, c.Hooks...)
	}
	set := NewSet(hooks)
	strangers(files, set)
	var report Report
	good := make(map[string][]*Hook, len(files))
	for _, c := range files {
		report.Files = append(report.Files, c.Loaded)
		report.Problems = append(report.Problems, c.problems...)
		good[c.File] = c.Hooks
	}
	if twice && !l.loaded {
		return nil, report, ErrSameID
	}
	l.good, l.loaded = good, true
	return set, report, nil
}

// read reads the file, or the files of the directory, at a path.
func (l *Loader) read(path string, options Options) []*candidate {
	info, err := os.Stat(path)
	if err != nil {
		return l.gone(path, err)
	}
	if l.loaded && !info.IsDir() && !info.Mode().IsRegular() {
		// A pipe can be read once, at the start; to read it again could take for ever.
		return []*candidate{l.keep(path, "it is no file that can be read again")}
	}
	if !info.IsDir() {
		read := os.ReadFile
		if info.Mode()&fs.ModeNamedPipe != 0 {
			read = readPipe
		}
		text, err := read(path)
		return []*candidate{l.judge(path, text, err, options)}
	}
	files, err := hookFiles(path)
	if err != nil {
		return l.gone(path, err)
	}
	var list []*candidate
	for _, file := range files {
		if text, err := os.ReadFile(file); err != nil || !isSchema(text) {
			list = append(list, l.judge(file, text, err, options))
		}
	}
	return list
}

// hookFiles lists the hook files of a directory. What is no file there is left
// out: to read a pipe could take for ever.
func hookFiles(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		path := filepath.Join(directory, entry.Name())
		if !isHookFile(entry.Name()) {
			continue
		}
		// What cannot be looked at is told when it is read.
		if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
			files = append(files, path)
		}
	}
	return files, nil
}

// gone keeps what a listed file, or the files of a listed directory, had.
func (l *Loader) gone(path string, err error) []*candidate {
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("no such file or directory")
	}
	list := []*candidate{l.keep(path, fmt.Sprintf("cannot read the hook file: %v", err))}
	for _, file := range slices.Sorted(maps.Keys(l.good)) {
		if filepath.Dir(file) == filepath.Clean(path) {
			list = append(list, l.keep(file, "its directory is gone"))
		}
	}
	return list
}

// judge makes hooks of what a file holds; one that cannot be loaded keeps what it
// had.
func (l *Loader) judge(file string, text []byte, err error, options Options) *candidate {
	if err != nil {
		return l.keep(file, fmt.Sprintf("cannot read the hook file: %v", err))
	}
	r := newReader(file, options)
	hooks := r.read(text)
	c := &candidate{Loaded: Loaded{File: file, Hooks: hooks}, problems: r.problems, read: hooks}
	if options.KeepText {
		c.Text = text
	}
	if c.problems.Refused() {
		c.Hooks, c.Kept, c.Awaited = l.good[file], true, r.named
	}
	return c
}

func (l *Loader) keep(file, why string) *candidate {
	return &candidate{
		Loaded:   Loaded{File: file, Hooks: l.good[file], Kept: true},
		problems: Problems{{At: Position{File: file}, Severity: Refusal, Text: why}},
	}
}

// settle refuses files until no id stands in two, and reports whether one did.
// Each round makes one file that was read fall back on its last good hooks. Those
// of all files never share an id, so the rounds end when all have, at the latest.
func (l *Loader) settle(files []*candidate) (twice bool) {
	for range files {
		found := l.collision(files)
		if found.loser == nil {
			break
		}
		twice = true
		l.fallBack(found)
	}
	return twice
}

// collision is an id in two files, one of which must fall back.
type collision struct {
	loser, winner *candidate
	id            string
	claim         claim
}

// claim is why the winner has the id, the strongest first.
type claim int

const (
	keeps claim = iota // it fell back on it and has nothing else
	had                // it had it before
	first              // it comes first
)

// collision finds the collision with the strongest claim: what is certain is
// decided before what depends on the order. The loser is nil if there is none.
func (l *Loader) collision(files []*candidate) collision {
	best := collision{claim: first + 1}
	owner := map[string]*candidate{}
	for _, c := range files {
		for _, h := range c.Hooks {
			other, taken := owner[h.ID]
			if !taken {
				owner[h.ID] = c
				continue
			}
			found := collision{c, other, h.ID, l.claim(other, h.ID)}
			if mine := l.claim(c, h.ID); mine < found.claim {
				found = collision{other, c, h.ID, mine}
			}
			if found.claim < best.claim {
				best = found
			}
		}
	}
	return best
}

func (l *Loader) claim(c *candidate, id string) claim {
	switch {
	case c.Kept:
		return keeps
	case slices.ContainsFunc(l.good[c.File], func(h *Hook) bool { return h.ID == id }):
		return had
	}
	return first
}

// fallBack refuses the file that lost.
func (l *Loader) fallBack(found collision) {
	c := found.loser
	at := slices.IndexFunc(c.Hooks, func(h *Hook) bool { return h.ID == found.id })
	c.problems = append(c.problems, Problem{
		At: c.Hooks[at].At, Hook: found.id, Severity: Refusal,
		Text: fmt.Sprintf("the id is that of a hook in %s already: an id must be unique over all hook files", found.winner.File),
	}).sort()
	c.Hooks, c.Kept = l.good[c.File], true
}
