package runner

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

const (
	// entryCost is what each file and directory counts for besides its bytes:
	// a million empty files are no small thing to keep.
	entryCost = 512

	// cutEntries bounds how many files are looked at one by one when a run left
	// too much; a run with more loses all.
	cutEntries = 10_000
)

// measured is what a place holds.
type measured struct {
	bytes int64 // of files
	cost  int64 // the same, and entryCost for each entry
	files []sized
}

// sized is a file that may be cut away.
type sized struct {
	path string
	cost int64
}

var errEnough = errors.New("enough")

// measure adds up what is below path. It stops once the cost exceeds the bound:
// then it is only known to. Where list is set it gives the files too.
func measure(path string, bound int64, list bool) measured {
	var m measured
	_ = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error {
		if err != nil || at == path || at == filepath.Join(path, "artifacts") {
			return nil // what has gone meanwhile, or may not be read, counts for nothing
		}
		cost := int64(entryCost)
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			m.bytes += info.Size()
			cost += info.Size()
		}
		m.cost += cost
		if list && !d.IsDir() {
			m.files = append(m.files, sized{at, cost})
		}
		if !list && m.cost > bound || len(m.files) > cutEntries {
			return errEnough
		}
		return nil
	})
	return m
}

// cut removes what a place holds beyond the bound, the largest files first, and
// gives the bytes that stay.
func (p place) cut(bound int64) (int64, error) {
	m := measure(p.path, bound, true)
	slices.SortFunc(m.files, func(a, b sized) int { return cmp.Compare(b.cost, a.cost) })
	var problems []error
	if len(m.files) <= cutEntries {
		for _, file := range m.files {
			if m.cost <= bound {
				break
			}
			problems = append(problems, os.Remove(file.path))
			m.cost -= file.cost
		}
	}
	if m.cost > bound { // too many files, or directories alone
		problems = append(problems, removeAll(p.artifacts()), ignoreMissing(os.Remove(p.file(summaryName))), os.MkdirAll(p.artifacts(), 0o700))
	}
	rest := measure(p.path, bound, false)
	return rest.bytes, errors.Join(problems...)
}

// size writes a number of bytes as hook files do.
func size(bytes int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	at := 0
	for ; bytes >= 1<<10 && bytes%(1<<10) == 0 && at < len(units)-1; at++ {
		bytes >>= 10
	}
	return fmt.Sprintf("%d %s", bytes, units[at])
}
