package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// maxPIDFile is how long, in bytes, a file may be to be taken for a pid file. A
// longer one is something else, named by mistake.
const maxPIDFile = 64

// createPIDFile writes this process's number, and nothing else, into the file at
// path, and makes the directories above it. If the number in it is that of
// another process that lives, it is an error and the file stays as it is. A dead
// process's is taken over, and so is one with this process's own number, which
// comes again when a container restarts.
//
// remove deletes the file if it is still this process's.
func createPIDFile(path string) (remove func() error, err error) {
	path, err = filepath.Abs(path) // the working directory may change before the end
	if err != nil {
		return nil, fmt.Errorf("find the place of pid file %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make the directory of pid file %s: %w", path, err)
	}
	if err := checkPIDFile(path); err != nil {
		return nil, err
	}
	own := []byte(strconv.Itoa(os.Getpid()))
	if err := replaceFile(path, own); err != nil {
		return nil, fmt.Errorf("write pid file %s: %w", path, err)
	}
	return func() error {
		content, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Equal(content, own) {
			return nil // somebody removed it, or another Pawl has taken it over
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove pid file %s: %w", path, err)
		}
		return nil
	}, nil
}

// checkPIDFile returns an error if what is at path must not be overwritten.
func checkPIDFile(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read pid file %s: %w", path, err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxPIDFile {
		return fmt.Errorf("pid file %s: there is something else in its place; remove it, or choose another path with -pidfile", path)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read pid file %s: %w", path, err)
	}
	pid, err := strconv.Atoi(string(bytes.TrimSpace(content)))
	if err != nil || pid <= 0 { // cut short by a crash
		return nil
	}
	if isOther, err := otherProcess(pid); err != nil {
		return fmt.Errorf("find out whether process %d of pid file %s lives: %w", pid, path, err)
	} else if isOther {
		return fmt.Errorf("pid file %s: it holds the number of a living process, %d; stop that one, or remove the file if it is another program", path, pid)
	}
	return nil
}

// replaceFile writes a file so that nobody ever reads a part of it. Where its
// directory cannot be written (root made the file for this user, or it is a
// mount) it writes into the file itself.
func replaceFile(path string, content []byte) error {
	fresh := path + "." + strconv.Itoa(os.Getpid()) + ".new"
	_ = os.Remove(fresh) // left over from a crash
	err := writeNew(fresh, content, 0o644)
	if err == nil {
		err = os.Rename(fresh, path)
	}
	if err == nil {
		return nil
	}
	_ = os.Remove(fresh) // where it was made
	if writeInto(path, content) == nil {
		return nil
	}
	return err
}

// writeInto writes into a file that is there, and follows no link.
func writeInto(path string, content []byte) error {
	before, err := os.Lstat(path)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if opened, err := file.Stat(); err != nil || !os.SameFile(before, opened) || !before.Mode().IsRegular() {
		return errors.New("it is no file, or a link")
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.Write(content)
	return err
}

// writeNew writes a file that must not exist yet: in a directory that all may
// write to, a link at its place could lead anywhere.
func writeNew(path string, content []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
