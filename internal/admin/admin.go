// Package admin is the operator's API: what runs there are and were, what they
// printed and left behind, how the engine is, and what a person may do about
// it. It is served on a Unix socket in the data directory, whose mode is its
// authentication, and on the operator's own TCP listener; never on the listener
// of hooks.
//
// It keeps nothing and decides nothing: it asks the engine and the runner. What
// was withheld from a stored delivery (run.Credentials) it never shows.
//
// # Routes
//
//	GET    /healthz                           200 "ok" while the process answers
//	GET    /readyz                            200 or 503, a Readiness
//	GET    /api/v1/runs                       a Listing; ?hook= state= key= since= before= limit= after=
//	GET    /api/v1/runs/{id}                  a Run with its attempts and what it waits for
//	GET    /api/v1/runs/{id}/output           what an attempt printed, as far as it is kept; ?attempt=, else the last
//	GET    /api/v1/runs/{id}/log              what all attempts printed, in order; ?follow=1 goes on until the run ends
//	GET    /api/v1/runs/{id}/delivery         a Delivery, body included
//	GET    /api/v1/runs/{id}/explanation      what the hook in force makes of that delivery, an explain.Explanation
//	GET    /api/v1/runs/{id}/artifacts        the list of Artifact
//	GET    /api/v1/runs/{id}/artifacts/{name} one of them
//	GET    /api/v1/runs/{id}/summary          Markdown
//	POST   /api/v1/runs/{id}/retry            a Done; 409 where it cannot be
//	POST   /api/v1/runs/{id}/cancel           the same
//	POST   /api/v1/runs/{id}/replay           the same, with the new runs; with ?edited=1 the request's body takes the place of the stored one
//	POST   /api/v1/runs/retry|cancel|replay   a Bulk; the answer is a Done a line
//	DELETE /api/v1/runs                       forget ended runs that the filter of GET matches, or all=true: {"pruned": 3}
//	GET    /api/v1/turned-away                deliveries that made no run, the newest first: a TurnedAway; ?hook=
//	GET    /api/v1/turned-away/{id}           one of them, with its whole explanations
//	GET    /api/v1/hooks                      the list of Hook
//	POST   /api/v1/hooks/{id}/pause           {"reason": "…"}
//	POST   /api/v1/hooks/{id}/resume
//	POST   /api/v1/backup                     {"path": "/…"}; on the Unix socket alone
//
// An {id} of a run or of a delivery may be the beginning of one. Times are RFC 3339 in UTC. An
// error is {"error": "words"}; of an id that several runs' ids begin with,
// status 409, it has their "ids" as well.
//
// # Who may ask
//
// Whoever can open the socket may do everything. On the TCP listener a caller
// must name it by a loopback name or address, by the address that it called, or
// by one of Options.Hosts: a page in a browser cannot, whatever name it has
// given this address. What changes anything needs the token, as "Authorization:
// Bearer TOKEN". Reading is open to callers on this machine; from elsewhere, or
// through a proxy, it needs the token too, but for /healthz and /readyz.
package admin

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/gorilla/mux"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/runner"
)

// Engine is what this package asks of an engine.
type Engine interface {
	engine.History
	Submit(ctx context.Context, s run.Submission) (run.Receipt, error)
	Await(ctx context.Context, ids ...string) ([]run.Record, error)
	Cancel(ctx context.Context, ids ...string) ([]string, error)
	Rerun(ctx context.Context, ids ...string) ([]string, error)
	Pause(ctx context.Context, hook, reason string) error
	Resume(ctx context.Context, hook string) error
	Prune(ctx context.Context, f engine.Filter) (int, error)
	Status() engine.Status
}

// Options is what the API is made of.
type Options struct {
	Engine Engine

	// Hooks gives the hooks in force.
	Hooks func() *hook.Set

	// Files opens what a run left behind; fs.ErrNotExist says that it is nothing.
	// nil: nothing is kept.
	Files func(id string) (*runner.Files, error)

	// Follow writes what the attempt of a run prints: what it has printed so
	// far, then all else until it ends. The error is not nil where none goes on.
	// nil: only ended attempts can be read.
	Follow func(ctx context.Context, id string, w io.Writer) error

	// TurnedAway has the deliveries that made no run; nil: none are kept.
	TurnedAway TurnedAway

	// Backup writes a sound copy of the journal to a path. nil: there is none.
	Backup func(ctx context.Context, path string) error

	// Notes says what an operator should know besides the engine's Problem: that
	// the data directory does not last, that hook files cannot be loaded.
	Notes func() []string

	// Fleeting says that what the engine writes does not last either: its
	// directory ends with the machine or the container.
	Fleeting bool

	Token   string   // empty: nothing can be changed over TCP
	Hosts   []string // names besides the loopback ones that TCP callers may use
	MaxBody int64    // of an edited payload; 0: 32 MiB

	Log zerolog.Logger
}

// API answers an operator's requests.
type API struct {
	options Options
}

// New makes an API.
func New(options Options) (*API, error) {
	switch {
	case options.Engine == nil:
		return nil, errors.New("admin: Engine is missing")
	case options.Hooks == nil:
		return nil, errors.New("admin: Hooks is missing")
	}
	if options.MaxBody == 0 {
		options.MaxBody = 32 << 20
	}
	return &API{options: options}, nil
}

// Socket is the handler of the Unix socket: whoever could open it may do
// everything.
func (a *API) Socket() http.Handler {
	router := a.router()
	router.Handle("/api/v1/backup", a.handle(a.backup)).Methods(http.MethodPost)
	return router
}

// TCP is the handler of the operator's listener: it asks who calls.
func (a *API) TCP() http.Handler { return a.guard(a.router()) }

// router has all that can be asked on either listener.
func (a *API) router() *mux.Router {
	router := mux.NewRouter().SkipClean(true)
	get := func(path string, h handler) {
		router.Handle(path, a.handle(h)).Methods(http.MethodGet, http.MethodHead)
	}
	post := func(path string, h handler) { router.Handle(path, a.handle(h)).Methods(http.MethodPost) }

	get("/healthz", a.healthz)
	get("/readyz", a.readyz)

	const runs, one = "/api/v1/runs", "/api/v1/runs/{id}"
	get(runs, a.list)
	router.Handle(runs, a.handle(a.prune)).Methods(http.MethodDelete)
	post(runs+"/retry", a.bulk(a.retryMany, run.Failed))
	post(runs+"/cancel", a.bulk(a.cancelMany, waiting()...))
	post(runs+"/replay", a.bulk(a.replayMany, ""))
	get(one, a.show)
	get(one+"/output", a.output)
	get(one+"/log", a.log)
	get(one+"/delivery", a.delivery)
	get(one+"/explanation", a.explanation)
	get(one+"/artifacts", a.artifacts)
	get(one+"/artifacts/{name:.+}", a.artifact)
	get(one+"/summary", a.summary)
	post(one+"/retry", a.retry)
	post(one+"/cancel", a.cancel)
	post(one+"/replay", a.replay)

	get("/api/v1/turned-away", a.turnedAway)
	get("/api/v1/turned-away/{id}", a.turnedAwayOne)

	get("/api/v1/hooks", a.hooks)
	post("/api/v1/hooks/{id:.+}/pause", a.pause)
	post("/api/v1/hooks/{id:.+}/resume", a.resume)

	router.NotFoundHandler = a.handle(func(http.ResponseWriter, *http.Request) error {
		return refuse(http.StatusNotFound, "there is nothing at this path")
	})
	router.MethodNotAllowedHandler = a.handle(func(_ http.ResponseWriter, r *http.Request) error {
		return refuse(http.StatusMethodNotAllowed, "%s cannot be done at this path", r.Method)
	})
	return router
}

// waiting are the states of runs that have not ended.
func waiting() []run.State {
	return []run.State{run.Queued, run.Retrying, run.Held, run.Running}
}
