package server

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/sender"
)

// maxDump bounds what -debug shows of a body.
const maxDump = 64 << 10

// exchange is one request and its answer. It stands between a handler and
// net/http and notes what was answered; what is logged of the request goes
// through it, so that its lines belong together.
type exchange struct {
	http.ResponseWriter
	log      *zerolog.Logger
	request  *http.Request
	id       string   // X-Request-Id, where it counts
	caller   string   // who called, proxies aside
	proxies  *Proxies // who are proxies
	delivery string   // the delivery's id, once there is one

	hooks []*hook.Hook // at its path, once they were looked up
	rest  string       // what is behind their path where a secret belongs; not to be shown
	shown string       // the beginning of the path, where rest is not to be shown

	asked    *sender.Request // of the hooks' Gates, where there are any
	verified []string        // what authenticated it, by the hooks that are left of them
	strange  bool            // a Gate refused it for another reason than what is behind the path

	status int
	bytes  int64
	paced  bool // its body was read, slowly or not
	quiet  bool // it gets no line of its own
	whole  bool // the answer says its length at once, for it is sent before the handler ends
	dump   bool
	body   bytes.Buffer // of the answer, for a dump

	headDumped bool
}

func (x *exchange) WriteHeader(status int) {
	if x.status == 0 {
		x.status = status
	}
	x.ResponseWriter.WriteHeader(status)
}

func (x *exchange) Write(p []byte) (int, error) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	if x.dump {
		x.body.Write(p[:min(len(p), maxDump-min(x.body.Len(), maxDump))])
	}
	n, err := x.ResponseWriter.Write(p)
	x.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (x *exchange) Unwrap() http.ResponseWriter { return x.ResponseWriter }

// event begins a line of the log about the request. It is nil, and to write to it
// does nothing, where the log holds no lines of that level.
func (x *exchange) event(level zerolog.Level) *zerolog.Event {
	event := x.log.WithLevel(level)
	if event == nil {
		return nil
	}
	if x.id != "" {
		event = event.Str("request", x.id)
	}
	if x.delivery != "" {
		event = event.Str("delivery", x.delivery)
	}
	return event.Str("path", x.path()).Str("remote", x.caller)
}

func (x *exchange) info() *zerolog.Event { return x.event(zerolog.InfoLevel) }
func (x *exchange) warn() *zerolog.Event { return x.event(zerolog.WarnLevel) }

// finish writes the one line that each request gets, but for those that ask
// every few seconds whether all is well, and hear that it is.
func (x *exchange) finish(took time.Duration) {
	if x.status == 0 {
		x.status = http.StatusOK
	}
	if event := x.info(); event != nil && !x.quiet {
		event.Int("status", x.status).Int64("bytes", x.bytes).Stringer("took", took.Round(time.Microsecond)).
			Str("host", x.request.Host).Msg(x.request.Method + " " + x.escapedPath())
	}
	if x.dump {
		first := fmt.Sprintf("HTTP/1.1 %d %s", x.status, http.StatusText(x.status))
		x.dumped("the answer", x.dumpText(first, x.Header(), x.body.Bytes()))
	}
}

// dumped logs part of a request or an answer as it went over the wire.
func (x *exchange) dumped(what, text string) {
	x.event(zerolog.DebugLevel).Str("dump", text).Msg(what)
}
