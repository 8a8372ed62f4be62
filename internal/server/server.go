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
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// Engine is what the server hands runs to.
type Engine interface {
	// Submit accepts runs, all or none; engine.ErrFull and engine.ErrStopped
	// are answered 503.
	Submit(ctx context.Context, runs ...run.Run) error
	// Now runs a run at once, submits others with it, and returns at the end of
	// the first. All of its output goes to the writer. accepted is called when
	// all are accepted. With an error nothing was.
	Now(ctx context.Context, first run.Run, others []run.Run, output io.Writer, accepted func()) (run.Outcome, error)
}

// Options is what a Server is made of.
type Options struct {
	Hooks  func() *hook.Set // the hooks in force, asked once for each request
	Engine Engine

	Prefix  string        // of the hooks' URLs, without slashes around it; may be empty
	Methods []string      // allowed where a hook names none; empty: any
	Headers []hook.Header // set on answers (-header)

	MaxBody     int64 // bytes of one body; more is answered 413
	MaxInflight int64 // bytes of all bodies being read or held; more is answered 503

	TrustedProxies Proxies
	RequestID      bool // take the id for the log from X-Request-Id
	RequestIDLimit int  // characters of it that count; 0: all
	ValidateJSON   bool // tell of malformed JSON even if nobody asks for a value (-verbose)
	Dump           bool // log requests and answers whole (-debug)

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
	return nil
}

// Server answers requests to hooks.
type Server struct {
	options Options
	budget  *delivery.Budget
	router  *mux.Router
}

// New makes a Server.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, err
	}
	s := &Server{options: options, budget: delivery.NewBudget(options.MaxInflight), router: mux.NewRouter()}
	s.router.HandleFunc("/", s.root)
	s.router.HandleFunc(routePattern(options.Prefix), s.hooks)
	return s, nil
}

// routePattern is the route of hooks below a prefix.
func routePattern(prefix string) string {
	if prefix == "" {
		return "/{path:.*}"
	}
	return "/" + prefix + "/{path:.*}"
}

// URLPath is the path of a hook's URL.
func (s *Server) URLPath(h *hook.Hook) string {
	return strings.Replace(routePattern(s.options.Prefix), "{path:.*}", h.Path, 1)
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
		id: s.requestID(r), caller: s.options.TrustedProxies.caller(r),
	}
	if x.dump {
		x.dumpHead()
	}
	if r.ContentLength != 0 {
		// Where nobody reads the body, net/http does, before the next request.
		_ = http.NewResponseController(w).SetReadDeadline(began.Add(bodyPause))
	}
	defer func() {
		if fault := recover(); fault != nil && fault != http.ErrAbortHandler {
			x.event(zerolog.ErrorLevel).Interface("fault", fault).Bytes("stack", debug.Stack()).
				Msg("a request made Pawl panic; please report this")
			if x.status == 0 {
				http.Error(x, "Internal error.", http.StatusInternalServerError)
			}
		}
		x.finish(time.Since(began))
	}()
	s.router.ServeHTTP(x, r)
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
