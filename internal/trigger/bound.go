package trigger

import (
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
)

// OutOf says why a value is not as it must be, as Ask finds it, for who explains
// that. The error is nil where it is.
func OutOf(b *hook.Bound, content *delivery.Delivery, mode Mode) error {
	return outOf(b, content, mode)
}
