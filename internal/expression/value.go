package expression

import (
	"cmp"
	"fmt"
	"net/textproto"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

	"github.com/pawlhq/pawl/internal/delivery"
)

// The values here are read from the text of a delivery where an expression looks
// at them, and not before: to make maps and lists of all of a large payload would
// take many times its memory, for a few values. What is read is charged to a
// meter, so that a payload that is made to cost much ends the expression.

// meter bounds how many bytes of a delivery its expressions read, again and
// again, all together.
type meter struct{ left int }

// valueCost is what a value costs besides its bytes.
const valueCost = 16

// charge takes n bytes. It panics as the interpreter does when an expression
// costs too much: Eval makes an error of it.
func (m *meter) charge(n int) {
	if m.left -= n; m.left < 0 {
		panic(interpreter.EvalCancelledError{Message: "read too much", Cause: interpreter.CostLimitExceeded})
	}
}

// valueOf makes the value of a node.
func valueOf(n delivery.Node, m *meter) ref.Val {
	m.charge(valueCost)
	switch n.Kind() {
	case delivery.ObjectNode:
		return &object{node: n, meter: m}
	case delivery.ListNode:
		return &list{node: n, meter: m}
	case delivery.TextNode:
		m.charge(n.Size())
		return types.String(n.Text())
	case delivery.BoolNode:
		return types.Bool(n.Text() == "true")
	case delivery.NumberNode:
		m.charge(n.Size())
		return number(n.Text())
	}
	return types.NullValue
}

// number is an int where the sender wrote an integer of 64 bits, else a double.
func number(text string) ref.Val {
	if !strings.ContainsAny(text, ".eE") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return types.Int(n)
		}
	}
	f, _ := strconv.ParseFloat(text, 64) // beyond a double: infinite
	return types.Double(f)
}

// member is a key and its value, which is made when it is first wanted.
type member struct {
	key   string
	node  delivery.Node
	value ref.Val
}

// object is a JSON object or a form, as a map of CEL.
type object struct {
	node    delivery.Node
	meter   *meter
	members []member // by key, each once; made when first wanted
	known   bool
}

func (o *object) index() []member {
	if o.known {
		return o.members
	}
	o.known = true
	o.meter.charge(2 * o.node.Size())
	count := 0
	for range o.node.Members() {
		count++
	}
	all := make([]member, 0, count)
	for key, node := range o.node.Members() {
		all = append(all, member{key: key, node: node})
	}
	slices.SortStableFunc(all, func(a, b member) int { return cmp.Compare(a.key, b.key) })
	kept := all[:0]
	for i := range all {
		if i+1 == len(all) || all[i].key != all[i+1].key {
			kept = append(kept, all[i])
		}
	}
	o.members = kept
	return kept
}

func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	members := o.index()
	at, found := slices.BinarySearchFunc(members, string(name), func(m member, name string) int { return cmp.Compare(m.key, name) })
	if !found {
		return nil, false
	}
	m := &members[at]
	if m.value == nil {
		m.value = valueOf(m.node, o.meter)
	}
	return m.value, true
}

func (o *object) Get(key ref.Val) ref.Val                      { return get(o, key) }
func (o *object) Contains(key ref.Val) ref.Val                 { return contains(o, key) }
func (o *object) Size() ref.Val                                { return types.Int(len(o.index())) }
func (o *object) Equal(other ref.Val) ref.Val                  { return equalMaps(o, other) }
func (o *object) Type() ref.Type                               { return types.MapType }
func (o *object) Value() any                                   { return o }
func (o *object) ConvertToType(to ref.Type) ref.Val            { return convert(o, to) }
func (o *object) ConvertToNative(to reflect.Type) (any, error) { return native(o, to) }

func (o *object) Iterator() traits.Iterator {
	members := o.index()
	return &iterator{count: len(members), at: func(i int) ref.Val { return types.String(members[i].key) }}
}

// texts is headers or query parameters, as a map of CEL: of several values the
// first counts.
type texts struct {
	values map[string][]string
	header bool // names are looked for in any case
	meter  *meter
}

func (t *texts) Find(key ref.Val) (ref.Val, bool) {
	text, ok := key.(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(key), false
	}
	name := string(text)
	if t.header {
		name = textproto.CanonicalMIMEHeaderKey(name)
	}
	values := t.values[name]
	if len(values) == 0 {
		return nil, false
	}
	t.meter.charge(len(values[0]))
	return types.String(values[0]), true
}

func (t *texts) Get(key ref.Val) ref.Val                      { return get(t, key) }
func (t *texts) Contains(key ref.Val) ref.Val                 { return contains(t, key) }
func (t *texts) Size() ref.Val                                { return types.Int(len(t.names())) }
func (t *texts) Equal(other ref.Val) ref.Val                  { return equalMaps(t, other) }
func (t *texts) Type() ref.Type                               { return types.MapType }
func (t *texts) Value() any                                   { return t }
func (t *texts) ConvertToType(to ref.Type) ref.Val            { return convert(t, to) }
func (t *texts) ConvertToNative(to reflect.Type) (any, error) { return native(t, to) }

// names are in order, and those of headers in small letters: so HTTP/2 has them,
// and so expressions can compare them.
func (t *texts) names() []string {
	names := make([]string, 0, len(t.values))
	for name, values := range t.values {
		if len(values) > 0 {
			if t.header {
				name = strings.ToLower(name)
			}
			names = append(names, name)
		}
	}
	t.meter.charge(16 * len(names))
	slices.Sort(names)
	return names
}

func (t *texts) Iterator() traits.Iterator {
	names := t.names()
	return &iterator{count: len(names), at: func(i int) ref.Val { return types.String(names[i]) }}
}

// list is a JSON list.
type list struct {
	node  delivery.Node
	meter *meter
	nodes []delivery.Node // made when first wanted
	known bool

	// made holds the values of some elements that were asked for by their number.
	made map[int]ref.Val
}

// maxMade is how many elements of one list are kept once they were made. Those
// that an expression walks through are not.
const maxMade = 64

func (l *list) index() []delivery.Node {
	if l.known {
		return l.nodes
	}
	l.known = true
	l.meter.charge(2 * l.node.Size())
	count := 0
	for range l.node.Elements() {
		count++
	}
	l.nodes = slices.AppendSeq(make([]delivery.Node, 0, count), l.node.Elements())
	return l.nodes
}

func (l *list) Get(index ref.Val) ref.Val {
	nodes := l.index()
	i, err := types.GetOrError(index)
	switch {
	case err != nil:
		return types.ValOrErr(index, "%v", err)
	case i < 0 || i >= len(nodes):
		return types.NewErr("index out of bounds: %d", i)
	}
	if value := l.made[i]; value != nil {
		return value
	}
	value := valueOf(nodes[i], l.meter)
	if kind := nodes[i].Kind(); len(l.made) < maxMade && (kind == delivery.ObjectNode || kind == delivery.ListNode) {
		if l.made == nil {
			l.made = make(map[int]ref.Val)
		}
		l.made[i] = value
	}
	return value
}

// Add joins lists without a copy: the interpreter's own list, of the first
// element, knows how.
func (l *list) Add(other ref.Val) ref.Val {
	nodes := l.index()
	if _, ok := other.(traits.Lister); !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	if len(nodes) == 0 {
		return other
	}
	first := types.NewRefValList(types.DefaultTypeAdapter, []ref.Val{valueOf(nodes[0], l.meter)})
	if len(nodes) == 1 {
		return first.Add(other)
	}
	rest := &list{meter: l.meter, nodes: nodes[1:], known: true}
	joined, ok := first.Add(rest).(traits.Lister)
	if !ok {
		return types.NewErr("no such overload")
	}
	return joined.Add(other)
}

func (l *list) Contains(wanted ref.Val) ref.Val {
	for _, node := range l.index() {
		if types.Equal(wanted, valueOf(node, l.meter)) == types.True {
			return types.True
		}
	}
	return types.False
}

func (l *list) Equal(other ref.Val) ref.Val {
	others, ok := other.(traits.Lister)
	if !ok || l.Size().Equal(others.Size()) != types.True {
		return types.False
	}
	for i, node := range l.index() {
		if types.Equal(valueOf(node, l.meter), others.Get(types.Int(i))) != types.True {
			return types.False
		}
	}
	return types.True
}

func (l *list) Size() ref.Val                                { return types.Int(len(l.index())) }
func (l *list) Type() ref.Type                               { return types.ListType }
func (l *list) Value() any                                   { return l }
func (l *list) ConvertToType(to ref.Type) ref.Val            { return convert(l, to) }
func (l *list) ConvertToNative(to reflect.Type) (any, error) { return native(l, to) }

func (l *list) Iterator() traits.Iterator {
	nodes := l.index()
	return &iterator{count: len(nodes), at: func(i int) ref.Val { return valueOf(nodes[i], l.meter) }}
}

// iterator goes through count values.
type iterator struct {
	next, count int
	at          func(int) ref.Val
}

func (i *iterator) HasNext() ref.Val { return types.Bool(i.next < i.count) }

func (i *iterator) Next() ref.Val {
	if i.next >= i.count {
		return nil
	}
	i.next++
	return i.at(i.next - 1)
}

func (i *iterator) Equal(ref.Val) ref.Val                        { return types.False }
func (i *iterator) Type() ref.Type                               { return types.IteratorType }
func (i *iterator) Value() any                                   { return nil }
func (i *iterator) ConvertToType(to ref.Type) ref.Val            { return convert(i, to) }
func (i *iterator) ConvertToNative(to reflect.Type) (any, error) { return native(i, to) }

func get(m traits.Mapper, key ref.Val) ref.Val {
	value, found := m.Find(key)
	if !found {
		return types.ValOrErr(value, "no such key: %v", key)
	}
	return value
}

func contains(m traits.Mapper, key ref.Val) ref.Val {
	value, found := m.Find(key)
	if !found && value != nil {
		return value // the key is of a type that no key has
	}
	return types.Bool(found)
}

func equalMaps(m traits.Mapper, other ref.Val) ref.Val {
	others, ok := other.(traits.Mapper)
	if !ok || m.Size().Equal(others.Size()) != types.True {
		return types.False
	}
	for it := m.Iterator(); it.HasNext() == types.True; {
		key := it.Next()
		mine, _ := m.Find(key)
		theirs, found := others.Find(key)
		if !found || types.Equal(mine, theirs) != types.True {
			return types.False
		}
	}
	return types.True
}

func convert(v ref.Val, to ref.Type) ref.Val {
	switch to {
	case v.Type():
		return v
	case types.TypeType:
		if is, ok := v.Type().(ref.Val); ok {
			return is
		}
	}
	return types.NewErr("type conversion error from '%s' to '%s'", v.Type(), to)
}

// native serves no Go type: nothing here is handed to one.
func native(v ref.Val, to reflect.Type) (any, error) {
	return nil, fmt.Errorf("a %s is no %s", v.Type().TypeName(), to)
}
