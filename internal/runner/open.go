package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// errNotPlain says that something which a script left is not read: a link, a
// device, a pipe. A script must not make Pawl show what is elsewhere.
var errNotPlain = errors.New("it is no plain file with one name")

// openPlace opens a directory of a run, or of a slot, which must be no link.
func openPlace(directory string) (*os.Root, error) {
	parent, err := os.OpenRoot(filepath.Dir(directory))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	return openBelow(parent, filepath.Base(directory))
}

// openBelow opens a directory right below another, which must be no link.
func openBelow(root *os.Root, name string) (*os.Root, error) {
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !before.IsDir() {
		return nil, fmt.Errorf("open %s: it is no directory", name)
	}
	below, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	if now, err := below.Stat("."); err != nil || !os.SameFile(before, now) {
		below.Close()
		return nil, fmt.Errorf("open %s: it was exchanged meanwhile", name)
	}
	return below, nil
}

// openRegular opens a file by its slash-separated name below root: a regular
// file of one link, with no link on the way to it. It never waits.
func openRegular(root *os.Root, name string) (*os.File, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	for at, c := range name {
		if c != '/' {
			continue
		}
		info, err := root.Lstat(name[:at])
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errNotPlain}
		}
	}
	before, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !plain(before) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNotPlain}
	}
	file, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, err
	}
	if now, err := file.Stat(); err != nil || !os.SameFile(before, now) || !plain(now) {
		file.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: errNotPlain}
	}
	return file, nil
}

// plain reports whether a file may be read back.
func plain(info fs.FileInfo) bool { return info.Mode().IsRegular() && links(info) == 1 }
