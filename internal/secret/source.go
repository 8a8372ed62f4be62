package secret

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Source is where one secret comes from.
type Source struct {
	// One of these is set; Text is the secret itself, which then stands in the
	// hook file.
	File       string // a path
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

// ErrUnset says that a source is there to be set, and is not: a variable that is
// missing or empty, a file or a credential that does not exist or is empty.
var ErrUnset = errors.New("the secret is not set")

// read reads the source as it is now. One line end at the end is dropped.
func (s Source) read() (Value, error) {
	var text string
	switch {
	case s.File != "":
		content, err := os.ReadFile(s.File)
		if errors.Is(err, os.ErrNotExist) {
			return Value{}, fmt.Errorf("%w: there is no file %s", ErrUnset, s.File)
		} else if err != nil {
			return Value{}, fmt.Errorf("read the secret: %w", err)
		}
		text = TrimLineEnd(string(content))
	case s.Env != "":
		text = TrimLineEnd(os.Getenv(s.Env))
	case s.Credential != "":
		content, err := Credential(s.Credential)
		if errors.Is(err, os.ErrNotExist) || os.Getenv("CREDENTIALS_DIRECTORY") == "" {
			return Value{}, fmt.Errorf("%w: %w", ErrUnset, err)
		} else if err != nil {
			return Value{}, err
		}
		text = content
	default:
		text = s.Text.Reveal()
	}
	if strings.TrimSpace(text) == "" {
		return Value{}, fmt.Errorf("%w: %s is empty", ErrUnset, s)
	}
	return New(text), nil
}
