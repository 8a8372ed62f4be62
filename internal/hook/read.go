package hook

import "gopkg.in/yaml.v3"

// Options says how hook files are read.
type Options struct {
	Template bool // each file is a Go template first (-template)

	// Reload refuses an id that stands twice in one file. At the start the
	// first of them counts, as in webhook.
	Reload bool

	// Elsewhere says that the files are meant for another machine, or for another
	// user: secrets and certificates that are not here are not missed. The hooks
	// are for looking at; none may be served.
	Elsewhere bool

	// KeepText makes the Loader's Report tell what each file holds, for whoever
	// looks at it again: a pipe cannot be read twice.
	KeepText bool

	// Alarm is told, in words, when a secret that was good cannot be read any
	// more, and when it can be again; it may be nil. It is called while
	// deliveries are asked about, by any of them.
	Alarm func(text string)
}

// Read reads one hook file: JSON or YAML, whatever its name. It tells all
// problems at once; where Problems.Refused, the hooks must not be used.
func Read(file string, text []byte, options Options) ([]*Hook, Problems) {
	r := newReader(file, options)
	return r.read(text), r.problems
}

func newReader(file string, options Options) *reader { return &reader{file: file, options: options} }

// read reads the hooks of a file. Its problems are in r.problems, in order.
func (r *reader) read(text []byte) (hooks []*Hook) {
	if r.options.Template {
		expanded, problems := expand(r.file, decodeText(text))
		r.problems = append(r.problems, problems...)
		if problems.Refused() {
			return nil
		}
		text = expanded
	}
	if root := r.parse(text); root != nil {
		hooks = r.list(root, r.options)
	}
	r.problems = r.problems.sort()
	return hooks
}

// list reads the file's list of hooks.
func (r *reader) list(root *yaml.Node, options Options) []*Hook {
	switch {
	case isNull(root):
		return nil
	case root.Kind == yaml.MappingNode && isSchema(r.parsed):
		r.refuse(root, "this is a JSON Schema, for editors, and no hook file")
		return nil
	case root.Kind == yaml.MappingNode && root.Style&yaml.FlowStyle != 0:
		r.refuse(root, "a hook file is a list of hooks, not an object (put [ and ] around it)")
		return nil
	case root.Kind == yaml.MappingNode:
		r.refuse(root, "a hook file is a list of hooks, not an object (put a dash and a blank before its first key, and two blanks before the others)")
		return nil
	case root.Kind == yaml.ScalarNode:
		// It may be a secret, whose file a shell's pattern took along: it is not told.
		r.refuse(root, "a hook file is a list of hooks, not one word or text")
		return nil
	case root.Kind != yaml.SequenceNode:
		r.refuse(root, "a hook file is a list of hooks, not %s", kindOf(root))
		return nil
	}
	var hooks []*Hook
	first := map[string]*Hook{}
	for _, item := range root.Content {
		h, id := r.one(r.resolve(item))
		if r.exhausted() {
			return nil
		}
		if earlier, twice := first[h.ID]; twice {
			r.twice(id, h, earlier, options)
			continue
		}
		first[h.ID] = h
		hooks = append(hooks, h)
	}
	return hooks
}

// twice tells of a hook whose id an earlier one of the file has.
func (r *reader) twice(id *yaml.Node, h, earlier *Hook, options Options) {
	where := earlier.At.Line
	if options.Reload || h.Own || earlier.Own {
		r.refuse(id, "the id %q is that of the hook in line %d already", h.ID, where)
		return
	}
	if h.ID == "" {
		return // told already
	}
	r.note(id, Error, "the id %q is that of the hook in line %d already; only that one counts, and a reload would refuse the file", h.ID, where)
}
