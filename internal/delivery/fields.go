package delivery

import (
	"maps"
	"slices"
	"strings"
)

// fields are named texts: headers, a query, a form. Of several texts of one
// name the first counts. Some may have been parsed as JSON: their objects take
// the texts' places. The texts are bytes as they came, not necessarily UTF-8.
type fields struct {
	texts   map[string][]string
	objects map[string]*document
}

// find returns the value of that name: a whole name comes first, then the part
// before the first dot, if an object stands there.
func (f *fields) find(name string) (value, bool) {
	if object, ok := f.objects[name]; ok {
		return object.whole(), true
	}
	if texts := f.texts[name]; len(texts) > 0 {
		return literalValue(texts[0]), true
	}
	head, rest, dotted := strings.Cut(name, ".")
	if object, ok := f.objects[head]; dotted && ok {
		return object.find(rest)
	}
	return value{}, false
}

// appendTo appends all fields as one canonical JSON object.
func (f *fields) appendTo(out []byte) []byte {
	return f.write(slices.Grow(out, f.size()), appendString)
}

// pathText makes the text for paths: with few escapes, which gjson decodes at
// each step of a path.
func (f *fields) pathText() string {
	return textOf(f.write(nil, func(out []byte, text string) []byte { return appendMinimal(out, toValid(text)) }))
}

// write appends all fields as one JSON object with sorted names; texts are
// appended by text.
func (f *fields) write(out []byte, text func(out []byte, text string) []byte) []byte {
	names := make([]string, 0, len(f.texts)+len(f.objects))
	for name, texts := range f.texts {
		if f.objects[name] == nil && len(texts) > 0 {
			names = append(names, name)
		}
	}
	names = slices.AppendSeq(names, maps.Keys(f.objects))
	slices.Sort(names)
	out = append(out, '{')
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(text(out, name), ':')
		if object := f.objects[name]; object != nil {
			out = object.appendTo(out)
		} else {
			out = text(out, f.texts[name][0])
		}
	}
	return append(out, '}')
}

// size is how many bytes appendTo may append.
func (f *fields) size() int {
	size := len(`{}`)
	for name, texts := range f.texts {
		if f.objects[name] == nil && len(texts) > 0 {
			size += stringSize(name) + stringSize(texts[0]) + len(`:,`)
		}
	}
	for name, object := range f.objects {
		size += stringSize(name) + object.size() + len(`:,`)
	}
	return size
}

// parseParameter makes an object of the text of that name. A dotted name
// leads into an object that an earlier parameter made.
func (f *fields) parseParameter(name string) error {
	if f.objects[name] == nil && len(f.texts[name]) > 0 {
		object, err := parseObject(f.texts[name][0])
		if err != nil {
			return notObject(err)
		}
		f.set(name, object)
		return nil
	}
	head, rest, dotted := strings.Cut(name, ".")
	switch {
	case f.objects[name] != nil:
		return nil
	case !dotted || f.objects[head] == nil:
		return errAbsent
	}
	object, err := f.objects[head].parseParameter(rest)
	f.objects[head] = object
	return err
}

func (f *fields) set(name string, object *document) {
	if f.objects == nil {
		f.objects = make(map[string]*document)
	}
	f.objects[name] = object
}
