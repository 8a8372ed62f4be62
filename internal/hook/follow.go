package hook

import (
	"fmt"
	"slices"
	"strings"
)

// followers lists the hooks that follow from the ends of a hook's runs.
func (h *Hook) followers() []follower {
	var list []follower
	if h.OnFailure != "" {
		list = append(list, follower{"on-failure", h.OnFailure, h.failureAt})
	}
	if h.OnSuccess != "" {
		list = append(list, follower{"on-success", h.OnSuccess, h.successAt})
	}
	return list
}

// follower is a hook that on-failure or on-success names.
type follower struct {
	key, id string
	at      Position
}

// settleFollowers refuses files whose hooks start one another in a circle: they
// fall back on the hooks that they had. In those alone there is no circle, for
// they were in force together, so the rounds end when all have fallen back, at
// the latest. It reports whether a file fell back.
func (l *Loader) settleFollowers(files []*candidate) (changed bool) {
	byID := map[string]*Hook{}
	for _, c := range files {
		for _, h := range c.Hooks {
			byID[h.ID] = h
		}
	}
	for _, c := range files {
		if c.Kept {
			continue
		}
		problems := circles(c.Hooks, byID)
		if len(problems) == 0 {
			continue
		}
		c.problems = append(c.problems, problems...).sort()
		c.Hooks, c.Kept, changed = l.good[c.File], true, true
	}
	return changed
}

// circles tells of hooks that, by on-failure and on-success, start themselves.
func circles(hooks []*Hook, byID map[string]*Hook) Problems {
	var problems Problems
	for _, h := range hooks {
		for _, f := range h.followers() {
			if way := wayBack(f.id, h.ID, byID, nil); way != nil {
				problems = append(problems, Problem{
					At: f.at, Hook: h.ID, Severity: Refusal,
					Text: fmt.Sprintf("%s leads back to the hook itself: %s", f.key, strings.Join(append([]string{h.ID}, way...), " → ")),
				})
			}
		}
	}
	return problems
}

// wayBack gives the ids on a way from one hook to another, both included; nil
// where there is none. Those in seen were tried already.
func wayBack(from, to string, byID map[string]*Hook, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	h := byID[from]
	if h == nil || seen[from] {
		return nil
	}
	if seen == nil {
		seen = map[string]bool{}
	}
	seen[from] = true
	for _, f := range h.followers() {
		if way := wayBack(f.id, to, byID, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}

// strangers tells of hooks that on-failure or on-success names and that are in
// no file. The hooks that name them work all the same: nothing is lost but what
// would follow.
func strangers(files []*candidate, set *Set) {
	known := map[string]bool{}
	for _, c := range files {
		for _, h := range slices.Concat(c.Hooks, c.read) {
			known[h.ID] = true
		}
	}
	told := map[string]string{} // the text for an id: many hooks may name one
	for _, c := range files {
		hooks := c.Hooks
		if c.read != nil {
			hooks = c.read // all that is wrong with a file is told at once, also where it was refused
		}
		for _, h := range hooks {
			for _, f := range h.followers() {
				if known[f.id] {
					continue
				}
				if told[f.id] == "" {
					told[f.id] = fmt.Sprintf("there is no hook %q in any hook file%s: nothing will run", f.id, Suggestion(f.id, set.ids()))
				}
				c.problems = append(c.problems, Problem{At: f.at, Hook: h.ID, Severity: Error, Text: f.key + ": " + told[f.id]})
			}
		}
		c.problems = c.problems.sort()
	}
}

func (s *Set) ids() []string {
	ids := make([]string, len(s.all))
	for i, h := range s.all {
		ids[i] = h.ID
	}
	return ids
}
