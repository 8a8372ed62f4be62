package hook

import (
	"regexp"

	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/delivery"
)

// bound is what a value is bounded by, as it is being read.
type bound struct {
	Bound
	at *yaml.Node
}

// boundKeys are those that any value may have.
func (r *reader) boundKeys(b *bound) []key {
	return []key{
		{name: "pattern", of: pawls, read: func(f field) { b.at = f.value; b.Pattern, b.Written = r.pattern(f) }},
		{name: "max-length", of: pawls, read: func(f field) { b.at = f.value; b.MaxLength = r.limit(f) }},
	}
}

// pattern reads an expression that whole values must match.
func (r *reader) pattern(f field) (*regexp.Regexp, string) {
	written := r.text(f)
	if f.value.Kind != yaml.ScalarNode {
		return nil, ""
	}
	if written == "" {
		r.wrong(f.value, "pattern is empty: only an empty value would match it")
		return nil, ""
	}
	// Alone first, lest brackets of the pattern end the ones around it.
	if _, err := regexp.Compile(written); err != nil {
		r.wrong(f.value, "pattern: %v", err)
		return nil, written
	}
	whole, err := regexp.Compile(`\A(?:` + written + `)\z`)
	if err != nil {
		r.wrong(f.value, "pattern: %v", err)
	}
	return whole, written
}

// bounded keeps what a value is bounded by.
func (r *reader) bounded(b bound, ref delivery.Ref) {
	if b.at == nil {
		return
	}
	known, _ := delivery.ParseSource(string(ref.Source))
	switch {
	case known == delivery.String:
		r.wrong(b.at, "pattern and max-length bound what a sender writes: the text of source string is the hook file's own")
		return
	case r.key == "for-each":
		r.wrong(b.at, "for-each takes no pattern and no max-length: bound its elements where they are used, as in {source: element, pattern: '[a-z]+'}")
		return
	case b.Pattern == nil && b.MaxLength == 0:
		return // told
	}
	b.Ref, b.Of, b.At = ref, r.key, r.position(b.at.Line, b.at.Column)
	r.bounds = append(r.bounds, b.Bound)
}
