//go:build unix && !linux

package process

import "fmt"

// SealDescriptors marks every descriptor from 3 on as close-on-exec, so that
// what Pawl itself was given (by a shell, a supervisor) stays open here and
// never reaches a script. Call it once at the start; all that Go opens later is
// so marked from birth. FreeBSD lists descriptors above 2 only where fdescfs is
// mounted on /dev/fd.
func SealDescriptors() error {
	if err := sealListed("/dev/fd"); err != nil {
		return fmt.Errorf("keep inherited descriptors from scripts: %w", err)
	}
	return nil
}
