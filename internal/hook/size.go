package hook

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSize reads a number of bytes as in 4096, 512KiB, 10MiB or 1GiB. KB, MB
// and GB are powers of ten.
func ParseSize(text string) (int64, error) {
	units := []struct {
		suffix string
		factor float64
	}{
		{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1},
	}
	for _, unit := range units {
		number, found := strings.CutSuffix(strings.TrimSpace(text), unit.suffix)
		if !found {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(n) || n < 0 || n*unit.factor > math.MaxInt64/2 {
			break
		}
		return int64(n * unit.factor), nil
	}
	return 0, fmt.Errorf("%q is no size (as in 4096, 512KiB, 10MiB or 1GiB)", text)
}
