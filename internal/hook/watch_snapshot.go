package hook

import (
	"crypto/sha256"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// doubtful is how recently a file may have been written for another write
	// to leave size and time as they are: FAT keeps times to 2 seconds.
	doubtful = 3 * time.Second

	// maxHashed bounds what is read of one file, in bytes, to tell its content
	// from another's. Hook files are thousands of times smaller.
	maxHashed = 16 << 20

	// maxLinks is how many symbolic links may stand in a row, as in Linux.
	maxLinks = 40
)

// Snapshot tells one state of the listed hook files from another: which are
// there, which files their names lead to, and what those hold. It does not keep their
// content. It is never changed.
type Snapshot struct {
	stamps map[string]stamp
	// due says that a file which is awaited is another than it was seen to be.
	due bool
	// spots are the paths that, when something appears, changes or goes there,
	// change what a listed path means: the files, and the links on the way.
	spots map[string]bool
	// listed are the directories, without links, whose hook files all count.
	listed map[string]bool
	// directories are those that hold the spots.
	directories map[string]bool
}

// TakeSnapshot looks at the hook files and directories that paths name, as
// Watch does. A caller that takes one before it reads the hook files can hand
// it to Watch as WatchOptions.Loaded.
func TakeSnapshot(paths []string) (*Snapshot, error) {
	absolute, err := absolutePaths(paths)
	if err != nil {
		return nil, err
	}
	return snapshot(absolute, nil, nil, time.Now()), nil
}

// stamp is what tells one state of a file from another.
type stamp struct {
	info    fs.FileInfo // nil where nothing is
	sum     [sha256.Size]byte
	problem string // why the content could not be read
	settled bool   // the file was at rest for so long that its time tells of each later write
}

// snapshot looks at paths and at what is awaited, all absolute, at the time now.
// What before knows of unchanged content is not read again.
func snapshot(paths []string, awaited []Awaited, before *Snapshot, now time.Time) *Snapshot {
	s := &Snapshot{
		stamps: map[string]stamp{}, spots: map[string]bool{},
		listed: map[string]bool{}, directories: map[string]bool{},
	}
	for _, path := range paths {
		place, info := s.add(path, before, now)
		if info == nil || !info.IsDir() {
			continue
		}
		s.listed[place], s.directories[place] = true, true
		entries, err := os.ReadDir(place)
		if err != nil {
			own := s.stamps[path]
			own.problem = err.Error()
			s.stamps[path] = own
		}
		for _, entry := range entries { // what could be read, even after an error
			if isHookFile(entry.Name()) {
				s.add(filepath.Join(path, entry.Name()), before, now)
			}
		}
	}
	for _, one := range awaited {
		s.await(one)
	}
	return s
}

// Awaited is a file that is no hook file and that one names, as it was when that
// was read.
type Awaited struct {
	Path string      // absolute
	Seen fs.FileInfo // nil where nothing was
}

// await looks at a file that is awaited. Its content is not read: it may be secret.
func (s *Snapshot) await(a Awaited) {
	for _, spot := range follow(a.Path).spots {
		s.spots[spot] = true
		s.directories[filepath.Dir(spot)] = true
	}
	info, _ := os.Stat(a.Path)
	s.due = s.due || !stamp{info: info}.sameInfo(stamp{info: a.Seen})
}

// add looks at one path. It returns what the path leads to.
func (s *Snapshot) add(path string, before *Snapshot, now time.Time) (string, fs.FileInfo) {
	way := follow(path)
	for _, spot := range way.spots {
		s.spots[spot] = true
		s.directories[filepath.Dir(spot)] = true
	}
	var mark stamp
	if way.end != "" {
		if info, err := os.Stat(way.end); err == nil {
			mark.info = info
		}
	}
	if mark.info != nil && mark.info.Mode().IsRegular() { // to open a pipe would wait for its writer
		mark.settled = mark.info.ModTime().Before(now.Add(-doubtful))
		var old stamp
		if before != nil {
			old = before.stamps[path]
		}
		if old.settled && old.problem == "" && old.sameInfo(mark) {
			mark.sum = old.sum
		} else {
			mark.sum, mark.problem = hash(way.end)
		}
	}
	s.stamps[path] = mark
	return way.end, mark.info
}

// same reports whether nothing changed between two snapshots of the same paths.
func (s *Snapshot) same(other *Snapshot) bool {
	if len(s.stamps) != len(other.stamps) {
		return false
	}
	for path, mine := range s.stamps {
		theirs, ok := other.stamps[path]
		if !ok || mine.problem != theirs.problem ||
			mine.sum != theirs.sum || !mine.sameInfo(theirs) {
			return false
		}
	}
	return true
}

// concerns reports whether an event at path, which is clean and without links,
// can be a change.
func (s *Snapshot) concerns(path string) bool {
	return s.spots[path] || s.listed[filepath.Dir(path)] && isHookFile(filepath.Base(path))
}

// sameInfo reports whether the system tells no difference. For what is no
// regular file only its being there counts: the time and size of a directory
// tell of others' files.
func (a stamp) sameInfo(b stamp) bool {
	if a.info == nil || b.info == nil {
		return a.info == nil && b.info == nil
	}
	if a.info.Mode() != b.info.Mode() {
		return false
	}
	if !a.info.Mode().IsRegular() {
		return true
	}
	return a.info.Size() == b.info.Size() && a.info.ModTime().Equal(b.info.ModTime()) && os.SameFile(a.info, b.info)
}

// hash returns the sum of a file's content, or why it could not be read.
func hash(path string) (sum [sha256.Size]byte, problem string) {
	file, err := os.Open(path)
	if err != nil {
		return sum, err.Error()
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, io.LimitReader(file, maxHashed)); err != nil {
		return sum, err.Error()
	}
	return [sha256.Size]byte(digest.Sum(nil)), ""
}

// isHookFile reports whether a directory's entry of this name is a hook file.
// Hidden ones are not: editors and Kubernetes keep theirs so.
func isHookFile(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(name))
}

// way is how a path leads to a file.
type way struct {
	end   string   // the file's path without links; empty where the path leads nowhere
	spots []string // as in Snapshot; the last is the end, or what is missing
}

// follow goes along an absolute path as the system does, link by link.
func follow(path string) way {
	var w way
	here, rest := split(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		switch name {
		case "", ".":
			continue
		case "..": // only in a link's target; here has no links, so its parent is the text before it
			here = filepath.Dir(here)
			continue
		}
		at := filepath.Join(here, name)
		info, err := os.Lstat(at)
		if err != nil {
			w.spots = append(w.spots, at)
			return w
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			here = at
			continue
		}
		w.spots = append(w.spots, at)
		target, err := os.Readlink(at)
		if err != nil || links == maxLinks {
			return w
		}
		links++
		start, ahead := split(target)
		if start != "" {
			here = start
		}
		rest = append(ahead, rest...)
	}
	w.end = here
	w.spots = append(w.spots, here)
	return w
}

// split takes a path apart: where it starts (empty when it is relative), and
// its names.
func split(path string) (start string, names []string) {
	path = filepath.FromSlash(path)
	separator := string(filepath.Separator)
	volume := filepath.VolumeName(path)
	path = path[len(volume):]
	if filepath.IsAbs(volume+path) || strings.HasPrefix(path, separator) {
		start = volume + separator
	}
	return start, strings.Split(path, separator)
}
