package admin_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/admin"
)

// TestWhoMayAsk is the table of what the TCP listener asks of whom.
func TestWhoMayAsk(t *testing.T) {
	const token = "0123456789abcdef"
	retry := "/api/v1/runs/" + firstID + "/retry"
	with := func(name, value string) http.Header { return http.Header{name: {value}} }
	bearer := func(text string) http.Header { return with("Authorization", text) }
	cases := []struct {
		name               string
		method, path, host string
		remote             string // "": this machine
		header             http.Header
		status             int
	}{
		{"reading from here", "GET", "/api/v1/runs", "127.0.0.1:9001", "", nil, 200},
		{"by name", "GET", "/api/v1/runs", "localhost:9001", "", nil, 200},
		{"by another name", "GET", "/api/v1/runs", "Pawl.LOCALHOST.", "", nil, 200},
		{"by IPv6", "GET", "/api/v1/runs", "[::1]:9001", "[::1]:5", nil, 200},
		{"by the name that was given", "GET", "/api/v1/runs", "ci.example.org:9001", "", nil, 200},
		{"by a name of somebody's", "GET", "/api/v1/runs", "evil.example:9001", "", nil, 421},
		{"by a name that ends like a good one", "GET", "/api/v1/runs", "evillocalhost", "", nil, 421},
		{"by a name that begins like a good one", "GET", "/api/v1/runs", "127.0.0.1.evil.example", "", nil, 421},
		{"by another address", "GET", "/api/v1/runs", "192.0.2.7:9001", "", nil, 421},
		{"by a name of somebody's, with the token", "GET", "/api/v1/runs", "evil.example", "", bearer("Bearer " + token), 421},
		{"without a name", "GET", "/api/v1/runs", "", "", nil, 421},
		{"changing", "POST", retry, "localhost", "", bearer("Bearer " + token), 200},
		{"changing, with other capitals", "POST", retry, "localhost", "", bearer("bearer " + token), 200},
		{"changing without the token", "POST", retry, "localhost", "", nil, 401},
		{"changing with a wrong one", "POST", retry, "localhost", "", bearer("Bearer " + token + "0"), 401},
		{"changing with an empty one", "POST", retry, "localhost", "", bearer("Bearer "), 401},
		{"changing with the token as a password", "POST", retry, "localhost", "", bearer("Basic " + token), 401},
		{"forgetting without the token", "DELETE", "/api/v1/runs", "localhost", "", nil, 401},
		{"reading from elsewhere", "GET", "/api/v1/runs", "localhost", "192.0.2.1:5", nil, 401},
		{"reading from elsewhere with the token", "GET", "/api/v1/runs", "localhost", "192.0.2.1:5", bearer("Bearer " + token), 200},
		{"reading through a proxy here", "GET", "/api/v1/runs", "localhost", "", with("X-Forwarded-For", "192.0.2.1"), 401},
		{"reading through another", "GET", "/api/v1/runs", "localhost", "", with("Forwarded", "for=192.0.2.1"), 401},
		{"readiness from elsewhere", "GET", "/readyz", "localhost", "192.0.2.1:5", nil, 200},
		{"readiness by a name of somebody's", "GET", "/readyz", "evil.example", "", nil, 421},
		{"health from elsewhere by any name", "GET", "/healthz", "whatever", "192.0.2.1:5", nil, 200},
		{"health, changing", "POST", "/healthz", "localhost", "", nil, 401},
		{"a backup is not for here", "POST", "/api/v1/backup", "localhost", "", bearer("Bearer " + token), 404},
	}
	options := wholeOptions(t)
	options.Token, options.Hosts = token, []string{"ci.example.org"}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			request := httptest.NewRequest(c.method, c.path, nil)
			request.Host, request.RemoteAddr = c.host, "127.0.0.1:5"
			if c.remote != "" {
				request.RemoteAddr = c.remote
			}
			if c.header != nil {
				request.Header = c.header
			}
			options.Engine = newFake(someRuns()...)
			answer := httptest.NewRecorder()
			newAPI(t, options).TCP().ServeHTTP(answer, request)
			if answer.Code != c.status {
				t.Errorf("status %d, not %d: %s", answer.Code, c.status, answer.Body)
			}
		})
	}
}

// TestCalledByItsAddress: a probe names a machine by the address that it calls,
// which no page can make its own.
func TestCalledByItsAddress(t *testing.T) {
	server := httptest.NewServer(newAPI(t, wholeOptions(t)).TCP())
	defer server.Close()
	answer, err := http.Get(server.URL + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("status %d", answer.StatusCode)
	}
}

// TestNoToken: without one nothing can be changed, whatever is sent.
func TestNoToken(t *testing.T) {
	for _, sent := range []string{"", "Bearer", "Bearer ", "Bearer x"} {
		request := httptest.NewRequest("POST", "/api/v1/runs/"+firstID+"/retry", nil)
		request.Host, request.RemoteAddr = "localhost", "127.0.0.1:5"
		request.Header.Set("Authorization", sent)
		answer := httptest.NewRecorder()
		newAPI(t, wholeOptions(t)).TCP().ServeHTTP(answer, request)
		if answer.Code != 403 {
			t.Errorf("%q: status %d", sent, answer.Code)
		}
	}
}

func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.token")
	made, err := admin.MakeToken(path)
	if err != nil || len(made) < 26 {
		t.Fatalf("made %q, %v", made, err)
	}
	if again, err := admin.MakeToken(path); err != nil || again != made {
		t.Errorf("a second start has %q, %v", again, err)
	}
	if info, err := os.Stat(path); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ReadToken(path); err == nil || !strings.Contains(err.Error(), "holds 5 characters") {
		t.Errorf("a short token: %v", err)
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:9001": true, "127.9.9.9:1": true, "[::1]:1": true, "localhost:1": true, "[::ffff:127.0.0.1]:1": true,
		":9001": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "example.org:1": false, "": false,
	} {
		if got := admin.Loopback(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
