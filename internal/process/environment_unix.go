//go:build unix

package process

import "strings"

// lastOfEach gives an environment in which each name stands once: the last of
// equal ones counts. Most have none, and cost neither a map nor a copy.
func lastOfEach(env []string) []string {
	if !mayRepeat(env) {
		return env
	}
	last := make(map[string]int, len(env))
	for i, item := range env {
		last[nameOf(item)] = i
	}
	single := make([]string, 0, len(last))
	for i, item := range env {
		if last[nameOf(item)] == i {
			single = append(single, item)
		}
	}
	return single
}

// nameOf is what a variable is known by. Without a '=' it is the whole text.
func nameOf(item string) string {
	name, _, _ := strings.Cut(item, "=")
	return name
}

// mayRepeat reports whether two names may be equal: their hashes are. It is
// small, for the stack that it stands on is made for each run.
func mayRepeat(env []string) bool {
	const slots = 1 << 9
	if len(env) > slots/2 {
		return true // too full to tell
	}
	var seen [slots]uint16 // hashes, 0 where there is none
	for _, item := range env {
		hash := uint32(2166136261) // FNV-1a
		for i := 0; i < len(item) && item[i] != '='; i++ {
			hash = (hash ^ uint32(item[i])) * 16777619
		}
		tag := uint16(hash>>16) | 1
		at := hash % slots
		for ; seen[at] != 0; at = (at + 1) % slots {
			if seen[at] == tag {
				return true
			}
		}
		seen[at] = tag
	}
	return false
}
