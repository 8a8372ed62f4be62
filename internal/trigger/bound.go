package trigger

import (
	"iter"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
)

// What follows is for who explains what Ask decides.

// OutOf says why a value is not as it must be, as Ask finds it. The error is nil
// where it is.
func OutOf(b *hook.Bound, content *delivery.Delivery, mode Mode) error {
	return outOf(b, content, mode)
}

// OfElement reports whether a value is an element's own, so that Ask looks at it
// for each element of for-each; it looks at all others once.
func OfElement(h *hook.Hook, ref delivery.Ref) bool { return usesElement(h, ref) }

// Computations goes through the expressions whose values the hook's runs need, in
// the order in which Ask works them out.
func Computations(h *hook.Hook) iter.Seq[delivery.Ref] { return computations(h) }
