//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// listener is a running Pawl with bundled hook files.
type listener struct {
	url     string // http://127.0.0.1:PORT/hooks/
	work    string // SCAN_WORK_DIR
	reports string // REPORT_DIR
	state   string // the data directory
	*service
}

// startPawl serves the named hook files from the checkout, as "make run" does.
func startPawl(t *testing.T, address string, env []string, hookFiles ...string) *listener {
	t.Helper()
	dir := t.TempDir()
	l := &listener{url: "http://" + address + "/hooks/", work: filepath.Join(dir, "scan"), reports: filepath.Join(dir, "reports"), state: filepath.Join(dir, "state")}
	check(t, os.Mkdir(l.reports, 0o700))
	host, port, _ := strings.Cut(address, ":")
	args := []string{"-ip", host, "-port", port, "-verbose"}
	for _, f := range hookFiles {
		args = append(args, "-hooks", filepath.Join("hooks", f))
	}
	if os.Getenv("E2E_PAWL") == "" {
		args = append(args, "-admin", "off", "-data-dir", l.state, "-journal-reserve", "1MiB")
	}
	cmd := exec.Command(place.pawl, args...)
	cmd.Dir = place.root
	cmd.Env = append(baseEnv(dir), "SCAN_WORK_DIR="+l.work, "REPORT_DIR="+l.reports)
	cmd.Env = append(cmd.Env, env...)
	l.service = start(t, cmd)
	l.wait(t, "serving hooks on", 1)
	return l
}

// post sends a delivery and returns the answer's status and text.
func (l *listener) post(t *testing.T, hook, contentType string, body []byte) (int, string) {
	t.Helper()
	answer, err := http.Post(l.url+hook, contentType, bytes.NewReader(body))
	check(t, err)
	defer answer.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(answer.Body)
	check(t, err)
	return answer.StatusCode, text.String()
}

// scanned waits for the end of the nth scan and fails unless it was clean.
func (l *listener) scanned(t *testing.T, n int) {
	t.Helper()
	l.wait(t, `all done in .* \(exit \d+\)`, n)
	if clean := strings.Count(l.text(), "clean (exit 0)"); clean != n {
		t.Fatalf("%d of %d scans were clean", clean, n)
	}
	nothingLeft(t, l.work)
}

// theReport returns the only report that names the package.
func (l *listener) theReport(t *testing.T, npm, version string) {
	t.Helper()
	n := 0
	for _, s := range sboms(t, l.reports) {
		if s.names(npm, version) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d reports name %s %s, want 1", n, npm, version)
	}
}

// The whole way: a push makes the registry call Pawl, which runs the script,
// which pulls, saves and scans; and its own pulls scan nothing.
func TestARegistryCallsPawlAfterAPush(t *testing.T) {
	address := freeAddress(t)
	r := startRegistry(t, notifying("http://"+address+"/hooks/distribution"))
	l := startPawl(t, address, []string{"PLAIN_HTTP_REGISTRIES=" + r.host}, "distribution.json")

	t.Run("skopeo copy", func(t *testing.T) {
		dir := layout(t, "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
		must(t, "skopeo", "copy", "--dest-tls-verify=false", "oci:"+dir+":v1", "docker://"+r.host+"/acme/web-shop:v1")
		l.scanned(t, 1)
		l.theReport(t, "left-pad", "1.3.0")
	})
	t.Run("docker push", func(t *testing.T) {
		d := startDocker(t)
		archive := filepath.Join(t.TempDir(), "image.tar")
		name := r.host + "/acme/api:v2"
		must(t, "skopeo", "copy", "oci:"+layout(t, "v2", imageWith(t, "is-odd", "3.0.1", "amd64"))+":v2", "docker-archive:"+archive+":"+name)
		d.run(t, "load", "-i", archive)
		d.run(t, "push", name)
		l.scanned(t, 2)
		l.theReport(t, "is-odd", "3.0.1")
	})
	t.Run("an index, copied with its parts", func(t *testing.T) {
		dir := layout(t, "v3", index(t, []platform{{"linux", "amd64"}, {"linux", "arm64"}},
			imageWith(t, "is-even", "1.0.0", "amd64"), imageWith(t, "is-even", "2.0.0", "arm64")))
		must(t, "skopeo", "copy", "--all", "--dest-tls-verify=false", "oci:"+dir+":v3", "docker://"+r.host+"/acme/both:v3")
		l.wait(t, "an index of 2 parts, 2 to scan", 1)
		l.wait(t, "pushed without a tag", 2) // its parts, told and left to the index
		l.scanned(t, 5)
		l.theReport(t, "is-even", "1.0.0")
		l.theReport(t, "is-even", "2.0.0")
	})
	if n := strings.Count(l.text(), "pull and save"); n != 4 {
		t.Errorf("%d images were pulled, want 4: the scan's own pulls must not scan", n)
	}
}

// A delivery as Quay sends it, about an image in a registry of the test's own.
func TestAQuayDeliveryIsScanned(t *testing.T) {
	r := startRegistry(t, "")
	address := freeAddress(t)
	l := startPawl(t, address, []string{"PLAIN_HTTP_REGISTRIES=" + r.host}, "quay.json", "dockerhub.json")
	image := imageWith(t, "left-pad", "1.3.0", "amd64")
	r.push(t, "acme/web-shop", "v1.4.2", image)
	r.push(t, "acme/web-shop", "latest", image)
	delivery := func(name string) map[string]any {
		b, err := os.ReadFile(filepath.Join(place.root, "internal/e2e/testdata", name))
		check(t, err)
		var m map[string]any
		check(t, json.Unmarshal(b, &m))
		return m
	}
	push := delivery("quay-repo-push.json")
	push["docker_url"] = r.host + "/acme/web-shop"
	body := mustJSON(t, push)

	if code, text := l.post(t, "quay", "application/json", body); code != http.StatusOK || text != "scan accepted\n" {
		t.Fatalf("answered %d %q", code, text)
	}
	l.scanned(t, 2) // a run for each tag
	l.theReport(t, "left-pad", "1.3.0")

	// What is no push runs nothing.
	code, text := l.post(t, "quay", "application/json", mustJSON(t, delivery("quay-build-queued.json")))
	if code != http.StatusOK || strings.Contains(text, "scan accepted") {
		t.Errorf("a build was answered %d %q", code, text)
	}
	// An unknown host is not contacted, and the next delivery goes on as ever.
	push["docker_url"] = "quay.example.com/acme/web-shop"
	l.post(t, "quay", "application/json", mustJSON(t, push))
	l.wait(t, `not permitted \(exit 77\)`, 2)
	// A tag whose text is a command.
	push["docker_url"], push["updated_tags"] = r.host+"/acme/web-shop", []string{"$(touch x)", "latest"}
	l.post(t, "quay", "application/json", mustJSON(t, push))
	l.wait(t, `clean \(exit 0\)`, 3) // the good tag beside it
	for _, r := range l.runsOf(t, "quay") {
		if key, _ := r["key"].(string); strings.Contains(key, "touch") {
			t.Errorf("the tag that is none made a run: %v", r)
		}
	}
	if _, err := os.Stat(filepath.Join(place.root, "x")); err == nil {
		t.Error("the tag's text was run")
	}
	nothingLeft(t, l.work)
}

// Docker Hub cannot be had here; its delivery reaches the script, which may not call it.
func TestADockerHubDeliveryReachesTheScript(t *testing.T) {
	l := startPawl(t, freeAddress(t), []string{"ALLOWED_REGISTRIES=quay.io"}, "dockerhub.json")
	body, err := os.ReadFile(filepath.Join(place.root, "internal/e2e/testdata/dockerhub-push.json"))
	check(t, err)
	if code, text := l.post(t, "dockerhub", "application/json", body); code != http.StatusOK || text != "scan accepted\n" {
		t.Errorf("answered %d %q", code, text)
	}
	l.wait(t, "docker.io: not contacted, for it is not among ALLOWED_REGISTRIES", 1)
	l.wait(t, `not permitted \(exit 77\)`, 1)
}
