package process

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// firstExtra is the first descriptor that is not a standard one.
const firstExtra = 3

// SealDescriptors marks every descriptor from 3 on as close-on-exec, so that
// what Pawl itself was given (by a shell, a supervisor, socket activation)
// stays open here and never reaches a script. Call it once at the start; all
// that Go opens later is so marked from birth.
func SealDescriptors() error {
	err := unix.CloseRange(firstExtra, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EPERM) {
		// Linux before 5.9 or 5.11, or a container's filter that does not know the call.
		err = sealListed("/proc/self/fd")
	}
	if err != nil {
		return fmt.Errorf("keep inherited descriptors from scripts: %w", err)
	}
	return nil
}
