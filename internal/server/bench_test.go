package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
)

// discard accepts everything and remembers nothing.
type discard struct{}

func (discard) Submit(context.Context, run.Submission) (run.Receipt, error) {
	return run.Receipt{}, nil
}

func (discard) Attend(context.Context, run.Submission, engine.Live) (run.Receipt, run.Outcome, error) {
	return run.Receipt{}, run.Outcome{}, nil
}

func (discard) Await(context.Context, ...string) ([]run.Record, error) { return nil, nil }

// sink is the other end of a request: it keeps the status alone, so that what is
// measured is the server. It knows deadlines, as net/http's does.
type sink struct {
	http.ResponseWriter
	header http.Header
	status int
}

func (s *sink) Header() http.Header             { return s.header }
func (s *sink) Write(p []byte) (int, error)     { return len(p), nil }
func (s *sink) WriteHeader(status int)          { s.status = status }
func (s *sink) SetReadDeadline(time.Time) error { return nil }

// benchmark asks a server of so many hooks, of which one is at /hooks/a, again
// and again.
func benchmark(b *testing.B, hooks int, body string, want int) {
	b.Helper()
	benchmarkKeeping(b, hooks, body, want, nil)
}

// benchmarkKeeping does so with a server that keeps what it turns away.
func benchmarkKeeping(b *testing.B, hooks int, body string, want int, kept TurnedAway) {
	file := []byte(`[{id: a, execute-command: x, trigger-rule-mismatch-http-response-code: 409,
		trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}}`)
	for i := range hooks - 1 {
		file = fmt.Appendf(file, ", {id: h%d, execute-command: x}", i)
	}
	read, problems := hook.Read("h", append(file, ']'), hook.Options{})
	if problems.Refused() {
		b.Fatal(problems)
	}
	set := hook.NewSet(read)
	s, err := New(Options{
		Hooks: func() *hook.Set { return set }, Engine: discard{}, Prefix: "hooks",
		MaxBody: 4 << 20, MaxInflight: 16 << 20, Log: zerolog.Nop(), TurnedAway: kept,
	})
	if err != nil {
		b.Fatal(err)
	}
	content := strings.NewReader(body)
	request, err := http.NewRequest(http.MethodPost, "/hooks/a", nil)
	if err != nil {
		b.Fatal(err)
	}
	request.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"wrk"}, "Accept": {"*/*"}}
	request.ContentLength, request.RemoteAddr = int64(len(body)), "192.0.2.1:1234"
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		content.Reset(body)
		request.Body = io.NopCloser(content)
		w := &sink{header: http.Header{}, status: http.StatusOK}
		s.ServeHTTP(w, request)
		if w.status != want {
			b.Fatal(w.status)
		}
	}
}

// payload is a JSON object of about so many bytes, of the shape that senders'
// have.
func payload(branch string, size int) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"branch":%q,"commits":[`, branch)
	for i := 0; b.Len() < size-300; i++ {
		fmt.Fprintf(&b, `{"id":"%040x","message":"Mend the \"thing\" number %d","author":{"name":"A B","email":"a@example.org"},"added":["a/b.go"]},`, i, i)
	}
	fmt.Fprintf(&b, `{}],"pad":%q}`, strings.Repeat("x", max(0, size-b.Len()-15)))
	return b.String()
}

func BenchmarkAccept(b *testing.B) { benchmark(b, 1, payload("main", 300), 200) }

func BenchmarkMismatch(b *testing.B) {
	for _, c := range []struct {
		hooks, size int
	}{{1, 300}, {10_000, 300}, {1, 20_000}, {1, 1_000_000}} {
		b.Run(fmt.Sprintf("%dB/%dhooks", c.size, c.hooks), func(b *testing.B) {
			benchmark(b, c.hooks, payload("other", c.size), 409)
		})
	}
}

// BenchmarkFlood is that of deliveries that do not match, with and without keeping
// why: of a flood only some are kept.
func BenchmarkFlood(b *testing.B) {
	b.Run("kept", func(b *testing.B) { benchmarkKeeping(b, 1, payload("other", 300), 409, explain.NewRecent(200)) })
	b.Run("not kept", func(b *testing.B) { benchmark(b, 1, payload("other", 300), 409) })
}
