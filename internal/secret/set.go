package secret

// Set is the secrets of one hook, or the one secret of an argument: any of them
// passes, so that they can be exchanged while both sides go on. It may be used
// from several goroutines.
type Set struct {
	sources []Source

	// UnsetLoopback says that as long as none is set only callers on this
	// machine may call (unset: loopback).
	UnsetLoopback bool
}

// NewSet makes a Set of sources, the newest secret first. alarm is told, once,
// when a source that was good cannot be read any more, and when it can be again;
// it may be nil.
func NewSet(sources []Source, alarm func(text string)) *Set {
	return &Set{sources: sources}
}

// Sources lists where the secrets come from, for people.
func (s *Set) Sources() []Source { return s.sources }

// Check reads all sources and tells which cannot be read; errors.Is ErrUnset of
// those that are not set.
func (s *Set) Check() []error {
	var errs []error
	for _, source := range s.sources {
		if _, err := source.read(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// Values gives the secrets that are set, in order; none is empty. A file that
// changed is read again; where it cannot be read its last good value counts.
func (s *Set) Values() []Value {
	var values []Value
	for _, source := range s.sources {
		if value, err := source.read(); err == nil {
			values = append(values, value)
		}
	}
	return values
}
