package server

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/explain"
)

// everything keeps all that was turned away.
type everything struct {
	allows int // how many more; 0: all
	asked  int
	kept   []explain.TurnedAway
}

func (e *everything) Allow(time.Time) bool {
	e.asked++
	return e.allows == 0 || e.asked <= e.allows
}

func (e *everything) AllowLost(now time.Time) bool { return e.Allow(now) }

func (e *everything) Explain(make func() explain.TurnedAway) { e.Add(make()) }

func (e *everything) Add(t explain.TurnedAway) { e.kept = append(e.kept, t) }

// TestWhatWasTurnedAwayIsKeptWithTheReasons, and without secrets.
func TestWhatWasTurnedAwayIsKeptWithTheReasons(t *testing.T) {
	type kept struct {
		Path   string
		Status int
		Size   int
		Hooks  []string
	}
	tests := []struct {
		name, method, path, body string
		header                   string // X-Door
		want                     []kept
	}{
		{"a wrong secret behind the path", "POST", "quay/path/secret-0002?a=b&token=t0psecret", "{}", "", []kept{{"/hooks/quay/***?a=b&token=***", 404, 0, []string{"quay"}}}},
		{"a wrong header", "POST", "token", "{}", "t0psecret", []kept{{"/hooks/token", 401, 0, []string{"token"}}}},
		{"a wrong signature", "POST", "pair", "{}", "", []kept{{"/hooks/pair", 401, 2, []string{"basic", "signed"}}}},
		{"a mismatch", "POST", "signed", "{}", "", []kept{{"/hooks/signed", 200, 2, []string{"rule"}}}},
		{"a method that no hook takes", "PUT", "token", "{}", "", []kept{{"/hooks/token", 405, 0, []string{"token"}}}},
		{"an unknown path", "POST", "none?token=t0psecret", "{}", "", []kept{{"/hooks/none", 404, 0, nil}}},
		{"a slip in the name before a secret", "POST", "quey/path/secret-0001", "{}", "", []kept{{"/hooks/quey/***", 404, 0, nil}}},
		{"another method, before a wrong secret", "GET", "quay/path/secret-0002", "", "", []kept{{"/hooks/quay/***", 404, 0, []string{"quay"}}}},
		{"another method, before the right one", "GET", "quay/path/secret-0001", "", "", []kept{{"/hooks/quay/***", 405, 0, []string{"quay"}}}},
		{"what triggers neither", "POST", "quay/known", "{}", "", nil},
	}
	const rule = `
- {id: rule, path: signed, execute-command: x, trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}}
`
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			recent := &everything{}
			s := serverOf(t, gated+rule, &fakeEngine{}, func(o *Options) { o.TurnedAway = recent })
			request := httptest.NewRequest(test.method, "/hooks/"+test.path, strings.NewReader(test.body))
			request.Header.Set("Content-Type", "application/json")
			if test.header != "" {
				request.Header.Set("X-Door", test.header)
			}
			s.ServeHTTP(httptest.NewRecorder(), request)
			var got []kept
			for _, k := range recent.kept {
				one := kept{Path: k.Path, Status: k.Status, Size: k.Size}
				for _, e := range k.Explanations {
					one.Hooks = append(one.Hooks, e.Hook)
				}
				got = append(got, one)
				if k.ID == "" || k.Received.IsZero() || k.RemoteAddr == "" || k.Method != test.method {
					t.Errorf("kept %+v", k)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			text, err := json.Marshal(recent.kept)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"secret-000", "t0psecret"} {
				if strings.Contains(string(text), secret) {
					t.Errorf("what is kept holds a secret:\n%s", text)
				}
			}
		})
	}
}

// TestElementsThatGetNoRunAreKept beside the runs of the others: the answer counts
// them, and the reasons are where those of deliveries that made no run are.
func TestElementsThatGetNoRunAreKept(t *testing.T) {
	const file = `
- id: tags
  execute-command: x
  for-each: { source: payload, name: tags }
  pass-arguments-to-command: [{ source: element, name: "", pattern: "[a-z]+" }]
`
	recent, e := &everything{}, &fakeEngine{}
	s := serverOf(t, file, e, func(o *Options) { o.TurnedAway = recent })
	answer := post(s, "/hooks/tags", `{"tags":["ok","-bad","well","-worse"]}`)
	if answer.Code != http.StatusOK || answer.Header().Get("X-Pawl-Runs") != "2" || answer.Header().Get("X-Pawl-Not-Run") != "2" {
		t.Errorf("answered %d with %v", answer.Code, answer.Header())
	}
	if len(recent.kept) != 1 || len(recent.kept[0].Explanations) != 1 {
		t.Fatalf("kept %+v", recent.kept)
	}
	told := recent.kept[0].Explanations[0]
	if told.Outcome != explain.Triggered || len(told.Runs) != 2 || !strings.Contains(told.Reason, "2 elements without a run: element 2 ") {
		t.Errorf("kept is %s, because of %q, with %d runs", told.Outcome, told.Reason, len(told.Runs))
	}
	recent.kept = nil
	if answer = post(s, "/hooks/tags", `{"tags":["ok"]}`); answer.Header().Get("X-Pawl-Not-Run") != "" || len(recent.kept) != 0 {
		t.Errorf("where all fit: %v, kept %+v", answer.Header(), recent.kept)
	}
}

// TestElementsThatGetNoRunTellNoToken: where an expression fails of one element,
// the reason that is kept leaves out what it compares with a header.
func TestElementsThatGetNoRunTellNoToken(t *testing.T) {
	const file = `
- id: tags
  execute-command: x
  for-each: { source: payload, name: tags }
  when: 'headers["x-door"] == "hunter2-hunter2" && element.name == "ok"'
`
	recent := &everything{}
	s := serverOf(t, file, &fakeEngine{}, func(o *Options) { o.TurnedAway = recent })
	request := httptest.NewRequest(http.MethodPost, "/hooks/tags", strings.NewReader(`{"tags":[{"name":"ok"},{"other":1}]}`))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Door", "hunter2-hunter2")
	s.ServeHTTP(httptest.NewRecorder(), request)
	if len(recent.kept) != 1 || recent.kept[0].Explanations[0].Reason == "" {
		t.Fatalf("kept %+v", recent.kept)
	}
	if reason := recent.kept[0].Explanations[0].Reason; strings.Contains(reason, "hunter2") {
		t.Errorf("the reason is %s", reason)
	}
}

func TestOfAFloodOnlySomeAreExplained(t *testing.T) {
	recent := &everything{allows: 2}
	s := serverOf(t, gated, &fakeEngine{}, func(o *Options) { o.TurnedAway = recent })
	for range 5 {
		if answer := post(s, "/hooks/token", "{}"); answer.Code != http.StatusUnauthorized {
			t.Fatalf("answered %d", answer.Code)
		}
	}
	if recent.asked != 5 || len(recent.kept) != 2 {
		t.Errorf("%d were counted and %d kept, want 5 and 2", recent.asked, len(recent.kept))
	}
}

// slowToExplain holds the handler as long as an explanation may take.
type slowToExplain struct{ reached, proceed chan struct{} }

func (s slowToExplain) Allow(time.Time) bool { return true }

func (s slowToExplain) AllowLost(time.Time) bool { return true }

func (s slowToExplain) Explain(make func() explain.TurnedAway) { s.Add(make()) }

func (s slowToExplain) Add(explain.TurnedAway) {
	close(s.reached)
	<-s.proceed
}

// TestNobodyWaitsForTheReasons: the answer is sent, whole and with its length,
// before they are gathered.
func TestNobodyWaitsForTheReasons(t *testing.T) {
	for name, request := range map[string]string{
		"HTTP/1.1 404 ": "POST /hooks/quay/x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 401 ": "POST /hooks/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 405 ": "PUT /hooks/token HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 ": "POST /hooks/signed HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			held := slowToExplain{make(chan struct{}), make(chan struct{})}
			s := serverOf(t, gated+`
- {id: rule, path: signed, execute-command: x, trigger-rule: {match: {type: value, value: main, parameter: {source: payload, name: branch}}}}
`, &fakeEngine{}, func(o *Options) { o.TurnedAway = held })
			conn := dial(t, serve(t, s))
			write(t, conn, request)
			answer := readAnswer(t, conn)
			<-held.reached
			close(held.proceed)
			if !strings.HasPrefix(answer, name) || !strings.Contains(answer, "\r\nContent-Length: ") || strings.Contains(answer, "chunked") {
				t.Errorf("answered %q", answer)
			}
		})
	}
}

// serve serves on a free port until the test ends.
func serve(t *testing.T, s http.Handler) (address string) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// readAnswer reads the head of an answer.
func readAnswer(t *testing.T, conn io.Reader) string {
	t.Helper()
	var head []byte
	one := make([]byte, 1)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		if _, err := io.ReadFull(conn, one); err != nil {
			t.Fatalf("after %q: %v", head, err)
		}
		head = append(head, one...)
	}
	return string(head)
}
