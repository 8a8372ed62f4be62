package hook

import "slices"

// Set is the hooks of all files, as the server looks them up. It never changes.
type Set struct {
	all    []*Hook
	byID   map[string]*Hook
	byPath map[string][]*Hook

	behind       map[string][]*Hook // those that want a secret behind their path, by it
	longest      int                // of the paths in behind, in bytes
	certificates bool
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
		set.authenticated(h)
	}
	return set
}

// authenticated notes what a hook's Gate asks of the way to it.
func (s *Set) authenticated(h *Hook) {
	if h.Gate == nil {
		return
	}
	s.certificates = s.certificates || h.Gate.UsesCertificate()
	if h.Gate.UsesPath() {
		if s.behind == nil {
			s.behind = map[string][]*Hook{}
		}
		s.behind[h.Path] = append(s.behind[h.Path], h)
		s.longest = max(s.longest, len(h.Path))
	}
}

// At gives the hooks at a path below the prefix, in the order of the files. The
// slice must not be changed.
func (s *Set) At(path string) []*Hook { return s.byPath[path] }

// Behind gives the hooks whose Gate wants a secret behind their path, where path
// is one of theirs with something behind it, and what that is: those of the
// longest such path, in the order of the files. The slice must not be changed.
func (s *Set) Behind(path string) (hooks []*Hook, rest string) {
	if len(s.behind) == 0 {
		return nil, ""
	}
	// No further than the longest path: a request's may be a megabyte of slashes.
	for i := 0; i < len(path)-1 && i <= s.longest; i++ {
		if path[i] != '/' {
			continue
		}
		if found := s.behind[path[:i]]; found != nil {
			hooks, rest = found, path[i+1:]
		}
	}
	return hooks, rest
}

// Find gives the hooks that a URL's path below the prefix is for, in the order of
// the files, and what stands behind their path: those at the path itself, else
// those that want a secret there. The slice must not be changed.
func (s *Set) Find(path string) (hooks []*Hook, rest string) {
	if hooks = s.byPath[path]; len(hooks) > 0 {
		return hooks, ""
	}
	return s.Behind(path)
}

// WantsCertificates reports whether a hook's clients must show a TLS certificate.
func (s *Set) WantsCertificates() bool { return s.certificates }

// ByID gives the hook of that id, or nil.
func (s *Set) ByID(id string) *Hook { return s.byID[id] }

// All gives all hooks in the order of the files.
func (s *Set) All() []*Hook { return slices.Clone(s.all) }

// Len counts the hooks.
func (s *Set) Len() int { return len(s.all) }
