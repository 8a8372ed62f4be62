package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pawlhq/pawl/internal/hook"
)

// validateHealth wants no hook to be out of reach: with a prefix none can be,
// as long as HealthPath is not below it. Without one, Hides tells.
func (o Options) validateHealth() error {
	switch {
	case o.HealthPath == "":
		return nil
	case o.Healthy == nil:
		return errors.New("server: with HealthPath, Healthy is needed")
	case !strings.HasPrefix(o.HealthPath, "/") || o.HealthPath == "/":
		return fmt.Errorf("-health-path %s: it must begin with a slash, and more must follow", o.HealthPath)
	case o.Prefix != "" && strings.HasPrefix(o.HealthPath, "/"+o.Prefix+"/"):
		return fmt.Errorf("-health-path %s: it must not lie below /%s/, where the hooks are", o.HealthPath, o.Prefix)
	}
	return nil
}

// Hides reports whether nobody can reach a hook, because HealthPath is its URL's
// path. It can be so only where the hooks have no prefix.
func (s *Server) Hides(h *hook.Hook) bool {
	return s.options.HealthPath != "" && s.URLPath(h) == s.options.HealthPath
}

// health answers whether Pawl is well: 200, or 503. Whoever asks may be anyone,
// so the text is all that there is.
func (s *Server) health(x *exchange, r *http.Request) {
	x.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		x.Header().Set("Allow", "GET, HEAD")
		http.Error(x, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
		return
	}
	ok, text := s.options.Healthy()
	code := http.StatusOK
	if !ok {
		code = http.StatusServiceUnavailable
	}
	x.quiet = ok
	respond(x, code, text+"\n")
}
