package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/server"
)

// tellNoHooks says why Pawl does not start.
func (a *app) tellNoHooks(s *settings) string {
	text := fmt.Sprintf("couldn't load any hooks from %s; -nopanic starts without", strings.Join(s.hooks, ", "))
	fmt.Fprintf(a.stderr, "pawl: %s\n", text)
	return text
}

// announce tells what is kept and served where: hooks to a person as a table.
func (a *app) announce(s *settings, log zerolog.Logger, listeners *server.Listeners, p *parts, data dataDirectory) {
	front, hooks := p.front, p.hooks.set()
	if len(s.ignored) > 0 {
		log.Warn().Strs("words", s.ignored).Msg("ignored: flags end at the first word that is none")
	}
	if data.journal != "" {
		log.Info().Msgf("journal and runs are in %s", data.journal)
	}
	if p.desk.tcp != nil {
		log.Info().Msgf("serving operators on http://%s", p.desk.tcp.Addr())
	}
	base := s.baseURL(listeners)
	log.Info().Int("hooks", hooks.Len()).Msgf("serving hooks on %s", base+front.URLPath(&hook.Hook{Path: "{path}"}))
	tellPaused(p.runs.Status(), log)
	if isTerminal(a.stdout) {
		table(a.stdout, base, front, hooks.All())
	}
}

// tellPaused warns of hooks that were paused before the start: their runs wait,
// and who paused them may have forgotten it.
func tellPaused(status engine.Status, log zerolog.Logger) {
	for _, id := range slices.Sorted(maps.Keys(status.Hooks)) {
		if h := status.Hooks[id]; h.Paused != "" {
			log.Warn().Str("hook", id).Int("waiting", h.Waiting).Str("why", h.Paused).Msg("paused: its runs wait for pawl runs resume")
		}
	}
}

// table shows each hook: its URL, what checks its callers, its command. A URL is
// to be copied, so it is never cut.
func table(out io.Writer, base string, front *server.Server, hooks []*hook.Hook) {
	l := list{columns: []column{{title: "HOOK", cut: true}, {title: "URL"}, {title: "CALLERS CHECKED BY", cut: true}, {title: "COMMAND", cut: true, spare: 1}}}
	for _, h := range hooks {
		url := base + front.URLPath(h)
		if h.Gate != nil && h.Gate.UsesPath() && h.Gate.Unset() == "" {
			url += "/{secret}"
		}
		l.add(h.ID, url, guards(h), cmp.Or(h.Command, "(none)"))
	}
	l.print(out)
}

// isOpen reports whether nothing checks who calls a hook, and it does not say
// that this is meant (auth: none).
func isOpen(h *hook.Hook) bool { return h.Gate == nil && !h.Open && len(rule.Guards(h.Rule)) == 0 }

// guards says what checks who calls a hook.
func guards(h *hook.Hook) string {
	var words []string
	if h.Gate != nil {
		if unset := h.Gate.Unset(); unset != "" {
			return "nothing yet: this machine alone may call; " + unset
		}
		words = h.Gate.Words()
	}
	for _, guard := range rule.Guards(h.Rule) {
		words = append(words, string(guard))
	}
	return cmp.Or(strings.Join(words, ", "), "nothing: anyone may trigger it")
}

// tellUnreachable warns of hooks that nobody can call: -health-path is their URL,
// or they want certificates that only TLS could show.
func tellUnreachable(front *server.Server, set *hook.Set, secure bool, log zerolog.Logger) {
	for _, h := range set.All() {
		if front.Hides(h) {
			log.Warn().Str("hook", h.ID).Msg("nobody can reach this hook: -health-path is its URL")
		}
		if !secure && h.Gate != nil && h.Gate.UsesCertificate() {
			log.Warn().Str("hook", h.ID).Msg("nobody can call this hook: it asks for client certificates, and without -secure there are none (a proxy that ends TLS cannot pass them on)")
		}
	}
}
