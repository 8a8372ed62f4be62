package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/rs/zerolog"

	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
	"github.com/pawlhq/pawl/internal/server"
)

// accepting is an engine that takes what it is given.
type accepting struct{}

func (accepting) Submit(_ context.Context, s run.Submission) (run.Receipt, error) {
	return run.Receipt{DuplicateOf: make([]string, len(s.Parts)), Overfull: make([]bool, len(s.Parts))}, nil
}

func (accepting) Attend(context.Context, run.Submission, engine.Live) (run.Receipt, run.Outcome, error) {
	return run.Receipt{}, run.Outcome{}, errors.New("it is not asked")
}

func (accepting) Await(_ context.Context, ids ...string) ([]run.Record, error) {
	return []run.Record{{Run: run.Run{ID: ids[0]}, State: run.Succeeded}}, nil
}

// TestExplainAnswers sends the requests of testdata/explain to the server: it
// answers what the explanation says.
func TestExplainAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/explain/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(archive.Comment), "2") {
			continue
		}
		compared++
		t.Run(filepath.Base(file), func(t *testing.T) { sameAnswer(t, archive) })
	}
	if compared < 40 {
		t.Errorf("only %d answers were compared", compared)
	}
}

func sameAnswer(t *testing.T, archive *txtar.Archive) {
	text := func(i int) []byte { return bytes.TrimSuffix(archive.Files[i].Data, []byte("\n")) }
	hooks, _ := hook.Read("hooks.yaml", text(0), hook.Options{})
	set := hook.NewSet(hooks)
	d, err := parseRequest(text(1))
	if err != nil || set.ByID("hook") == nil {
		t.Fatal(err)
	}
	if d.RemoteAddr, err = remoteAddress(strangerAddress); err != nil {
		t.Fatal(err)
	}
	if _, remote, found := strings.Cut(strings.SplitN(string(archive.Comment), "\n", 2)[0], "--remote "); found {
		if d.RemoteAddr, err = remoteAddress(remote); err != nil {
			t.Fatal(err)
		}
	}
	front, err := server.New(server.Options{
		Hooks: func() *hook.Set { return set }, Engine: accepting{}, Prefix: "hooks",
		MaxBody: 1 << 20, MaxInflight: 1 << 21, Log: zerolog.Nop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	asked := &sender.Request{Delivery: d}
	if asked.Rest, err = restBehind("hooks", set, set.ByID("hook"), d.Path); err != nil {
		t.Fatal(err)
	}
	said := explain.Explain(t.Context(), set.ByID("hook"), asked, explain.Options{})

	request := httptest.NewRequest(d.Method, d.Path, bytes.NewReader(d.Body))
	request.Header, request.RemoteAddr, request.Host = d.Header.Clone(), d.RemoteAddr, d.Host
	answer := httptest.NewRecorder()
	front.ServeHTTP(answer, request)
	if answer.Code != said.Answer.Status || answer.Body.String() != said.Answer.Body {
		t.Errorf("the server answers %d %q, and it is explained as %d %q", answer.Code, answer.Body, said.Answer.Status, said.Answer.Body)
	}
}
