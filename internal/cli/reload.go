package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
)

// reloader keeps the hooks in force, and changes them as one.
type reloader struct {
	log     zerolog.Logger
	current atomic.Pointer[hook.Set]

	loaded func() // called after the hooks in force have changed; may be nil
	paths  []string
	before *hook.Snapshot // of the files just before they were first read; nil unless they are watched

	mu     sync.Mutex // one load at a time
	loader *hook.Loader
	kept   map[string]bool // files that could not be loaded the last time

	awaited atomic.Pointer[[]hook.Awaited] // the files that those name, as those of secrets
}

// newReloader makes a reloader without hooks yet. With watched, watch can be
// called and misses nothing that changes from now on.
func newReloader(s *settings, watched bool, log zerolog.Logger) (*reloader, error) {
	options := hook.Options{Template: s.template, Alarm: func(text string) { log.Error().Msg(text) }}
	r := &reloader{log: log, paths: s.hooks, kept: map[string]bool{}, loader: hook.NewLoader(s.hooks, options)}
	r.current.Store(hook.NewSet(nil))
	if watched {
		before, err := hook.TakeSnapshot(s.hooks)
		if err != nil {
			return nil, err
		}
		r.before = before
	}
	return r, nil
}

func (r *reloader) set() *hook.Set { return r.current.Load() }

func (r *reloader) byID(id string) *hook.Hook { return r.set().ByID(id) }

// load reads the files and puts what can be read of them in force.
func (r *reloader) load() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	set, report, err := r.loader.Load()
	r.tell(report)
	if err != nil {
		return fmt.Errorf("load the hook files: %w (see above)", err)
	}
	r.current.Store(set)
	r.tellOpen(set)
	r.tellUnset(set)
	return nil
}

// tellOpen warns of hooks that anyone may trigger.
func (r *reloader) tellOpen(set *hook.Set) {
	var open []*hook.Hook
	for _, h := range set.All() {
		if isOpen(h) {
			open = append(open, h)
		}
	}
	if len(open) > 0 {
		r.log.Warn().Str("ids", ids(open)).Msg("nothing checks who calls these hooks: anyone may trigger them")
	}
}

// tellUnset warns of secrets that are not set, a line each: their hooks look as if
// they were in order until the sender calls.
func (r *reloader) tellUnset(set *hook.Set) {
	unset := map[string][]*hook.Hook{}
	for _, h := range set.All() {
		if h.Gate != nil && h.Gate.Unset() != "" {
			unset[h.Gate.Unset()] = append(unset[h.Gate.Unset()], h)
		}
	}
	for _, text := range slices.Sorted(maps.Keys(unset)) {
		r.log.Warn().Str("ids", ids(unset[text])).Msg(text + ": until it is, this machine alone may call, and the sender is turned away")
	}
}

// reload loads again. What cannot be loaded was told, and its hooks stay.
func (r *reloader) reload() {
	if err := r.load(); err != nil {
		r.log.Error().Err(err).Msg("the hook files were not reloaded")
		return
	}
	if r.loaded != nil {
		r.loaded()
	}
}

// notices names the files that could not be loaded the last time.
func (r *reloader) notices() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []string
	for _, file := range slices.Sorted(maps.Keys(r.kept)) {
		if r.kept[file] {
			list = append(list, "the hook file "+file+" could not be loaded; the hooks that it had stay in force")
		}
	}
	return list
}

// tell logs what came of a load.
func (r *reloader) tell(report hook.Report) {
	var awaited []hook.Awaited
	defer func() { r.awaited.Store(&awaited) }()
	for _, p := range report.Problems {
		level := zerolog.ErrorLevel
		if p.Severity == hook.Warning {
			level = zerolog.WarnLevel
		}
		r.log.WithLevel(level).Msg(p.String())
	}
	for _, file := range report.Files {
		if r.kept[file.File] && !file.Kept {
			r.log.Warn().Str("file", file.File).Msg("the file is in force again")
		}
		r.kept[file.File] = file.Kept
		awaited = append(awaited, file.Awaited...)
		switch {
		case file.Kept && len(file.Hooks) > 0:
			r.log.Error().Str("file", file.File).Int("hooks", len(file.Hooks)).Msg("the file could not be loaded; the hooks that it had stay in force" + r.again())
		case file.Kept:
			r.log.Error().Str("file", file.File).Msg("the file could not be loaded; it has no hooks" + r.again())
		default:
			r.log.Info().Str("file", file.File).Str("ids", ids(file.Hooks)).Msgf("loaded %d hook(s)", len(file.Hooks))
		}
	}
}

// again says what to do once a file that could not be loaded is in order.
func (r *reloader) again() string {
	if r.before != nil {
		return "" // it is read again by itself
	}
	return reloadWords
}

func ids(hooks []*hook.Hook) string {
	names := make([]string, len(hooks))
	for i, h := range hooks {
		names[i] = h.ID
	}
	return strings.Join(names, " ")
}

// watch reloads when a file changes, until ctx ends.
func (r *reloader) watch(ctx context.Context) {
	awaited := func() []hook.Awaited {
		if list := r.awaited.Load(); list != nil {
			return *list
		}
		return nil
	}
	options := hook.WatchOptions{Loaded: r.before, Awaited: awaited, Log: func(text string) { r.log.Warn().Msg(text) }}
	err := hook.Watch(ctx, r.paths, options, func() {
		r.log.Info().Msg("hook files changed; reloading")
		r.reload()
	})
	if err != nil {
		r.log.Error().Err(err).Msg("-hotreload does not work; HUP reloads")
	}
}
