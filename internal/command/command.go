// Package command turns a hook and a delivery into what its script is given:
// arguments, variables, files, directory.
//
// It is pure: it looks nothing up on this machine and writes nothing, so what it
// says is what a run would get. The names of variables and files are webhook's
// (https://github.com/adnanh/webhook/blob/master/docs/Hook-Definition.md).
package command

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
)

// Command is what a script is given.
type Command struct {
	Name      string   // execute-command, as written
	Directory string   // working directory; "" is the server's
	Args      []string // argv, the command's name first
	Env       []string // NAME=value, in order, each name once; besides what is inherited
	Files     []File
	Stdin     []byte // what it reads (process.stdin); empty: nothing. It is not to be changed

	// Missing lists the values that the delivery did not have: an empty
	// argument in its place, no variable, no file, nothing to read. One whose
	// credential is kept no longer is listed too, and handed over as
	// run.Withheld.
	Missing []error
}

// File is a value that is handed over in a temporary file, whose path Variable
// holds.
type File struct {
	Variable string
	Content  []byte
}

// prefix begins the name of a variable that a hook file does not name.
const prefix = "HOOK_"

// WithheldError says that a value was a credential, and is kept no longer: the
// runs that it came with have ended.
type WithheldError struct{ Ref delivery.Ref }

func (e *WithheldError) Error() string {
	return e.Ref.String() + " is a credential, which was not kept: the script gets " + run.Withheld
}

// Build makes the command of a hook for a delivery, with the element and the
// credentials that it has (delivery.OfRun). The error says what keeps
// it from running: a name that no variable can have, or a file's value that
// should be base64 and is not.
func Build(h *hook.Hook, d *delivery.Delivery) (Command, error) {
	c := Command{Name: h.Command, Directory: h.Directory, Args: make([]string, 1, 1+len(h.Arguments))}
	c.Args[0] = h.Command
	for _, a := range h.Arguments {
		value, _ := c.value(d, a)
		c.Args = append(c.Args, value)
	}
	for _, a := range h.Environment {
		value, ok := c.value(d, a)
		if !ok {
			continue
		}
		name := cmp.Or(a.Variable, prefix+a.Name)
		if err := process.CheckName(name); err != nil {
			return c, fmt.Errorf("pass-environment-to-command: %w", err)
		}
		c.Env = Setenv(c.Env, name, value)
	}
	for _, a := range h.Files {
		value, ok := c.value(d, a)
		if !ok {
			continue
		}
		file := File{cmp.Or(a.Variable, prefix+strings.ToUpper(a.Name)), []byte(value)}
		if err := process.CheckName(file.Variable); err != nil {
			return c, fmt.Errorf("pass-file-to-command: %w", err)
		}
		if a.Base64Decode {
			content, err := decodeBase64(value)
			if err != nil {
				return c, fmt.Errorf("pass-file-to-command: %s %q: %w", a.Source, a.Name, err)
			}
			file.Content = content
		}
		c.Files = append(c.Files, file)
	}
	if h.Process.Stdin != nil {
		c.Stdin = c.stdin(d, *h.Process.Stdin)
	}
	return c, nil
}

// stdin is what the command reads: of the body no copy, for it may be large.
func (c *Command) stdin(d *delivery.Delivery, ref delivery.Ref) []byte {
	if ref.Source == delivery.RawRequestBody {
		return d.Body
	}
	value, ok := c.value(d, hook.Argument{Ref: ref})
	if !ok {
		return nil
	}
	return []byte(value)
}

// value looks a value up and notes when it is not there.
func (c *Command) value(d *delivery.Delivery, a hook.Argument) (string, bool) {
	value, err := d.Value(a.Ref)
	if err != nil {
		c.Missing = append(c.Missing, err)
	} else if value == run.Withheld && a.Credential() != delivery.NoCredential {
		c.Missing = append(c.Missing, &WithheldError{a.Ref})
	}
	if len(value) < len(d.Body) {
		// It may be a part of the body, which must not live as long as the
		// script does for the sake of a few bytes.
		value = strings.Clone(value)
	}
	return value, err == nil
}

// Setenv sets a variable in a list of NAME=value, where it may stand already.
func Setenv(env []string, name, value string) []string {
	item := name + "=" + value
	at := slices.IndexFunc(env, func(other string) bool {
		return len(other) > len(name) && other[len(name)] == '=' && other[:len(name)] == name
	})
	if at >= 0 {
		env[at] = item
		return env
	}
	return append(env, item)
}

// decodeBase64 decodes either alphabet of base64, with or without padding.
func decodeBase64(value string) ([]byte, error) {
	value = strings.TrimRight(strings.TrimSpace(value), "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(value, "-_") {
		encoding = base64.RawURLEncoding
	}
	content, err := encoding.DecodeString(value)
	if err != nil {
		return nil, fmt.Errorf("the value is not base64: %w", err)
	}
	return content, nil
}
