package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// maxDump bounds what -debug shows of a body.
const maxDump = 64 << 10

// recorder notes what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	dump   bool
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if r.dump {
		r.body.Write(p[:min(len(p), maxDump-min(r.body.Len(), maxDump))])
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// log writes the one line of a request.
func (r *recorder) log(log zerolog.Logger, request *http.Request, took time.Duration) {
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	log.Info().Int("status", status).Int64("bytes", r.bytes).Stringer("took", took.Round(time.Microsecond)).
		Str("remote", request.RemoteAddr).Str("host", request.Host).
		Msg(request.Method + " " + request.URL.EscapedPath())
	if r.dump {
		first := fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status))
		log.Debug().Str("dump", dumpText(first, r.Header(), r.body.Bytes())).Msg("the answer")
	}
}

// dumpRequest logs a request whole. Its body, up to maxDump, is read for that
// and put back.
func dumpRequest(log zerolog.Logger, r *http.Request) {
	head, _ := io.ReadAll(io.LimitReader(r.Body, maxDump))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	first := fmt.Sprintf("%s %s %s\nHost: %s", r.Method, r.RequestURI, r.Proto, r.Host)
	log.Debug().Str("dump", dumpText(first, r.Header, head)).Msg("the request")
}

// dumpText writes a message as it goes over the wire. What proves who calls is
// left out: logs travel.
func dumpText(first string, header http.Header, body []byte) string {
	secret := []string{"Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie", "X-Gitlab-Token"}
	var text strings.Builder
	text.WriteString(first + "\n")
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			if slices.Contains(secret, name) {
				value = "***"
			}
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	text.WriteString("\n")
	text.Write(body)
	return text.String()
}
