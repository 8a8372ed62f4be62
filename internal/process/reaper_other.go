//go:build !linux

package process

import "context"

// StartReaper does nothing: only Linux containers make Pawl process 1.
func StartReaper(context.Context, bool) (stop func(), err error) { return func() {}, nil }
