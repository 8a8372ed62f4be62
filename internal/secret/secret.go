// Package secret holds values that must not be seen: keys, passwords and
// tokens that hooks compare with what a caller sends.
//
// A Value prints as *** whatever prints it. The package knows where such values
// are read from (so far: a systemd credential); it does not compare or hash.
package secret

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Value is a secret. Its zero value is the empty secret, which never verifies
// anything.
type Value struct {
	// A pointer: fmt cannot call the methods of a Value in a field that is not
	// exported, and would print the text.
	text *string
}

// New makes a secret of text.
func New(text string) Value { return Value{&text} }

// Reveal returns the secret itself, for a comparison or a keyed hash alone.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// Empty reports whether nothing is set.
func (v Value) Empty() bool { return v.Reveal() == "" }

const mask = "***"

// String masks the secret.
func (Value) String() string { return mask }

// GoString masks the secret from %#v.
func (Value) GoString() string { return mask }

// Format masks the secret from every verb, %x and %q included.
func (Value) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(mask)) }

// MarshalText masks the secret from JSON, YAML and logs.
func (Value) MarshalText() ([]byte, error) { return []byte(mask), nil }

// Credential reads the systemd credential of that name: a file in the directory
// that $CREDENTIALS_DIRECTORY names (systemd.exec(5), "Credentials"). One line
// end at its end is dropped.
func Credential(name string) (string, error) {
	directory := os.Getenv("CREDENTIALS_DIRECTORY")
	if directory == "" {
		return "", errors.New("no credentials here: CREDENTIALS_DIRECTORY is not set (systemd sets it for a unit with LoadCredential=)")
	}
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`) {
		return "", fmt.Errorf("credential %q: a credential's name holds no path", name)
	}
	text, err := os.ReadFile(filepath.Join(directory, name))
	if err != nil {
		return "", fmt.Errorf("read credential %q: %w", name, err)
	}
	return TrimLineEnd(string(text)), nil
}

// TrimLineEnd drops one line end at the end of text, as editors leave it.
func TrimLineEnd(text string) string {
	if trimmed, ok := strings.CutSuffix(text, "\n"); ok {
		return strings.TrimSuffix(trimmed, "\r")
	}
	return text
}
