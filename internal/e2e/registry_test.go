//go:build e2e

package e2e

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// registry is a real docker-registry on a loopback address.
type registry struct {
	host string // 127.0.0.1:PORT
	base string // http://127.0.0.1:PORT
	http *http.Client
	user string // and password, where it asks for them
	pass string
	*service
}

// startRegistry starts one; more is appended to its configuration, at the top level.
func startRegistry(t *testing.T, more string) *registry {
	t.Helper()
	r := &registry{host: freeAddress(t), http: http.DefaultClient}
	r.base = "http://" + r.host
	r.serve(t, "", more)
	return r
}

// serve runs docker-registry; httpMore is appended to its http section.
func (r *registry) serve(t *testing.T, httpMore, more string) {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf(`version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: %s}
  delete: {enabled: true}
validation: {manifests: {urls: {allow: ["^http://"]}}}
http:
  addr: %s
%s%s`, filepath.Join(dir, "data"), r.host, httpMore, more)
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r.service = start(t, exec.Command("docker-registry", "serve", file))
	r.wait(t, "listening on", 1)
}

// notifying is the configuration by which a registry calls a listener. Its own
// pulls are told too: that they scan nothing is the hook's business.
func notifying(url string) string {
	return fmt.Sprintf(`notifications:
  endpoints:
    - name: pawl
      url: %s
      timeout: 5s
      threshold: 10
      backoff: 1s
`, url)
}

// push puts an image (or whatever it is) into the registry, as a client does.
func (r *registry) push(t *testing.T, repository, tag string, m manifest) string {
	t.Helper()
	for _, blob := range m.blobs {
		r.pushBlob(t, repository, blob)
	}
	for _, part := range m.parts {
		r.push(t, repository, digest(part.body), part)
	}
	r.do(t, http.MethodPut, r.base+"/v2/"+repository+"/manifests/"+tag, m.mediaType, m.body, http.StatusCreated)
	return digest(m.body)
}

func (r *registry) pushBlob(t *testing.T, repository string, blob []byte) {
	t.Helper()
	answer := r.do(t, http.MethodPost, r.base+"/v2/"+repository+"/blobs/uploads/", "", nil, http.StatusAccepted)
	location := answer.Header.Get("Location")
	r.do(t, http.MethodPut, location+"&digest="+digest(blob), "application/octet-stream", blob, http.StatusCreated)
}

func (r *registry) do(t *testing.T, method, url, contentType string, body []byte, want int) *http.Response {
	t.Helper()
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	if r.user != "" {
		request.SetBasicAuth(r.user, r.pass)
	}
	answer, err := r.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d: %s", method, url, answer.Status, want, text)
	}
	return answer
}

// trusting is a client for a server whose certificate is judged by the script
// under test, not by the test.
func trusting() *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}
