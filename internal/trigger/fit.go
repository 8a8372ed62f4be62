package trigger

import (
	"fmt"
	"unicode/utf8"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// occasion says which values are looked at: those that are the same for all
// elements of for-each, those that are an element's own, or all.
type occasion int

const (
	always occasion = iota
	once
	perElement
)

// covers reports whether a value is looked at on the occasion.
func (o occasion) covers(h *hook.Hook, ref delivery.Ref) bool {
	return o == always || (o == perElement) == usesElement(h, ref)
}

func usesElement(h *hook.Hook, ref delivery.Ref) bool {
	if ref.Source == delivery.CEL {
		set, _ := h.Payload.Expressions.(expression.Set)
		program := set[ref.Name]
		return program == nil || program.UsesElement()
	}
	return ref.Source == delivery.Element
}

// BoundError says that a value is not as its hook says that it must be (pattern,
// max-length). The value is not in it.
type BoundError struct {
	Bound   *hook.Bound
	TooLong bool
}

func (e *BoundError) Error() string {
	if e.TooLong {
		return fmt.Sprintf("%s is longer than max-length, %d characters", e.Bound.Ref, e.Bound.MaxLength)
	}
	return fmt.Sprintf("%s does not match its pattern %s", e.Bound.Ref, e.Bound.Written)
}

// unfit says why a delivery does not fit its hook, or with perElement the present
// element: a value is not as it must be, or an expression that the run needs
// cannot be told.
func unfit(h *hook.Hook, content *delivery.Delivery, mode Mode, when occasion) error {
	for i := range h.Bounds {
		bound := &h.Bounds[i]
		if !when.covers(h, bound.Ref) {
			continue
		}
		if err := outOf(bound, content, mode); err != nil {
			return err
		}
	}
	if h.Payload.Expressions == nil {
		return nil
	}
	for ref := range computations(h) {
		if !when.covers(h, ref) {
			continue
		}
		if _, err := content.Value(ref); err != nil && !delivery.IsMissing(err) {
			return err
		}
	}
	return nil
}

// outOf asks whether a value is as it must be. One that is missing is: a script
// gets nothing of it, but of an argument the empty text, which must be so then.
func outOf(bound *hook.Bound, content *delivery.Delivery, mode Mode) error {
	value, err := content.Value(bound.Ref)
	switch {
	case delivery.IsMissing(err):
		if bound.Of != "pass-arguments-to-command" {
			return nil
		}
	case err != nil:
		return err
	case mode.Replayed && value == run.Withheld && (bound.Source == delivery.Header || bound.Source == delivery.Query || bound.Source == delivery.QueryAlias):
		return nil // a credential: it is not there to be looked at
	}
	if bound.MaxLength > 0 && len(value) > bound.MaxLength && utf8.RuneCountInString(value) > bound.MaxLength {
		return &BoundError{bound, true}
	}
	if bound.Pattern != nil && !bound.Pattern.MatchString(value) {
		return &BoundError{bound, false}
	}
	return nil
}

// computations goes through the expressions whose values the hook's runs need.
func computations(h *hook.Hook) func(yield func(delivery.Ref) bool) {
	return func(yield func(delivery.Ref) bool) {
		for _, list := range [][]hook.Argument{h.Arguments, h.Environment, h.Files} {
			for i := range list {
				if list[i].Source == delivery.CEL && !yield(list[i].Ref) {
					return
				}
			}
		}
		for _, ref := range h.Queue.Key {
			if ref.Source == delivery.CEL && !yield(ref) {
				return
			}
		}
		if stdin := h.Process.Stdin; stdin != nil && stdin.Source == delivery.CEL {
			yield(*stdin)
		}
	}
}
