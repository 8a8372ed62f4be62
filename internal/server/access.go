package server

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/delivery"
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
	id       string // X-Request-Id, where it counts
	caller   string // who called, proxies aside
	delivery string // the delivery's id, once there is one

	status int
	bytes  int64
	paced  bool // its body was read, slowly or not
	quiet  bool // it gets no line of its own
	dump   bool
	body   bytes.Buffer
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
	if x.id != "" {
		event = event.Str("request", x.id)
	}
	if x.delivery != "" {
		event = event.Str("delivery", x.delivery)
	}
	return event.Str("path", x.request.URL.Path).Str("remote", x.caller)
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
			Str("host", x.request.Host).Msg(x.request.Method + " " + x.request.URL.EscapedPath())
	}
	if x.dump {
		first := fmt.Sprintf("HTTP/1.1 %d %s", x.status, http.StatusText(x.status))
		x.dumped("the answer", dumpText(first, x.Header(), x.body.Bytes()))
	}
}

// dumped logs part of a request or an answer as it went over the wire.
func (x *exchange) dumped(what, text string) {
	x.event(zerolog.DebugLevel).Str("dump", text).Msg(what)
}

// dumpHead logs a request without its body, which is not read yet.
func (x *exchange) dumpHead() {
	r := x.request
	first := fmt.Sprintf("%s %s %s\nHost: %s", r.Method, withoutCredentials(r.RequestURI), r.Proto, r.Host)
	x.dumped("the request", dumpText(first, r.Header, nil))
}

// hidden stands in a log in the place of what may let its bearer in.
const hidden = "***"

// withoutCredentials hides values of the query of a request's target.
func withoutCredentials(target string) string {
	path, query, found := strings.Cut(target, "?")
	if !found {
		return target
	}
	pairs := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	for i, pair := range pairs {
		written, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(written)
		if value != "" && (err != nil || delivery.CredentialName(name) != delivery.NoCredential) {
			pairs[i] = written + "=" + hidden
		}
	}
	return path + "?" + strings.Join(pairs, "&")
}

// dumpText writes a message as it goes over the wire. Of header lines what may
// let its bearer in is left out: logs travel.
func dumpText(first string, header http.Header, body []byte) string {
	var text strings.Builder
	text.WriteString(first + "\n")
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			if delivery.CredentialName(name) != delivery.NoCredential {
				value = hidden
			}
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	text.WriteString("\n")
	text.Write(body)
	return text.String()
}
