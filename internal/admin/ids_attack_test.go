package admin_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/runner"
)

// TestIDsAreNoPaths: neither the id of a run nor the name of an artifact leads to
// a file outside of what the run left, however it is written.
func TestIDsAreNoPaths(t *testing.T) {
	const secret = "root:x:0:0"
	top := t.TempDir()
	kept := filepath.Join(top, "runs")
	for _, path := range []string{"secret", "artifacts/secret", "runs/secret", "runs/artifacts/secret", "runs/" + firstID + "/secret", "runs/" + firstID + "/artifacts/own"} {
		path = filepath.Join(top, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		text := secret
		if filepath.Base(path) == "own" {
			text = "own"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	options := admin.Options{Engine: newFake(someRuns()...), Files: runner.New(runner.Options{Directory: kept}).Files}
	api := newAPI(t, options)
	get := func(path string) (int, string) {
		request := httptest.NewRequest("GET", "/", nil)
		parsed, err := request.URL.Parse("http://localhost" + path)
		if err != nil {
			return 404, "" // net/http would not read it either
		}
		request.URL, request.Host, request.RemoteAddr = parsed, "localhost", "127.0.0.1:5"
		request.RequestURI = path
		answer := httptest.NewRecorder()
		api.TCP().ServeHTTP(answer, request)
		return answer.Code, answer.Body.String()
	}
	if code, body := get("/api/v1/runs/" + firstID + "/artifacts/own"); code != 200 || body != "own" {
		t.Fatalf("an artifact: %d %q", code, body)
	}
	ups := []string{"..", "%2e%2e", "%2E.", ".%2e", "..%2f..", "%2e%2e%2f%2e%2e", "..%5c..", "%252e%252e", "....//", "/..", "%00..", firstID + "%2f..", firstID + "/..", ".", strings.Repeat("x", 5000)}
	for _, up := range ups {
		for _, path := range []string{
			"/api/v1/runs/" + up, "/api/v1/runs/" + up + "/secret", "/api/v1/runs/" + up + "/artifacts", "/api/v1/runs/" + up + "/artifacts/secret",
			"/api/v1/runs/" + up + "/summary", "/api/v1/runs/" + up + "/output", "/api/v1/runs/" + up + "/delivery",
			"/api/v1/runs/" + firstID + "/artifacts/" + up + "/secret", "/api/v1/runs/" + firstID + "/artifacts/" + up + "%2fsecret",
			"/api/v1/turned-away/" + up, "/api/v1/turned-away/" + up + "/secret",
		} {
			code, body := get(path)
			if strings.Contains(body, secret) {
				t.Errorf("%s gives a file from outside", path)
			}
			if code >= 500 {
				t.Errorf("%s: %d %s", path, code, body)
			}
		}
	}
}
