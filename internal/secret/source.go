package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is how many bytes a file that holds a secret may have: no key is so
// long, and a wrong path must not be read into memory whole.
const maxFile = 64 << 10

// Source is where one secret comes from.
type Source struct {
	// One of these is set; Text is the secret itself, which then stands in the
	// hook file.
	File       string // a path; a regular file of at most 64 KiB
	Env        string // the name of a variable of Pawl's environment
	Credential string // the name of a systemd credential
	Text       Value
}

// String names the source, never the secret.
func (s Source) String() string {
	switch {
	case s.File != "":
		return "file " + s.File
	case s.Env != "":
		return "variable " + s.Env
	case s.Credential != "":
		return "credential " + s.Credential
	}
	return "text in the hook file"
}

// place is a file's whole path: a relative one is looked for where Pawl was
// started, which is another place for pawl check than for the server.
func (s Source) place() string {
	whole, err := filepath.Abs(s.File)
	if err != nil {
		return s.File
	}
	return whole
}

// ErrUnset says that a source is there to be set, and is not: a variable that is
// missing or empty, a file or a credential that does not exist or is empty.
var ErrUnset = errors.New("the secret is not set")

// read reads the source as it is now. One line end at the end is dropped. The
// file's state as it was read is returned with it, also beside an error; nil
// where there is no file.
func (s Source) read() (Value, os.FileInfo, error) {
	var text string
	var info os.FileInfo
	switch {
	case s.File != "":
		content, opened, err := readFile(s.File)
		if errors.Is(err, os.ErrNotExist) {
			return Value{}, nil, fmt.Errorf("%w: there is no file %s", ErrUnset, s.place())
		} else if err != nil {
			return Value{}, opened, fmt.Errorf("read the secret: %w", err)
		}
		text, info = TrimLineEnd(content), opened
	case s.Env != "":
		text = TrimLineEnd(os.Getenv(s.Env))
	case s.Credential != "":
		content, err := Credential(s.Credential)
		if errors.Is(err, os.ErrNotExist) || os.Getenv("CREDENTIALS_DIRECTORY") == "" {
			return Value{}, nil, fmt.Errorf("%w: %w", ErrUnset, err)
		} else if err != nil {
			return Value{}, nil, err
		}
		text = content
	default:
		text = s.Text.Reveal()
	}
	if strings.TrimSpace(text) == "" {
		return Value{}, info, fmt.Errorf("%w: %s is empty", ErrUnset, s)
	}
	return New(text), info, nil
}

// readFile reads a file and tells its state when it was opened.
func readFile(path string) (string, os.FileInfo, error) {
	// Asked before it is opened: to open a named pipe waits for its writer.
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return "", info, fmt.Errorf("%s is not a regular file", path)
	} else if err != nil {
		return "", nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", info, err
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil {
		return "", nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", info, err
	}
	if len(content) > maxFile {
		return "", info, fmt.Errorf("%s has more than 64 KiB: is it the right file?", path)
	}
	return string(content), info, nil
}
