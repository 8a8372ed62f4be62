package hook

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/process"
)

// once reads a key that is asked once for a delivery, so that no element of
// for-each is known in it.
func (r *reader) once(read func(field)) func(field) {
	return func(f field) {
		r.onceFor = f.name
		read(f)
		r.onceFor = ""
	}
}

// elementUse is a place where an element of for-each is asked for, and what asks.
type elementUse struct {
	node *yaml.Node
	what string
}

// element notes where an element of for-each is asked for.
func (r *reader) element(node *yaml.Node, what string) {
	if r.onceFor != "" {
		r.refuse(node, "%s means nothing in %s, which is asked once for a delivery and not for each element", what, r.onceFor)
		return
	}
	r.elements = append(r.elements, elementUse{node, what})
}

// value reads a value that has no name of its own.
func (r *reader) value(what string, node *yaml.Node) delivery.Ref {
	var a Argument
	at := places{source: node, name: node}
	r.each(r.object(what, node), r.valueKeys(&a, &at))
	r.ref(a.Ref, at.source, at.name)
	r.bounded(at.bound, a.Ref)
	return a.Ref
}

// single reads the one value of a key.
func (r *reader) single(f field) *delivery.Ref {
	if f.value.Kind == yaml.SequenceNode {
		r.refuse(f.value, "%s is one value ({source, name}), not a list", f.name)
		return nil
	}
	ref := r.value(f.name, f.value)
	return &ref
}

// refs reads one value, or a list of them.
func (r *reader) refs(f field) []delivery.Ref {
	if f.value.Kind != yaml.SequenceNode {
		return []delivery.Ref{r.value(f.name, f.value)}
	}
	if len(f.value.Content) == 0 {
		r.wrong(f.value, "%s names no value; leave it out for runs that may overlap", f.name)
	}
	var refs []delivery.Ref
	for _, item := range r.items(f) {
		refs = append(refs, r.value("an item of "+f.name, item))
	}
	return refs
}

// forEach reads the value whose elements get a run each.
func (r *reader) forEach(f field) *delivery.Ref {
	ref := r.single(f)
	if ref == nil {
		return nil
	}
	switch known, _ := delivery.ParseSource(string(ref.Source)); known {
	case delivery.Payload, delivery.Header, delivery.Query, delivery.Element, "": // told elsewhere
	default:
		r.wrong(f.value, "for-each takes a value of payload, header or query: source %s has no elements", ref.Source)
	}
	return ref
}

// hookID reads the id of another hook. Whether there is one is told when all
// files are read.
func (r *reader) hookID(f field) (string, Position) {
	id := r.text(f)
	if id == "" && f.value.Kind == yaml.ScalarNode {
		r.wrong(f.value, "%s names the id of a hook; leave it out for none", f.name)
	}
	return id, r.position(f.value.Line, f.value.Column)
}

// rateText is a number of starts and the time they are counted in.
var rateText = regexp.MustCompile(`^(\d+)\s*/\s*(.+)$`)

// rate reads a rate as in 10/1m, 10/m or 100/90s.
func (r *reader) rate(f field) Rate {
	if parts := rateText.FindStringSubmatch(f.value.Value); parts != nil && f.value.Kind == yaml.ScalarNode {
		unit := parts[2]
		if strings.Trim(unit, "smhuµn") == "" {
			unit = "1" + unit
		}
		starts, err := strconv.ParseInt(parts[1], 10, 32)
		per, err2 := time.ParseDuration(unit)
		if err == nil && err2 == nil && starts > 0 && per > 0 && per <= maxDuration {
			return Rate{int(starts), per}
		}
	}
	r.refuse(f.value, "%s is a number of starts in a time, as in 10/1m, 5/s or 100/1h30m, not %s", f.name, kindOf(f.value))
	return Rate{}
}

// exitCodes reads which failures are tried again: exit codes, and the words
// timeout and signal.
func (r *reader) exitCodes(f field, t *Retry) {
	if f.value.Kind == yaml.SequenceNode && len(f.value.Content) == 0 {
		r.wrong(f.value, "%s names no failure; leave it out to retry any", f.name)
	}
	for _, item := range r.items(f) {
		switch code, err := strconv.Atoi(item.Value); {
		case item.Kind == yaml.ScalarNode && item.Value == "timeout":
			t.Timeout = true
		case item.Kind == yaml.ScalarNode && item.Value == "signal":
			t.Signal = true
		case item.Kind != yaml.ScalarNode || err != nil || code < 0 || code > 255:
			r.refuse(item, "an item of %s is an exit code from 1 to 255, or one of the words timeout and signal, not %s", f.name, kindOf(item))
		case code == 0:
			r.wrong(item, "exit code 0 is success, which is never tried again")
		default:
			t.ExitCodes = append(t.ExitCodes, code)
		}
	}
}

// body reads what the answer is made of.
func (r *reader) body(f field) AnswerBody {
	return AnswerBody(r.word(f, string(BodyOutput), string(BodyStream), string(BodyCGI)))
}

// stream reads soulteary/webhook's key for answer.body: stream.
func (r *reader) stream(f field, a *Answer) {
	if r.boolean(f) {
		a.Set = true
		if a.Body == BodyMessage {
			a.Body = BodyStream
		}
	}
}

// exitStatus reads which HTTP status answers which exit code.
func (r *reader) exitStatus(f field, a *Answer) {
	for _, one := range r.object(f.name, f.value) {
		status := r.number(one)
		if one.value.Kind == yaml.ScalarNode && (status < 200 || status > 599) {
			r.wrong(one.value, "exit-status: %d is no final HTTP status, which is 200 to 599", status)
			continue
		}
		code, err := strconv.Atoi(one.name)
		switch {
		case one.name == "*":
			a.OtherExit = status
		case err != nil || code < 0 || code > 255:
			r.wrong(one.key, `exit-status: %q is no exit code from 0 to 255, and not "*" for all others`, one.name)
		default:
			if a.ExitStatus == nil {
				a.ExitStatus = map[int]int{}
			}
			a.ExitStatus[code] = status
		}
	}
}

// environmentKeys are those of process.environment.
func (r *reader) environmentKeys(i *Inherit) []key {
	return []key{
		{name: "inherit", of: pawls, read: func(f field) { i.Set, i.Names = true, r.inherited(f) }},
		{name: "set", of: pawls, read: func(f field) { i.Vars = r.variables(f) }},
	}
}

// inherited reads the names of the variables that a script inherits.
func (r *reader) inherited(f field) []string {
	names := []string{}
	for _, item := range r.items(f) {
		name := r.text(field{name: "a name of " + f.name, value: item})
		switch {
		case item.Kind != yaml.ScalarNode:
		case strings.HasPrefix(name, pawlsVariables):
			r.wrong(item, "%s: variables that begin with %s are Pawl's own, and no script inherits them", f.name, pawlsVariables)
		default:
			r.wrongIf(item, f.name, process.CheckName(name))
		}
		names = append(names, name)
	}
	return names
}

// pawlsVariables begins the names of the variables that Pawl itself sets.
const pawlsVariables = "PAWL_"

// variables reads variables and their values. Names that differ in their case
// alone are two.
func (r *reader) variables(f field) []string {
	if f.value.Kind != yaml.MappingNode {
		r.refuse(f.value, "%s is an object of names and values, not %s", f.name, kindOf(f.value))
		return nil
	}
	var list []string
	for _, one := range r.fieldsAsWritten(f.value) {
		value := r.text(field{name: one.name, key: one.key, value: one.value})
		switch {
		case strings.HasPrefix(one.name, pawlsVariables):
			r.wrong(one.key, "%s: variables that begin with %s are Pawl's own", f.name, pawlsVariables)
		case strings.Contains(value, "\x00"):
			r.wrong(one.value, "%s: the value of %s holds a NUL byte, which no variable can", f.name, one.name)
		default:
			r.wrongIf(one.key, f.name, process.CheckName(one.name))
		}
		list = append(list, one.name+"="+value)
	}
	return list
}
