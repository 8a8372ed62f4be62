// Package server is the hooks listener: it takes HTTP requests, decides with
// the rules of the hooks at that path, hands runs to an engine and answers.
//
// It owns the limits of what comes in (sizes, times, methods), TLS and sockets.
// It runs no scripts and keeps nothing; the operator's pages and API are not
// here but in package admin.
package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// Engine is what the server hands runs to: what it needs of an engine.Engine,
// where the contract of these methods stands.
type Engine interface {
	Submit(ctx context.Context, s run.Submission) (run.Receipt, error)
	Attend(ctx context.Context, s run.Submission, live engine.Live) (run.Receipt, run.Outcome, error)
	Await(ctx context.Context, ids ...string) ([]run.Record, error)
}

// Options is what a Server is made of.
type Options struct {
	Hooks  func() *hook.Set // the hooks in force, asked once for each request
	Engine Engine

	Prefix  string        // of the hooks' URLs, without slashes around it; may be empty
	Methods []string      // allowed where a hook names none; empty: any
	Headers []hook.Header // set on answers (-header)

	// HealthPath is the path, with its slash, at which Healthy answers whoever
	// asks, before any hook does (-health-path). Empty: there is none.
	HealthPath string
	Healthy    func() (ok bool, text string)

	MaxBody     int64 // bytes of one body; more is answered 413
	MaxInflight int64 // bytes of all bodies being read or held; more is answered 503

	TrustedProxies Proxies
	RequestID      bool // take the id for the log from X-Request-Id
	RequestIDLimit int  // characters of it that count; 0: all
	ValidateJSON   bool // tell of malformed JSON even if nobody asks for a value (-verbose)
	Dump           bool // log requests and answers whole (-debug)

	// TurnedAway keeps deliveries that made no run; nil: they are in the log alone.
	TurnedAway TurnedAway

	// Confirm fetches the URL by which a sender's subscription is confirmed, which
	// its preset has checked. Nil: sender.Confirm does.
	Confirm func(ctx context.Context, url string) error

	SpoolDirectory string // for output that is too long to be kept in memory until it is sent
	Log            zerolog.Logger
}

func (o Options) validate() error {
	switch {
	case o.Hooks == nil || o.Engine == nil:
		return fmt.Errorf("server: Hooks and Engine are needed")
	case o.MaxBody <= 0:
		return fmt.Errorf("server: MaxBody is %d and must be positive", o.MaxBody)
	case o.MaxInflight < o.MaxBody:
		return fmt.Errorf("server: MaxInflight (%d) is less than MaxBody (%d): no body of that size could ever be read", o.MaxInflight, o.MaxBody)
	}
	return o.validateHealth()
}

// Server answers requests to hooks.
type Server struct {
	options Options
	budget  *delivery.Budget
	router  *mux.Router
	below   string // what the URL paths of hooks begin with
}

// New makes a Server.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	if options.Confirm == nil {
		options.Confirm = func(ctx context.Context, url string) error { return sender.Confirm(ctx, nil, url) }
	}
	s := &Server{options: options, budget: delivery.NewBudget(options.MaxInflight), router: mux.NewRouter()}
	s.below = strings.TrimSuffix(routePattern(options.Prefix), pathVariable)
	s.router.HandleFunc("/", s.root)
	s.router.HandleFunc(routePattern(options.Prefix), func(w http.ResponseWriter, r *http.Request) {
		s.hooks(w.(*exchange), r, mux.Vars(r)["path"]) // ServeHTTP made it
	})
	return s, nil
}

// pathVariable is how the router calls the path of a hook.
const pathVariable = "{path:.*}"

// routePattern is the route of hooks below a prefix.
func routePattern(prefix string) string {
	if prefix == "" {
		return "/" + pathVariable
	}
	return "/" + prefix + "/" + pathVariable
}

// route takes a request to its handler. Most go straight to their hooks, where
// the router would lead them too, in a third of the time: it looks at those
// whose path it may have to tidy or to refuse.
func (s *Server) route(x *exchange, r *http.Request) {
	path, ok := strings.CutPrefix(r.URL.Path, s.below)
	switch {
	case s.options.HealthPath != "" && r.URL.Path == s.options.HealthPath:
		x.dumpHead()
		s.health(x, r)
	case !ok || path == "" || strings.Contains(r.URL.Path, "//") || strings.Contains(r.URL.Path, "/.") || strings.Contains(path, "\n"):
		s.conceal(x)
		x.dumpHead()
		s.router.ServeHTTP(x, r)
	default:
		s.hooks(x, r, path)
	}
}

// URLPath is the path of a hook's URL.
func (s *Server) URLPath(h *hook.Hook) string {
	return s.below + h.Path
}

// root answers that something listens here.
func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	s.setHeaders(w)
	_, _ = io.WriteString(w, "OK")
}

func (s *Server) setHeaders(w http.ResponseWriter) {
	for _, h := range s.options.Headers {
		w.Header().Set(h.Name, h.Value)
	}
}

// ServeHTTP answers one request and logs it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	x := &exchange{
		ResponseWriter: w, request: r, log: &s.options.Log, dump: s.options.Dump,
		id: s.requestID(r), caller: s.options.TrustedProxies.caller(r), proxies: &s.options.TrustedProxies,
	}
	defer func() {
		fault := recover()
		if fault != nil && fault != http.ErrAbortHandler {
			x.event(zerolog.ErrorLevel).Interface("fault", fault).Bytes("stack", debug.Stack()).
				Msg("a request made Pawl panic; please report this")
			if x.status == 0 {
				http.Error(x, "Internal error.", http.StatusInternalServerError)
			}
		}
		x.finish(time.Since(began))
		if r.ContentLength != 0 && !x.paced {
			// Nobody has read the body: net/http does, before the next request.
			_ = http.NewResponseController(w).SetReadDeadline(began.Add(bodyPause))
		}
		if fault == http.ErrAbortHandler {
			panic(fault) // net/http ends the connection
		}
	}()
	s.route(x, r)
}

// requestID is the id under which a proxy knows a request, where it counts.
func (s *Server) requestID(r *http.Request) string {
	if !s.options.RequestID {
		return ""
	}
	id := r.Header.Get("X-Request-Id")
	if limit := s.options.RequestIDLimit; limit > 0 && len(id) > limit {
		id = id[:limit]
	}
	return id
}

// methodAllowed tells whether a hook takes a method.
func (s *Server) methodAllowed(h *hook.Hook, method string) bool {
	allowed := h.Methods
	if len(allowed) == 0 {
		allowed = s.options.Methods
	}
	return len(allowed) == 0 || slices.Contains(allowed, method)
}
