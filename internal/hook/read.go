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

	// Alarm is told, in words, when a secret that was good cannot be read any
	// more, and when it can be again; it may be nil. It is called while
	// deliveries are asked about, by any of them.
	Alarm func(text string)
}

// Read reads one hook file: JSON or YAML, whatever its name. It tells all
// problems at once; where Problems.Refused, the hooks must not be used.
func Read(file string, text []byte, options Options) ([]*Hook, Problems) {
	r := &reader{file: file, options: options}
	if options.Template {
		expanded, problems := expand(file, decodeText(text))
		r.problems = append(r.problems, problems...)
		if problems.Refused() {
			return nil, r.problems
		}
		text = expanded
	}
	var hooks []*Hook
	if root := r.parse(text); root != nil {
		hooks = r.list(root, options)
	}
	return hooks, r.problems.sort()
}

// list reads the file's list of hooks.
func (r *reader) list(root *yaml.Node, options Options) []*Hook {
	switch {
	case isNull(root):
		return nil
	case root.Kind == yaml.MappingNode:
		r.refuse(root, "a hook file is a list of hooks, not an object (put [ and ] around it)")
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
