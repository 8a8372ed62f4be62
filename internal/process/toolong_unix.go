//go:build unix

package process

import (
	"fmt"
	"strings"
)

// stringLimit is the longest single argument or variable on Linux, its end
// included (MAX_ARG_STRLEN: 32 pages of 4 KiB).
const stringLimit = 128 << 10

// tooLong explains E2BIG by sizes.
func tooLong(spec Spec) string {
	const remedy = ": pass large values by pass-file-to-command"
	largest, size, total := "", 0, 0
	weigh := func(what string, length int) {
		total += length + 1 // the NUL that ends it
		if length > size {
			largest, size = what, length
		}
	}
	for i, argument := range spec.Args {
		weigh(fmt.Sprintf("argument %d", i), len(argument))
	}
	arguments := total
	for _, item := range spec.Env {
		name, _, _ := strings.Cut(item, "=")
		weigh("the environment variable "+excerpt(name), len(item))
	}
	if size+1 > stringLimit {
		return fmt.Sprintf("%s has %d bytes, more than the %d that the system allows for one", largest, size, stringLimit-1) + remedy
	}
	return fmt.Sprintf("%d arguments (%d bytes) and %d environment variables (%d bytes) are together more than the system allows; the largest is %s with %d bytes",
		len(spec.Args), arguments, len(spec.Env), total-arguments, largest, size) + remedy
}
