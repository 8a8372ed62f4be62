package runner

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FilesShown bounds the files of a run that are listed.
const FilesShown = 1000

// summaryBound is how much of a summary is read.
const summaryBound = 256 << 10

// Files is what was kept of a run. The caller closes it.
type Files struct {
	run       *os.Root
	artifacts *os.Root // nil where there are none
}

// File is one artifact.
type File struct {
	Name     string // below the directory of artifacts, with slashes
	Size     int64
	Modified time.Time
}

// Files opens what was kept of a run, or what there is so far of a run that goes
// on. The error is fs.ErrNotExist where that is nothing.
//
// Of what scripts leave only regular files that have one name are shown and
// opened: no links, devices or pipes, and nothing outside the run's directory.
func (r *Runner) Files(id string) (*Files, error) {
	if !isRunID(id) || r.options.Directory == "" {
		return nil, &fs.PathError{Op: "open", Path: id, Err: fs.ErrNotExist}
	}
	path := filepath.Join(r.options.Directory, id)
	if live := r.find(id); live != nil && live.place.path != "" {
		path = live.place.path
	}
	root, err := openPlace(path)
	if err != nil {
		return nil, err
	}
	f := &Files{run: root}
	f.artifacts, err = openBelow(root, "artifacts")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		root.Close()
		return nil, err
	}
	return f, nil
}

// Close closes it. Files that were opened stay open.
func (f *Files) Close() {
	if f.artifacts != nil {
		f.artifacts.Close()
	}
	f.run.Close()
}

// Artifacts lists up to FilesShown files in the order of their names, and
// reports whether there are more.
func (f *Files) Artifacts() (files []File, more bool, err error) {
	if f.artifacts == nil {
		return nil, false, nil
	}
	err = fs.WalkDir(f.artifacts.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what may not be read is not shown
		}
		info, err := d.Info()
		if err != nil || !plain(info) {
			return nil
		}
		if len(files) == FilesShown {
			more = true
			return fs.SkipAll
		}
		files = append(files, File{Name: name, Size: info.Size(), Modified: info.ModTime()})
		return nil
	})
	return files, more, err
}

// Open opens an artifact by its Name. The error is fs.ErrNotExist where there is
// no such file, and another where it is no plain one.
func (f *Files) Open(name string) (*os.File, error) {
	if f.artifacts == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return openRegular(f.artifacts, name)
}

// Summary gives what the script wrote to PAWL_SUMMARY, up to 256 KiB, and
// whether that is a part. It is empty where there is none.
func (f *Files) Summary() (text []byte, cut bool, err error) {
	file, err := openRegular(f.run, summaryName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer file.Close()
	text, err = io.ReadAll(io.LimitReader(file, summaryBound+1))
	if len(text) > summaryBound {
		return text[:summaryBound], true, err
	}
	return text, false, err
}

// Kept gives the ids of the runs of which something is kept, in no order: after a
// crash there may be some that are remembered nowhere else. The directory must be
// this Runner's alone by then.
func (r *Runner) Kept() (ids []string) {
	if r.options.Directory == "" {
		return nil
	}
	r.slots.begin.Do(r.slots.load)                // what runs left in slots becomes theirs
	entries, _ := os.ReadDir(r.options.Directory) // what is wrong with it is told by the first run
	for _, entry := range entries {
		if entry.IsDir() && isRunID(entry.Name()) {
			ids = append(ids, entry.Name())
		}
	}
	return ids
}

// Forget removes what was kept of runs. What cannot be removed is told in the
// log.
func (r *Runner) Forget(ids []string) {
	if r.options.Directory == "" {
		return
	}
	for _, id := range ids {
		if !isRunID(id) {
			continue
		}
		if err := removeAll(filepath.Join(r.options.Directory, id)); err != nil {
			r.options.Log.Warn().Err(err).Str("run", id).Msg("the files of a run that is forgotten cannot be removed")
		}
	}
}

// removeAll removes a directory, also where a script has taken the right to from
// a directory below it.
func removeAll(path string) error {
	if os.RemoveAll(path) == nil {
		return nil
	}
	_ = filepath.WalkDir(path, func(at string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(at, 0o700)
		}
		return nil
	})
	return os.RemoveAll(path)
}
