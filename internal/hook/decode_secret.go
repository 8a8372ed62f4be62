package hook

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/process"
	"github.com/pawlhq/pawl/internal/secret"
)

// secretUse is what a secret is for, which decides what may be said of it.
type secretUse int

const (
	ofCallers  secretUse = iota // callers are compared with it: unset: loopback means something
	ofArgument                  // a command is given it
)

// secrets reads the secret of a hook: one, or a list of them while it is being
// exchanged. It gives nil where there is none that could be used.
func (r *reader) secrets(f field) *secret.Set { return r.secretSet(f, ofCallers) }

func (r *reader) secretSet(f field, use secretUse) *secret.Set {
	items := []*yaml.Node{f.value}
	if f.value.Kind == yaml.SequenceNode {
		if use == ofArgument {
			r.refuse(f.value, "%s is one secret, not a list: a command is given one", f.name)
			return nil
		}
		if items = r.items(f); len(items) == 0 {
			r.wrong(f.value, "%s lists no secret: nothing could ever be verified", f.name)
			return nil
		}
	}
	var sources []secret.Source
	loopback := true
	for _, item := range items {
		source, unset := r.secretSource(field{name: f.name, key: f.key, value: item}, use)
		if source == (secret.Source{}) {
			return nil // told
		}
		sources = append(sources, source)
		loopback = loopback && unset
	}
	set := secret.NewSet(sources, r.options.Alarm)
	set.UnsetLoopback = loopback
	return set
}

// secretSource reads one secret: text, or where it comes from. unset reports
// whether it may be unset, so that only this machine may call.
func (r *reader) secretSource(f field, use secretUse) (source secret.Source, unset bool) {
	switch f.value.Kind {
	case yaml.ScalarNode:
		text := r.secretText(f)
		if strings.TrimSpace(text) == "" {
			r.wrong(f.value, "%s is empty: nothing could ever be verified with it", f.name)
			return secret.Source{}, false
		}
		if !r.options.Template { // else it may well come from elsewhere
			r.advise(f.value, "the secret stands in clear in the hook file: put it into a file of its own and write %s: {file: PATH}", f.name)
		}
		return secret.Source{Text: secret.New(text)}, false
	case yaml.MappingNode:
	default:
		r.refuse(f.value, "%s is text, or one of {file: PATH}, {env: NAME} and {credential: NAME}, not %s", f.name, kindOf(f.value))
		return secret.Source{}, false
	}
	at := f.value
	given, before := 0, len(r.problems)
	part := func(name string, into *string, read func(field) string) key {
		return key{name: name, of: pawls, read: func(f field) {
			*into = read(f)
			if f.value.Kind == yaml.ScalarNode && f.value.Value == "" {
				r.wrong(f.value, "%s names nothing", f.name)
			}
			given, at = given+1, f.value
		}}
	}
	r.each(r.fieldsOf(f.value), []key{
		part("file", &source.File, r.fileName),
		part("env", &source.Env, r.variableOfPawl),
		part("credential", &source.Credential, r.text),
		{name: "unset", of: pawls, read: func(f field) {
			switch unset = f.value.Value == "loopback"; {
			case !unset:
				r.wrong(f.value, "unset is the word loopback, which lets only this machine call until the secret is set; without it a secret must be set")
			case use == ofArgument:
				r.wrong(f.value, "unset: loopback means who may call: it has no meaning for what a command is given")
			}
		}},
	})
	if given == 0 && len(r.problems) > before {
		return secret.Source{}, false // told what is wrong with it
	}
	if given != 1 {
		r.wrong(f.value, "%s takes one of file, env and credential; for several secrets write a list: [{file: NEW}, {file: OLD}]", f.name)
		return secret.Source{}, false
	}
	if source != (secret.Source{}) {
		r.checkSecret(at, source, unset, use)
	}
	return source, unset
}

// secretText reads a secret that stands in the hook file. Nothing that is told of
// it shows it.
func (r *reader) secretText(f field) string {
	if !plain(f.value) {
		return r.text(f)
	}
	text := plainText(f.value)
	if isNull(f.value) {
		return ""
	}
	if text != f.value.Value {
		r.note(f.value, Warning, "%s: what stands there without quotes is read as another text; put it in quotes", f.name)
	}
	return text
}

// checkSecret tells of a secret that is not set or cannot be read.
func (r *reader) checkSecret(at *yaml.Node, source secret.Source, unset bool, use secretUse) {
	if r.options.Elsewhere {
		return
	}
	before := len(r.problems)
	defer func() { r.caller.unset += len(r.problems) - before }()
	for _, err := range secret.NewSet([]secret.Source{source}, nil).Check() {
		switch {
		case !errors.Is(err, secret.ErrUnset):
			r.wrong(at, "%v", err)
		case unset:
		case use == ofArgument:
			r.wrong(at, "%v; %s", err, howToSet(source))
		default:
			r.wrong(at, "%v; %s, or add unset: loopback, and only callers on this machine may call until it is set", err, howToSet(source))
		}
	}
}

// howToSet says what to do about a secret that is not set.
func howToSet(source secret.Source) string {
	switch {
	case source.File != "":
		return "write the secret into the file"
	case source.Env != "":
		return "set the variable " + source.Env + " where Pawl is started"
	}
	return "add LoadCredential=" + source.Credential + ":PATH to Pawl's unit"
}

// variableOfPawl reads the name of a variable of Pawl's environment.
func (r *reader) variableOfPawl(f field) string {
	name := r.text(f)
	if f.value.Kind != yaml.ScalarNode || name == "" {
		return ""
	}
	if err := process.CheckName(name); err != nil {
		r.wrongIf(f.value, f.name, err)
		return ""
	}
	if !strings.HasPrefix(name, pawlsVariables) {
		r.advise(f.value, "scripts inherit Pawl's variables, %s among them, except those whose names begin with %s: rename it to %s%s", name, pawlsVariables, pawlsVariables, name)
	}
	return name
}

// fileName reads the name of a file. As with execute-command, one that is
// relative is looked up from the command's working directory, and without one
// from Pawl's own.
func (r *reader) fileName(f field) string {
	name := r.text(f)
	if name == "" {
		return ""
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.directory, name)
	}
	if path, err := filepath.Abs(name); err == nil {
		seen, _ := os.Stat(path)
		r.named = append(r.named, Awaited{path, seen})
	}
	return name
}

// fileKey makes a key whose value is {file: PATH}.
func (r *reader) fileKey(name string, into *string) key {
	return key{name: name, of: pawls, read: func(outer field) {
		r.group(outer, []key{{name: "file", of: pawls, read: func(f field) {
			*into = r.fileName(f)
			r.missing(f, *into)
		}}})
		if *into == "" && outer.value.Kind == yaml.MappingNode {
			r.wrong(outer.value, "%s names a file: {file: PATH}", r.key)
		}
	}}
}

// missing notes that a file of another machine is not here to be read.
func (r *reader) missing(f field, name string) {
	if _, err := os.Stat(name); r.options.Elsewhere && name != "" && errors.Is(err, os.ErrNotExist) {
		r.caller.elsewhere = true
	}
}
