package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/engine"
	"github.com/pawlhq/pawl/internal/runner"
)

// ask sends a request over the socket.
func ask(api *admin.API, method, path, body string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	api.Socket().ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	return recorder
}

// answer is a request, and what is answered; of JSON it is a part.
type answer struct {
	name, method, path, body string
	status                   int
	has, hasNot              []string
}

// listAnswers are those about health and lists.
func listAnswers() []answer {
	return []answer{
		{"alive", "GET", "/healthz", "", 200, []string{"ok\n"}, nil},
		{"ready", "GET", "/readyz", "", 200, []string{`"ready":true`, `"durable":true`, `"reserve_filled":true`, `"notes":["tmpfs"]`}, nil},
		{"all runs, the newest first", "GET", "/api/v1/runs", "", 200, []string{`{"runs":[{"id":"` + thirdID, firstID}, []string{`"next"`, "attempts"}},
		{"a page", "GET", "/api/v1/runs?limit=1", "", 200, []string{thirdID, `"next":"` + thirdID + `"`}, []string{firstID}},
		{"the page after it", "GET", "/api/v1/runs?limit=1&after=" + thirdID, "", 200, []string{secondID}, []string{thirdID + `"}`}},
		{"by hook", "GET", "/api/v1/runs?hook=scan", "", 200, []string{thirdID}, []string{firstID}},
		{"by state", "GET", "/api/v1/runs?state=failed", "", 200, []string{firstID}, []string{secondID}},
		{"by key", "GET", "/api/v1/runs?key=acme", "", 200, []string{firstID, secondID}, []string{thirdID}},
		{"by an empty key", "GET", "/api/v1/runs?key=", "", 200, []string{`{"runs":[]}`}, nil},
		{"by time", "GET", "/api/v1/runs?since=2026-01-31T12:00:01Z&before=2026-01-31T12:00:02Z", "", 200, []string{secondID}, []string{firstID, thirdID}},
		{"a state that there is not", "GET", "/api/v1/runs?state=done", "", 400, []string{`there is no state \"done\"; the states are queued, retrying`}, nil},
		{"a parameter that there is not", "GET", "/api/v1/runs?sate=failed", "", 400, []string{`unknown parameter \"sate\"`}, nil},
		{"a time that is none", "GET", "/api/v1/runs?since=yesterday", "", 400, []string{"since is no time"}, nil},
		{"a page too large", "GET", "/api/v1/runs?limit=1001", "", 400, []string{"between 1 and 1000"}, nil},
	}
}

// runAnswers are those about one run, and what it left behind.
func runAnswers() []answer {
	deploy := "/api/v1/runs/" + firstID
	return []answer{
		{"one run", "GET", deploy, "", 200, []string{`"key":"acme"`, `"exit_code":3`, `"signal":"killed"`, `"results":[{"name":"tag","value":"v1"}]`, `"took_seconds":2`, `"body_bytes":14`, `"content_type":"application/json"`}, []string{"waiting", "s3cret", "leaked", `"exit_code":-1`}},
		{"by the beginning of its id", "GET", "/api/v1/runs/0192A001", "", 200, []string{`"waiting":{"for":"behind a run of its key","behind":"0190"}`}, []string{`"key"`}},
		{"an ambiguous beginning", "GET", "/api/v1/runs/0192a000", "", 409, []string{"give more of it", firstID, secondID}, nil},
		{"an unknown run", "GET", "/api/v1/runs/0bad", "", 404, []string{"no run whose id begins with 0bad"}, nil},
		{"no id at all", "GET", "/api/v1/runs/zzz", "", 400, []string{"is no id of a run"}, nil},
		{"its delivery, without what was withheld", "GET", deploy + "/delivery", "", 200, []string{`"body":"{\"ref\":\"main\"}"`, `"body_base64":"eyJ`, `"Authorization":["[withheld]"]`, `"query":"a=b"`}, []string{"s3cret", "leaked"}},
		{"its last output", "GET", deploy + "/output", "", 200, []string{"second\n"}, nil},
		{"its first output", "GET", deploy + "/output?attempt=1", "", 200, []string{"one\n"}, nil},
		{"an attempt that there is not", "GET", deploy + "/output?attempt=9", "", 404, []string{"has no attempt 9"}, nil},
		{"an attempt that is no number", "GET", deploy + "/output?attempt=last", "", 400, []string{"attempt is a number"}, nil},
		{"what was never attempted", "GET", "/api/v1/runs/" + thirdID + "/output", "", 404, []string{"not been attempted yet"}, nil},
		{"its log", "GET", deploy + "/log", "", 200, []string{"one\n--- attempt 2 ---\nsecond\n"}, nil},
		{"its artifacts", "GET", deploy + "/artifacts", "", 200, []string{`{"artifacts":[{"name":"a/b.html","size":4,"modified":"`}, nil},
		{"an artifact", "GET", deploy + "/artifacts/a/b.html", "", 200, []string{"<b/>"}, nil},
		{"an artifact that there is not", "GET", deploy + "/artifacts/c", "", 404, []string{`no artifact \"c\"`}, nil},
		{"a path that leads out", "GET", deploy + "/artifacts/../x", "", 404, []string{"no artifact"}, nil},
		{"artifacts of a run without", "GET", "/api/v1/runs/" + thirdID + "/artifacts", "", 200, []string{`{"artifacts":[]}`}, nil},
		{"its summary", "GET", deploy + "/summary", "", 200, []string{"# Well"}, nil},
		{"a summary that there is not", "GET", "/api/v1/runs/" + thirdID + "/summary", "", 404, []string{"wrote no summary"}, nil},
	}
}

// handAnswers are those about what a person does to runs.
func handAnswers() []answer {
	deploy := "/api/v1/runs/" + firstID
	return []answer{
		{"retry", "POST", deploy + "/retry", "", 200, []string{`"done":true`}, nil},
		{"retry what runs", "POST", "/api/v1/runs/" + secondID + "/retry", "", 409, []string{"is running: only an ended run"}, nil},
		{"cancel", "POST", "/api/v1/runs/" + secondID + "/cancel", "", 200, []string{`"done":true`}, nil},
		{"cancel what has ended", "POST", deploy + "/cancel", "", 409, []string{"has ended already: it is failed"}, nil},
		{"replay", "POST", deploy + "/replay", "", 201, []string{`"done":true`, `"runs":["`, `"delivery_id":"`}, nil},
		{"replay of a hook that is gone", "POST", "/api/v1/runs/" + thirdID + "/replay", "", 409, []string{`hook \"scan\" of run ` + thirdID + ` is in no hook file`}, nil},
		{"retry nothing", "POST", "/api/v1/runs/retry", "", 400, []string{"name the ids, or a filter"}, nil},
		{"retry by a key that there is not", "POST", "/api/v1/runs/retry", `{"fliter":{}}`, 400, []string{"fliter"}, nil},
		{"retry by half an id", "POST", "/api/v1/runs/retry", `{"ids":["0192"]}`, 400, []string{"no whole id"}, nil},
		{"prune", "DELETE", "/api/v1/runs?hook=deploy", "", 200, []string{`{"pruned":3}`}, nil},
		{"prune all", "DELETE", "/api/v1/runs?all=true", "", 200, []string{`{"pruned":3}`}, nil},
		{"prune without a filter", "DELETE", "/api/v1/runs", "", 400, []string{"all=true means all ended runs"}, nil},
		{"prune by a variable that was not set", "DELETE", "/api/v1/runs?hook=", "", 400, []string{"all=true means all ended runs"}, nil},
		{"prune what waits", "DELETE", "/api/v1/runs?state=queued", "", 400, []string{"only ended runs can be forgotten"}, nil},
	}
}

// hookAnswers are those about hooks.
func hookAnswers() []answer {
	return []answer{
		{"hooks", "GET", "/api/v1/hooks", "", 200, []string{`{"hooks":[{"id":"deploy","loaded":true,"path":"deploy","command":"./deploy.sh"`, `{"id":"team/scan"`}, nil},
		{"pause", "POST", "/api/v1/hooks/team/scan/pause", `{"reason":"upgrade"}`, 200, []string{`"paused":"upgrade"`}, nil},
		{"pause without words", "POST", "/api/v1/hooks/deploy/pause", "", 200, []string{`"paused":"by hand"`}, nil},
		{"resume", "POST", "/api/v1/hooks/deploy/resume", "", 200, []string{`"id":"deploy"`}, []string{"paused"}},
		{"pause what there is not", "POST", "/api/v1/hooks/deplyo/pause", "", 404, []string{`there is no hook \"deplyo\" (did you mean \"deploy\"?)`}, nil},
		{"pause with a novel", "POST", "/api/v1/hooks/deploy/pause", `{"reason":"` + strings.Repeat("x", 501) + `"}`, 400, []string{"longer than 500"}, nil},
		{"a body without end", "POST", "/api/v1/hooks/deploy/pause", `{"reason":"` + strings.Repeat("x", 1<<20) + `"}`, 413, []string{"larger than"}, nil},
	}
}

// otherAnswers are those about the journal, and what there is not.
func otherAnswers() []answer {
	return []answer{
		{"backup", "POST", "/api/v1/backup", `{"path":"/tmp/b"}`, 200, []string{`{"path":"/tmp/b"}`}, nil},
		{"backup to nobody knows where", "POST", "/api/v1/backup", `{"path":"b"}`, 400, []string{"must be absolute"}, nil},
		{"nothing there", "GET", "/api/v2", "", 404, []string{`{"error":"there is nothing at this path"}`}, nil},
		{"a method that does not fit", "PUT", "/api/v1/runs", "", 405, []string{"PUT cannot be done"}, nil},
	}
}

// TestAnswers: each request has its answer, and none tells a secret.
func TestAnswers(t *testing.T) {
	for _, c := range slices.Concat(listAnswers(), runAnswers(), handAnswers(), hookAnswers(), otherAnswers()) {
		t.Run(c.name, func(t *testing.T) {
			answer := ask(newAPI(t, wholeOptions(t)), c.method, c.path, c.body)
			if answer.Code != c.status {
				t.Errorf("status %d, not %d", answer.Code, c.status)
			}
			for _, text := range c.has {
				if !strings.Contains(answer.Body.String(), text) {
					t.Errorf("lacks %s", text)
				}
			}
			for _, text := range c.hasNot {
				if strings.Contains(answer.Body.String(), text) {
					t.Errorf("has %s", text)
				}
			}
			if t.Failed() {
				t.Log(answer.Body)
			}
			if answer.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("a browser may guess what it is")
			}
		})
	}
}

// wholeOptions has everything, and someRuns.
func wholeOptions(t *testing.T) admin.Options {
	f := newFake(someRuns()...)
	f.outputs[firstID+"/1"], f.outputs[firstID+"/2"] = "one\n", "second\n"
	kept := t.TempDir()
	for name, text := range map[string]string{"artifacts/a/b.html": "<b/>", "summary.md": "# Well"} {
		path := filepath.Join(kept, firstID, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return admin.Options{
		Engine: f,
		Files:  runner.New(runner.Options{Directory: kept}).Files,
		Backup: func(context.Context, string) error { return nil },
		Notes:  func() []string { return []string{"tmpfs"} },
	}
}

// TestArtifactIsADownload: what a script wrote is no page of this origin.
func TestArtifactIsADownload(t *testing.T) {
	answer := ask(newAPI(t, wholeOptions(t)), "GET", "/api/v1/runs/"+firstID+"/artifacts/a/b.html", "")
	want := map[string]string{
		"Content-Type": "application/octet-stream", "Content-Disposition": "attachment; filename=b.html",
		"Content-Length": "4", "Content-Security-Policy": "default-src 'none'; sandbox",
	}
	for name, value := range want {
		if got := answer.Header().Get(name); got != value {
			t.Errorf("%s is %q, not %q", name, got, value)
		}
	}
}

// TestOutputTellsWhatIsLeftOut: by headers, and in a log by a line.
func TestOutputTellsWhatIsLeftOut(t *testing.T) {
	f := newFake(someRuns()...)
	f.outputs[firstID+"/1"], f.outputs[firstID+"/2"], f.head, f.omitted = "headtail", "headtail", 4, 1000
	api := newAPI(t, admin.Options{Engine: f})
	answer := ask(api, "GET", "/api/v1/runs/"+firstID+"/output", "")
	if head, omitted := answer.Header().Get(admin.HeadHeader), answer.Header().Get(admin.OmittedHeader); head != "4" || omitted != "1000" {
		t.Errorf("head %s, omitted %s", head, omitted)
	}
	part := "head\n… 1000 bytes are left out here …\ntail"
	if got, want := ask(api, "GET", "/api/v1/runs/"+firstID+"/log", "").Body.String(), part+"\n--- attempt 2 ---\n"+part; got != want {
		t.Errorf("the log is %q, not %q", got, want)
	}
}

// TestReadiness: 503 only where nothing is accepted.
func TestReadiness(t *testing.T) {
	f := newFake()
	api := newAPI(t, admin.Options{Engine: f})
	f.status = engine.Status{Accepting: true, Problem: "the disk is nearly full", Reserve: 1, Wanted: 2}
	f.status.Hooks = map[string]engine.HookStatus{"b": {Paused: "by hand"}, "a": {}}
	answer := ask(api, "GET", "/readyz", "")
	if body := answer.Body.String(); answer.Code != 200 || !strings.Contains(body, "nearly full") || !strings.Contains(body, `"paused_hooks":["b"]`) || !strings.Contains(body, `"reserve_filled":false`) {
		t.Errorf("nearly full: %d %s", answer.Code, body)
	}
	f.status.Accepting = false
	if answer := ask(api, "GET", "/readyz", ""); answer.Code != 503 || !strings.Contains(answer.Body.String(), `"ready":false`) {
		t.Errorf("full: %d %s", answer.Code, answer.Body)
	}
}

// TestDurable: what an engine writes to a directory that does not last is not.
func TestDurable(t *testing.T) {
	for _, c := range []struct {
		engine, fleeting bool
		want             string
	}{
		{true, false, `"durable":true`},
		{true, true, `"durable":false`},
		{false, false, `"durable":false`},
	} {
		f := newFake()
		f.status.Durable = c.engine
		api := newAPI(t, admin.Options{Engine: f, Fleeting: c.fleeting})
		if answer := ask(api, "GET", "/readyz", ""); answer.Code != 200 || !strings.Contains(answer.Body.String(), c.want) {
			t.Errorf("%+v: %d %s", c, answer.Code, answer.Body)
		}
	}
}

// TestEngineFails: that nothing can be changed now is a 503 with the words of
// the engine; what nobody foresaw a 500.
func TestEngineFails(t *testing.T) {
	for err, status := range map[error]int{
		engine.ErrStopped: 503, engine.ErrFull: 503, engine.ErrUnavailable: 503, errors.New("odd"): 500,
	} {
		f := newFake(someRuns()...)
		f.fail = err
		for _, path := range []string{"/api/v1/runs/" + firstID + "/retry", "/api/v1/hooks/deploy/pause"} {
			answer := ask(newAPI(t, admin.Options{Engine: f}), "POST", path, "")
			var told admin.Error
			if json.Unmarshal(answer.Body.Bytes(), &told) != nil || answer.Code != status || told.Text != err.Error() {
				t.Errorf("%s, %v: %d %s", path, err, answer.Code, answer.Body)
			}
		}
	}
}

// TestHead has no body.
func TestHead(t *testing.T) {
	server := httptest.NewServer(newAPI(t, wholeOptions(t)).Socket())
	defer server.Close()
	answer, err := http.Head(server.URL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != 200 || !bytes.Equal(body, nil) {
		t.Errorf("%d %q", answer.StatusCode, body)
	}
}
