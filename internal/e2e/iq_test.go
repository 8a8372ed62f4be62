//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The stand-in for a Nexus IQ server knows one user. The password tries every
// place that quotes.
const (
	iqUser     = "code"
	iqPassword = `pass "quoted" \back $(id) passcode`
	iqInternal = "4bb67dcfc86344e3a483832f8c496419"
)

// iqServer answers as IQ's public description says, and holds every request to it.
type iqServer struct {
	t    *testing.T
	host string

	// What the test sets.
	application   string // the public id that is expected
	exists        bool
	organizations []string
	conflict      bool   // creation: another was faster
	submitStatus  int    // 0: 202
	statusURL     string // empty: as IQ does
	polls         int    // how often the status is 404 before it is there
	evaluation    string // JSON

	mu   sync.Mutex
	seen []string // the requests, in order
}

func startIQ(t *testing.T, s *iqServer) *iqServer {
	t.Helper()
	s.t = t
	s.host = standIn(t, s.serve)
	return s
}

func (s *iqServer) serve(w http.ResponseWriter, q *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, q.Method+" "+q.URL.Path)
	if user, password, ok := q.BasicAuth(); !ok || user != iqUser || password != iqPassword {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	s.noCredentialsOnCommandLines()
	body, err := io.ReadAll(q.Body)
	if err != nil {
		s.t.Error(err)
	}
	switch call := q.Method + " " + q.URL.Path; call {
	case "GET /iq/api/v2/applications":
		s.find(w, q)
	case "GET /iq/api/v2/organizations":
		s.listOrganizations(w)
	case "POST /iq/api/v2/applications":
		s.create(w, q, body)
	case "POST /iq/api/v2/scan/applications/" + iqInternal + "/sources/cyclonedx":
		s.submit(w, q, body)
	case "GET /iq/api/v2/scan/applications/" + iqInternal + "/status/9cee2b6366fc4d328edc318eae46b2cb":
		if s.polls > 0 {
			s.polls--
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, s.evaluation)
	default:
		s.t.Errorf("a request that IQ does not know: %s", call)
		w.WriteHeader(http.StatusTeapot)
	}
}

func (s *iqServer) find(w http.ResponseWriter, q *http.Request) {
	if id := q.URL.Query().Get("publicId"); id != s.application {
		s.t.Errorf("asked for application %q, want %q", id, s.application)
	}
	if !s.exists {
		fmt.Fprint(w, `{"applications":[]}`)
		return
	}
	fmt.Fprintf(w, `{"applications":[{"id":%q,"publicId":%q,"name":"x","organizationId":"org","contactUserName":null,"applicationTags":[]}]}`, iqInternal, s.application)
}

func (s *iqServer) listOrganizations(w http.ResponseWriter) {
	list := []string{`{"id":"ROOT_ORGANIZATION_ID","name":"Root Organization"}`}
	for _, o := range s.organizations {
		list = append(list, fmt.Sprintf(`{"id":%q,"name":"Organization %s"}`, o, o))
	}
	fmt.Fprintf(w, `{"organizations":[%s]}`, strings.Join(list, ","))
}

func (s *iqServer) create(w http.ResponseWriter, q *http.Request, body []byte) {
	if q.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("creation: Content-Type %q", q.Header.Get("Content-Type"))
	}
	var asked map[string]string
	if err := json.Unmarshal(body, &asked); err != nil || len(asked) != 3 || asked["publicId"] != s.application ||
		asked["name"] != s.application || asked["organizationId"] != s.organizations[0] {
		s.t.Errorf("creation: %s", body)
	}
	s.exists = true
	if s.conflict {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "an application with this id exists")
		return
	}
	fmt.Fprintf(w, `{"id":%q,"publicId":%q}`, iqInternal, s.application)
}

func (s *iqServer) submit(w http.ResponseWriter, q *http.Request, body []byte) {
	if q.URL.RawQuery != "stageId=release" || q.Header.Get("Content-Type") != "application/json" {
		s.t.Errorf("SBOM: %s, Content-Type %q", q.URL, q.Header.Get("Content-Type"))
	}
	var report sbom
	if err := json.Unmarshal(body, &report); err != nil || report.BOMFormat != "CycloneDX" || !report.names("left-pad", "1.3.0") {
		s.t.Errorf("SBOM: %v: %.300s", err, body)
	}
	if s.submitStatus != 0 {
		w.WriteHeader(s.submitStatus)
		return
	}
	url := s.statusURL
	if url == "" {
		url = "api/v2/scan/applications/" + iqInternal + "/status/9cee2b6366fc4d328edc318eae46b2cb"
	}
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"statusUrl":%q}`, url)
}

// noCredentialsOnCommandLines looks at every process while a request is under way.
func (s *iqServer) noCredentialsOnCommandLines() {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	sawCurl := false
	for _, f := range files {
		line, _ := os.ReadFile(f)
		sawCurl = sawCurl || strings.HasPrefix(string(line), "curl\x00")
		// curl blanks what follows --user, though not before others could read it.
		if strings.Contains(string(line), "quoted") || strings.Contains(string(line), "\x00--user\x00") {
			s.t.Errorf("a command line holds the password: %q", line)
		}
	}
	if !sawCurl {
		s.t.Error("no curl among the processes: this check has lost its subject")
	}
}

func TestIQByREST(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/web-shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	other := make(chan string, 10)
	elsewhere := standIn(t, func(w http.ResponseWriter, q *http.Request) { other <- q.URL.Path })
	evaluated := func(action string) string {
		return fmt.Sprintf(`{"policyAction":%q,"reportHtmlUrl":"ui/links/x","isError":false,"errorMessage":null,
			"componentsAffected":{"critical":3,"severe":2,"moderate":1},"openPolicyViolations":{"critical":4,"severe":0,"moderate":0}}`, action)
	}
	for _, c := range []struct {
		name   string
		server *iqServer
		env    string
		code   int
		told   string
		action string
	}{
		{name: "no action", server: &iqServer{exists: true, evaluation: evaluated("None")}, code: 0, told: "3 critical, 2 severe, 1 moderate", action: "None"},
		{name: "is waited for", server: &iqServer{exists: true, polls: 2, evaluation: evaluated("None")}, code: 0, action: "None"},
		{name: "application is created", server: &iqServer{organizations: []string{"org"}, evaluation: evaluated("Failure")},
			code: 10, told: "created application acme_web-shop", action: "Failure"},
		{name: "another was faster", server: &iqServer{organizations: []string{"org"}, conflict: true, evaluation: evaluated("None")}, code: 0, action: "None"},
		{name: "organization by id", server: &iqServer{organizations: []string{"second", "first"}, evaluation: evaluated("None")},
			env: "IQ_ORGANIZATION_ID=second", code: 0, action: "None"},
		{name: "several organizations", server: &iqServer{organizations: []string{"one", "two"}}, code: 78, told: "IQ_ORGANIZATION_ID"},
		{name: "warning", server: &iqServer{exists: true, evaluation: evaluated("Warning")}, code: 0, told: "IQ warns", action: "Warning"},
		{name: "warning that fails", server: &iqServer{exists: true, evaluation: evaluated("Warning")}, env: "IQ_FAIL_ON_WARNINGS=yes", code: 10, action: "Warning"},
		{name: "unknown action", server: &iqServer{exists: true, evaluation: evaluated("Perhaps")}, code: 70, told: "not known: Perhaps"},
		{name: "error with 200", server: &iqServer{exists: true, evaluation: `{"isError":true,"errorMessage":"no licence"}`}, code: 70, told: "could not evaluate: no licence"},
		{name: "busy", server: &iqServer{exists: true, submitStatus: 503}, code: 75, told: "IQ answers 503"},
		{name: "too many requests", server: &iqServer{exists: true, submitStatus: 429}, code: 75},
		{name: "refused", server: &iqServer{exists: true, submitStatus: 400}, code: 70, told: "IQ answers 400"},
		{name: "wrong password", server: &iqServer{}, env: "IQ_PASSWORD=wrong", code: 77, told: "IQ answers 401"},
		{name: "never ready", server: &iqServer{exists: true, polls: 1000}, env: "IQ_TIMEOUT=1", code: 75, told: "no evaluation after 1 s"},
		{name: "status on another host", server: &iqServer{exists: true, statusURL: "http://" + elsewhere + "/api/v2/scan/x"}, code: 70, told: "on its own host"},
		{name: "status out of its place", server: &iqServer{exists: true, statusURL: "api/v2/scan/../../../x"}, code: 70, told: "on its own host"},
		{name: "server is not there", server: &iqServer{}, env: "IQ_URL=http://" + freeAddress(t), code: 75, told: "IQ does not answer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.server
			s.application = "acme_web-shop"
			startIQ(t, s)
			got := quay(r, "acme/web-shop", "v1", "SCANNER=iq-api", "IQ_URL=http://"+s.host+"/iq/", "IQ_USER="+iqUser,
				"IQ_PASSWORD="+iqPassword, "IQ_STAGE=release", c.env).run(t)
			got.expect(t, c.code, c.told)
			if c.action != "" && got.results["policy_action"] != c.action {
				t.Errorf("results: %v", got.results)
			}
			if n := len(sboms(t, got.artifacts)); n != 1 {
				t.Errorf("%d reports, want 1", n)
			}
			if strings.Contains(got.output+got.summary, "quoted") {
				t.Error("the password is in the output")
			}
		})
	}
	if len(other) != 0 {
		t.Errorf("another host was asked for %s", <-other)
	}
}

func TestIQByRESTReadsCredentialsFromFiles(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/web-shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	s := startIQ(t, &iqServer{application: "acme_web-shop", exists: true, evaluation: `{"policyAction":"None"}`})
	dir := t.TempDir()
	check(t, os.WriteFile(filepath.Join(dir, "user"), []byte(iqUser+"\n"), 0o600))
	check(t, os.WriteFile(filepath.Join(dir, "password"), []byte(iqPassword+"\n"), 0o600))
	// SCANNER unset: IQ_URL chooses it.
	quay(r, "acme/web-shop", "v1", "SCANNER=", "IQ_URL=http://"+s.host+"/iq", "IQ_STAGE=release",
		"IQ_USER_FILE="+filepath.Join(dir, "user"), "IQ_PASSWORD_FILE="+filepath.Join(dir, "password")).run(t).expect(t, 0)
	want := "GET /iq/api/v2/applications"
	if len(s.seen) == 0 || s.seen[0] != want {
		t.Errorf("requests: %v", s.seen)
	}
}

func TestIQByCommandLine(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/web-shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	for _, c := range []struct {
		name, stub  string
		application string
		env         string
		code        int
		told        string
		action      string
	}{
		{"no action", "None 0", "acme_web-shop", "", 0, `ended with 0: no policy action "fail"`, "None"},
		{"policy failed", "Failure 1", "acme_web-shop", "", 10, "ended with 1: a policy failed", "Failure"},
		{"the result file decides", "Failure 0", "acme_web-shop", "", 10, "policy failed", "Failure"},
		{"warning", "Warning 0", "acme_web-shop", "", 0, "IQ warns", "Warning"},
		{"error after a result", "None 2", "acme_web-shop", "", 70, "ended with 2: an error", ""},
		{"server busy", "busy", "acme_web-shop", "", 75, "ended with 2: an error", ""},
		{"arguments that are wrong", "None 0", "another", "", 70, "STUB: --application-id is acme_web-shop", ""},
		{"no jar", "None 0", "acme_web-shop", "IQ_CLI_JAR=/nonexistent.jar", 78, "IQ_CLI_JAR: /nonexistent.jar cannot be read", ""},
		{"no Java", "None 0", "acme_web-shop", "JAVA_HOME=/nonexistent", 69, "default-jre-headless", ""},
		{"no password", "None 0", "acme_web-shop", "IQ_PASSWORD=", 78, "IQ_PASSWORD", ""},
		{"stage misspelt", "None 0", "acme_web-shop", "IQ_STAGE=stage_release", 78, "IQ_STAGE", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := quay(r, "acme/web-shop", "v1", "SCANNER=iq-cli", "IQ_CLI_JAR="+place.jar, "IQ_URL=http://iq.example.com:8070/",
				"IQ_USER=code", `IQ_PASSWORD=pass code "$(id)" passcode`, "IQ_STAGE=stage-release",
				"NEXUS_IQ_STUB="+c.stub, "NEXUS_IQ_STUB_APPLICATION="+c.application, c.env).run(t)
			got.expect(t, c.code, c.told)
			if c.action != "" && (got.results["policy_action"] != c.action || got.results["components"] != "1") {
				t.Errorf("results: %v", got.results)
			}
			if strings.Contains(got.output+got.summary, "passcode") {
				t.Error("the password is in the output")
			}
		})
	}
}
