//go:build e2e

package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The bundled hooks that are no scans, each with the whole program: a delivery as
// its sender makes it, the script, and the real or pretended system behind it.

// An evaluation that IQ announces ends in a report, and its other events in none.
func TestNexusIQsEventIsKeptAsAReport(t *testing.T) {
	event := readSample(t, "nexus-iq-01-iq-applicationevaluation")
	l := startPawl(t, freeAddress(t), []string{"PAWL_NEXUS_IQ_SECRET=" + event.Secret}, "nexus-iq.yaml")

	stranger := readSample(t, "nexus-iq-01-iq-applicationevaluation")
	stranger.Body += " "
	if code, _ := l.sendSample(t, "nexus-iq", stranger); code != http.StatusUnauthorized {
		t.Errorf("a body that was changed is answered %d", code)
	}
	if code, text := l.sendSample(t, "nexus-iq", readSample(t, "nexus-iq-04-iq-violationalert")); code != http.StatusOK {
		t.Errorf("another event is answered %d %q", code, text)
	}
	if code, text := l.sendSample(t, "nexus-iq", event); code != http.StatusOK || text != "report accepted\n" {
		t.Fatalf("answered %d %q", code, text)
	}
	name := "acme-web-shop_build_5f56cf4f14ef1b71a24911cc0c5dddcf"
	l.wait(t, "kept: "+name+".txt", 1)
	kept, err := os.ReadFile(filepath.Join(l.reports, name+".json"))
	check(t, err)
	if string(kept) != event.Body {
		t.Errorf("the report is not the event: %s", kept)
	}
	text, err := os.ReadFile(filepath.Join(l.reports, name+".txt"))
	check(t, err)
	for _, part := range []string{"acme-web-shop", "fail", "10 affected: 2 critical, 5 severe, 3 moderate"} {
		if !strings.Contains(string(text), part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	if all := l.runsOf(t, ""); len(all) != 1 {
		t.Errorf("%d runs, want 1", len(all))
	}
	if left, err := filepath.Glob(filepath.Join(l.reports, ".*")); err != nil || len(left) > 0 {
		t.Errorf("left in REPORT_DIR: %v (%v)", left, err)
	}
}

// What the report script takes for no evaluation, and names that try something.
func TestNexusIQsReportOfStrangeEvents(t *testing.T) {
	dir := t.TempDir()
	run := func(t *testing.T, text string, env ...string) result {
		file := filepath.Join(t.TempDir(), "event")
		check(t, os.WriteFile(file, []byte(text), 0o600))
		return scan{script: "nexus-iq-report.sh", args: []string{file}, env: append(env, "REPORT_DIR="+dir)}.run(t)
	}
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "x", "another event": `{"policyAlerts":[]}`, "no application": `{"applicationEvaluation":{}}`,
		"a name that is none": `{"applicationEvaluation":{"application":{"publicId":7}}}`,
	} {
		t.Run(name, func(t *testing.T) { run(t, text).expect(t, 64, "no evaluation of an application") })
	}
	run(t, `{"applicationEvaluation":{"application":{"publicId":"../../etc/$(id)\n\u001b[2J"},"outcome":"<b>\u0007","stage":"../x","reportId":"/a"}}`).
		expect(t, 0, `kept: _\.`, `Application: \.\./\.\./etc/\$\(id\)\?\?\[2J`)
	entries, err := os.ReadDir(dir)
	check(t, err)
	if len(entries) != 2 {
		t.Errorf("%d files in REPORT_DIR, want the report and its text", len(entries))
	}
}

// proxy is a repository that has some files, and notes what was asked of it.
type proxy struct {
	files map[string]int // path → status

	mu    sync.Mutex
	asked []string
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	user, password, _ := r.BasicAuth()
	p.asked = append(p.asked, r.Method+" "+r.RequestURI+" "+user+":"+password)
	status, ok := p.files[r.RequestURI]
	if !ok {
		status = http.StatusNotFound
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte("content"))
}

func (p *proxy) requests() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, "\n")
}

// A component that came to one repository is fetched through a proxy of another.
func TestPrimeFetchesAComponentThroughAProxy(t *testing.T) {
	p := &proxy{files: map[string]int{
		"/repository/maven-releases/org/example/widget/1.0.0/widget-1.0.0.pom": 200,
		"/repository/maven-releases/org/example/widget/1.0.0/widget-1.0.0.jar": 200,
	}}
	server := httptest.NewServer(p)
	defer server.Close()
	event := readSample(t, "nexus-repository-03-component-updated-maven")
	event.Body = strings.Replace(event.Body, `"UPDATED"`, `"CREATED"`, 1)
	signNexus(event)
	l := startPawl(t, freeAddress(t), []string{
		"PAWL_NEXUS_SECRET=" + event.Secret, "PRIME_URL=" + server.URL + "/repository/{repository}", "PRIME_USER=prime", "PRIME_PASSWORD=pa\"ss\\word",
	}, "nexus-repository.yaml")
	if code, text := l.sendSample(t, "nexus-prime", event); code != http.StatusOK || text != "fetch accepted\n" {
		t.Fatalf("answered %d %q", code, text)
	}
	l.wait(t, `widget-1\.0\.0\.jar: 7 B in`, 1)
	want := "GET /repository/maven-releases/org/example/widget/1.0.0/widget-1.0.0.pom prime:pa\"ss\\word\n" +
		"GET /repository/maven-releases/org/example/widget/1.0.0/widget-1.0.0.jar prime:pa\"ss\\word"
	if got := p.requests(); got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
	// An image's component is the other hook's.
	if code, _ := l.sendSample(t, "nexus-prime", readSample(t, "nexus-repository-01-rm-repository-component")); code != http.StatusOK {
		t.Errorf("a docker component is answered %d", code)
	}
	if all := l.runsOf(t, ""); len(all) != 1 {
		t.Errorf("%d runs, want 1", len(all))
	}
}

// Each format has its paths, and no name leads out of the repository.
func TestPrimePaths(t *testing.T) {
	for _, c := range []struct {
		name, component, path string
		status, code          int
		says                  string
	}{
		{"maven, the pom alone", `{"format":"maven2","group":"org.example","name":"parent","version":"1"}`, "/r/org/example/parent/1/parent-1.pom", 200, 0, "not there"},
		{"npm", `{"format":"npm","name":"left-pad","version":"1.3.0"}`, "/r/left-pad/-/left-pad-1.3.0.tgz", 200, 0, "7 B"},
		{"npm with a scope", `{"format":"npm","group":"acme","name":"ui","version":"1.0.0-rc.1"}`, "/r/%40acme/ui/-/ui-1.0.0-rc.1.tgz", 200, 0, "7 B"},
		{"raw", `{"format":"raw","group":"/dir","name":"/dir/a b?.zip","version":null}`, "/r/dir/a%20b%3F.zip", 200, 0, "7 B"},
		{"nothing there", `{"format":"npm","name":"gone","version":"1"}`, "", 0, 66, "none of the component's files"},
		{"busy", `{"format":"npm","name":"a","version":"1"}`, "/r/a/-/a-1.tgz", 503, 75, "HTTP 503"},
		{"refused", `{"format":"npm","name":"a","version":"1"}`, "/r/a/-/a-1.tgz", 401, 77, "HTTP 401"},
		{"out of the repository", `{"format":"raw","name":"../../secret"}`, "", 0, 64, "a name that is none"},
		{"a slash in a name", `{"format":"npm","name":"a/../../b","version":"1"}`, "", 0, 64, "a name that is none"},
		{"no version", `{"format":"npm","name":"a","version":["1"]}`, "", 0, 64, "lacks a value"},
		{"another format", `{"format":"docker","name":"a","version":"1"}`, "", 0, 64, "not a format"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &proxy{files: map[string]int{c.path: c.status}}
			server := httptest.NewServer(p)
			defer server.Close()
			file := filepath.Join(t.TempDir(), "event")
			check(t, os.WriteFile(file, []byte(`{"repositoryName":"x","component":`+c.component+`}`), 0o600))
			scan{script: "nexus-prime.sh", args: []string{file}, env: []string{"PRIME_URL=" + server.URL + "/r"}}.run(t).expect(t, c.code, c.says)
			if c.path == "" && c.code == 64 && p.requests() != "" {
				t.Errorf("asked all the same: %s", p.requests())
			}
		})
	}
}

// jenkins is a stand-in: it wants the crumb of the session, the token and a form.
type jenkins struct {
	url    string
	crumbs bool

	mu     sync.Mutex
	builds []string
}

func (j *jenkins) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, token, _ := r.BasicAuth()
	if user != "pawl" || token != "11aa\\\"22" {
		http.Error(w, "login", http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/ci/crumbIssuer/api/json" && j.crumbs {
		http.SetCookie(w, &http.Cookie{Name: "JSESSIONID.1", Value: "session", Path: "/"})
		_ = json.NewEncoder(w).Encode(map[string]string{"crumb": "c0ffee", "crumbRequestField": "Jenkins-Crumb"})
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/ci/job/team/job/web%20shop/")
	if !ok || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	if cookie, err := r.Cookie("JSESSIONID.1"); j.crumbs && (err != nil || cookie.Value != "session" || r.Header.Get("Jenkins-Crumb") != "c0ffee") {
		http.Error(w, "No valid crumb was included in the request", http.StatusForbidden)
		return
	}
	if err := r.ParseForm(); err != nil || len(r.URL.RawQuery) > 0 {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	j.mu.Lock()
	j.builds = append(j.builds, path+" "+r.PostForm.Encode())
	j.mu.Unlock()
	w.Header().Set("Location", j.url+"/ci/queue/item/231/")
	w.WriteHeader(http.StatusCreated)
}

// A build is started with the crumb, its session and the parameters, whatever is in them.
func TestAJenkinsJobIsStarted(t *testing.T) {
	for _, crumbs := range []bool{true, false} {
		j := &jenkins{crumbs: crumbs}
		server := httptest.NewServer(j)
		defer server.Close()
		j.url = server.URL
		l := startPawl(t, freeAddress(t), []string{
			"PAWL_JENKINS_BUILD_SECRET=start-me", "JENKINS_URL=" + server.URL + "/ci/", "JENKINS_USER=pawl", "JENKINS_TOKEN=11aa\\\"22",
			"JENKINS_JOBS=other,team/web shop",
		}, "jenkins.yaml")
		send := func(token, body string, want int) {
			t.Helper()
			s := &sample{Body: body, header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + token}}}
			if code, text := l.sendSample(t, "jenkins-build", s); code != want {
				t.Errorf("%s is answered %d %q, want %d", body, code, text, want)
			}
		}
		send("start-you", `{"job":"team/web shop"}`, http.StatusUnauthorized)
		send("start-me", `{"job":"$(id)"}`, http.StatusBadRequest)
		send("start-me", `{"job":"team/web shop","parameters":{"BRANCH":"a&b=c; $(id) é","RELEASE":true,"N":7}}`, http.StatusOK)
		l.wait(t, `started team/web shop: .*/ci/queue/item/231/`, 1)
		send("start-me", `{"job":"team/web shop"}`, http.StatusOK)
		l.wait(t, `started team/web shop: .*/ci/queue/item/231/`, 2)
		send("start-me", `{"job":"team/secret"}`, http.StatusOK)
		l.wait(t, `team/secret: not among JENKINS_JOBS`, 1)
		want := "buildWithParameters BRANCH=a%26b%3Dc%3B+%24%28id%29+%C3%A9&N=7&RELEASE=true\nbuild "
		if got := strings.Join(j.builds, "\n"); got != want {
			t.Errorf("built\n%s\nwant\n%s", got, want)
		}
		if text := l.text(); strings.Contains(text, "11aa") || strings.Contains(text, "start-me") || strings.Contains(text, "c0ffee") {
			t.Errorf("a credential is in the log:\n%s", text)
		}
	}
}
