// Package command turns a hook and a delivery into what its script is given:
// arguments, variables, files, directory.
//
// It writes nothing, and of this machine it asks for secrets alone (the secret of an
// argument, whose file is read again when it changed), so what it says is what a run
// would get. The names of variables and files are webhook's
// (https://github.com/adnanh/webhook/blob/master/docs/Hook-Definition.md).
package command

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
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
	// run.Withheld. So is a secret that is not set.
	Missing []error

	// Hidden says which of all this is secret. Shown is for whatever is logged or
	// printed.
	Hidden Hidden
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

// UnsetError says that a secret which a command is given is not set.
type UnsetError struct{ Sources []secret.Source }

func (e *UnsetError) Error() string {
	var from []string
	for _, source := range e.Sources {
		from = append(from, source.String())
	}
	return "a secret for the script is not set: " + strings.Join(from, ", ")
}

// Build makes the command of a hook for a delivery, with the element and the
// credentials that it has (delivery.OfRun). The error says what keeps
// it from running: a name that no variable can have, a file's value that
// should be base64 and is not, an expression that cannot be worked out. It tells
// no value, nor does Missing.
func Build(h *hook.Hook, d *delivery.Delivery) (Command, error) {
	b := builder{hook: h, delivery: d, Command: Command{Name: h.Command, Directory: h.Directory, Args: make([]string, 1, 1+len(h.Arguments))}}
	b.Args[0] = h.Command
	for _, part := range []func() error{b.arguments, b.environment, b.files, b.stdin} {
		if err := part(); err != nil {
			return b.Command, err
		}
	}
	return b.Command, nil
}

// builder makes a Command.
type builder struct {
	Command
	hook     *hook.Hook
	delivery *delivery.Delivery
}

func (b *builder) arguments() error {
	for i := range b.hook.Arguments {
		found, err := b.value(&b.hook.Arguments[i])
		if err == nil {
			err = found.inOneText()
		}
		if err != nil {
			return fmt.Errorf("pass-arguments-to-command: %w", err)
		}
		if found.hidden {
			b.Hidden.Args = append(b.Hidden.Args, len(b.Args))
		}
		b.Args = append(b.Args, found.text)
	}
	return nil
}

func (b *builder) environment() error {
	for i := range b.hook.Environment {
		a := &b.hook.Environment[i]
		found, err := b.value(a)
		if err == nil && found.there {
			name := cmp.Or(a.Variable, prefix+a.Name)
			if err = cmp.Or(process.CheckName(name), found.inOneText()); err == nil {
				b.Env = Setenv(b.Env, name, found.text)
				b.Hidden.variable(name, found.hidden)
			}
		}
		if err != nil {
			return fmt.Errorf("pass-environment-to-command: %w", err)
		}
	}
	return nil
}

func (b *builder) files() error {
	for i := range b.hook.Files {
		a := &b.hook.Files[i]
		found, err := b.value(a)
		if err == nil && found.there {
			err = b.file(a, found)
		}
		if err != nil {
			return fmt.Errorf("pass-file-to-command: %w", err)
		}
	}
	return nil
}

func (b *builder) file(a *hook.Argument, found given) error {
	file := File{cmp.Or(a.Variable, prefix+strings.ToUpper(a.Name)), []byte(found.text)}
	if err := process.CheckName(file.Variable); err != nil {
		return err
	}
	if a.Base64Decode {
		content, err := decodeBase64(found.text)
		if err != nil {
			return fmt.Errorf("%s %q: %w", a.Source, a.Name, err)
		}
		file.Content = content
	}
	if found.hidden {
		b.Hidden.Files = append(b.Hidden.Files, len(b.Files))
	}
	b.Files = append(b.Files, file)
	return nil
}

// stdin is what the command reads: of the body no copy, for it may be large.
func (b *builder) stdin() error {
	ref := b.hook.Process.Stdin
	switch {
	case ref == nil:
		return nil
	case ref.Source == delivery.RawRequestBody:
		b.Stdin = b.delivery.Body
		return nil
	}
	found, err := b.value(&hook.Argument{Ref: *ref})
	if err != nil {
		return fmt.Errorf("process.stdin: %w", err)
	}
	if found.there {
		b.Stdin, b.Hidden.Stdin = []byte(found.text), found.hidden
	}
	return nil
}

// given is one value for the script.
type given struct {
	text   string
	there  bool // the delivery has it
	hidden bool // it is a secret, or a credential of the delivery
}

// inOneText refuses a hidden value that no argument and no variable can hold:
// whoever starts the process would quote it.
func (g given) inOneText() error {
	if g.hidden && strings.Contains(g.text, "\x00") {
		return errors.New("a secret value holds a NUL byte, which no argument and no variable can: pass it by pass-file-to-command")
	}
	return nil
}

// value looks a value up and notes when it is not there.
func (b *builder) value(a *hook.Argument) (given, error) {
	if a.Secret != nil {
		values := a.Secret.Values()
		if len(values) == 0 {
			b.Missing = append(b.Missing, &UnsetError{a.Secret.Sources()})
			return given{hidden: true}, nil
		}
		return given{values[0].Reveal(), true, true}, nil
	}
	value, err := b.delivery.Value(a.Ref)
	switch {
	case delivery.IsUnfit(err):
		return given{}, err
	case err != nil:
		b.Missing = append(b.Missing, err)
	case value == run.Withheld && b.hook.Tells(b.delivery, a.Ref):
		b.Missing = append(b.Missing, &WithheldError{a.Ref})
	}
	if len(value) < len(b.delivery.Body) {
		// It may be a part of the body, which must not live as long as the
		// script does for the sake of a few bytes.
		value = strings.Clone(value)
	}
	return given{value, err == nil, value != "" && b.hook.Tells(b.delivery, a.Ref)}, nil
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
