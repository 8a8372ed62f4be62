package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/explain"
)

func TestTurnedAway(t *testing.T) {
	recent := explain.NewRecent(10)
	for i, id := range []string{"0192b000-0000-7000-8000-000000000001", "0192b000-0000-7000-8000-000000000002"} {
		recent.Add(explain.TurnedAway{
			ID: id, Received: at(i), Method: "POST", Path: "/hooks/deploy", Status: 401,
			Explanations: []explain.Explanation{{
				Hook: []string{"deploy", "scan"}[i], Outcome: explain.Unauthenticated, Reason: "because", DeliveryID: fmt.Sprintf("of-the-sender-%d", i+1), Decision: &explain.Node{What: "hook"},
			}},
		})
	}
	tests := []struct {
		path   string
		status int
		has    string // in the answer
		hasNot string
	}{
		{"/api/v1/turned-away", 200, `"reason":"because"`, `"what":"hook"`},
		{"/api/v1/turned-away?hook=scan", 200, `000000000002`, `000000000001`},
		{"/api/v1/turned-away?hook=nosuch", 200, `"turned_away":[]`, "because"},
		{"/api/v1/turned-away?hok=scan", 400, `unknown parameter`, "because"},
		{"/api/v1/turned-away/0192b000-0000-7000-8000-000000000001", 200, `"what":"hook"`, "scan"},
		{"/api/v1/turned-away/0192B000-0000-7000-8000-000000000001", 200, `"what":"hook"`, "scan"},
		{"/api/v1/turned-away/0192b000", 409, `means 2 of the last deliveries`, "because"},
		{"/api/v1/turned-away/0192c000", 404, `no delivery whose id begins`, "because"},
		{"/api/v1/turned-away/of-the-sender-2", 200, `"hook":"scan"`, `"hook":"deploy"`},
		{"/api/v1/turned-away/..%2f", 404, `error`, "because"},
	}
	api := newAPI(t, admin.Options{Engine: newFake(), TurnedAway: recent})
	for _, test := range tests {
		answer := httptest.NewRecorder()
		api.Socket().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, test.path, nil))
		text := answer.Body.String()
		if answer.Code != test.status || !strings.Contains(text, test.has) || strings.Contains(text, test.hasNot) {
			t.Errorf("%s: %d %s", test.path, answer.Code, text)
		}
	}
	if got := recent.List("")[0].Explanations[0].Decision; got == nil {
		t.Error("to list them has taken what they hold")
	}

	// From another machine it needs the token, as all reading does.
	request := httptest.NewRequest(http.MethodGet, "http://127.0.0.1/api/v1/turned-away", nil)
	request.RemoteAddr = "192.0.2.1:1"
	answer := httptest.NewRecorder()
	api.TCP().ServeHTTP(answer, request)
	if answer.Code == http.StatusOK {
		t.Errorf("a stranger hears %s", answer.Body)
	}

	// Where none are kept there are none.
	answer = httptest.NewRecorder()
	newAPI(t, admin.Options{Engine: newFake()}).Socket().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/turned-away", nil))
	if got, want := answer.Body.String(), `{"turned_away":[],"skipped":0}`+"\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestExplanationOfARun(t *testing.T) {
	api := newAPI(t, admin.Options{Engine: newFake(someRuns()...)})
	ask := func(id string) (int, string) {
		answer := httptest.NewRecorder()
		api.Socket().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/api/v1/runs/"+id+"/explanation", nil))
		return answer.Code, answer.Body.String()
	}
	status, text := ask(firstID)
	var said explain.Explanation
	if err := json.Unmarshal([]byte(text), &said); err != nil || status != http.StatusOK {
		t.Fatal(status, text, err)
	}
	if said.Hook != "deploy" || !said.Triggered || len(said.Runs) != 1 || said.Answer != nil {
		t.Errorf("%s", text)
	}
	if strings.Contains(text, "s3cret") || strings.Contains(text, "leaked") {
		t.Errorf("it tells a secret: %s", text)
	}
	if status, text = ask(thirdID); status != http.StatusConflict || !strings.Contains(text, "in no hook file") {
		t.Errorf("of a run whose hook is gone: %d %s", status, text)
	}
	if status, text = ask("0000"); status != http.StatusNotFound {
		t.Errorf("of no run: %d %s", status, text)
	}
}
