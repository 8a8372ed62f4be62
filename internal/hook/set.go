package hook

import "slices"

// Set is the hooks of all files, as the server looks them up. It never changes.
type Set struct {
	all    []*Hook
	byID   map[string]*Hook
	byPath map[string][]*Hook
}

// NewSet makes a Set of hooks, which stay in their order. Of two with one id
// the first counts.
func NewSet(hooks []*Hook) *Set {
	set := &Set{byID: make(map[string]*Hook, len(hooks)), byPath: make(map[string][]*Hook, len(hooks))}
	for _, h := range hooks {
		if _, twice := set.byID[h.ID]; twice {
			continue
		}
		set.all = append(set.all, h)
		set.byID[h.ID] = h
		set.byPath[h.Path] = append(set.byPath[h.Path], h)
	}
	return set
}

// At gives the hooks at a path below the prefix, in the order of the files. The
// slice must not be changed.
func (s *Set) At(path string) []*Hook { return s.byPath[path] }

// Behind gives the hooks whose Gate wants a secret behind their path, where path
// is one of theirs with something behind it, and what that is: those of the
// longest such path, in the order of the files. The slice must not be changed.
func (s *Set) Behind(path string) (hooks []*Hook, rest string) { return nil, "" }

// WantsCertificates reports whether a hook's clients must show a TLS certificate.
func (s *Set) WantsCertificates() bool { return false }

// ByID gives the hook of that id, or nil.
func (s *Set) ByID(id string) *Hook { return s.byID[id] }

// All gives all hooks in the order of the files.
func (s *Set) All() []*Hook { return slices.Clone(s.all) }

// Len counts the hooks.
func (s *Set) Len() int { return len(s.all) }
