//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// standIn is a server for what a real registry cannot be made to do; it returns its host.
func standIn(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestTemporaryFailuresAreTold(t *testing.T) {
	for _, status := range []int{500, 502, 503, 504} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			host := standIn(t, func(w http.ResponseWriter, q *http.Request) {
				if q.URL.Path == "/v2/" {
					return
				}
				w.WriteHeader(status)
			})
			temporary(t, host)
		})
	}
	t.Run("too many requests in the registry's words", func(t *testing.T) {
		temporary(t, standIn(t, func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path == "/v2/" {
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit"}]}`)
		}))
	})
	// .invalid is never in DNS (RFC 6761).
	t.Run("a name that DNS does not know", func(t *testing.T) { temporary(t, "registry.invalid", "ALLOWED_REGISTRIES=registry.invalid") })
	t.Run("connection refused", func(t *testing.T) { temporary(t, freeAddress(t)) })
	t.Run("no answer in time", func(t *testing.T) {
		end := make(chan struct{})
		host := standIn(t, func(w http.ResponseWriter, q *http.Request) {
			select {
			case <-end:
			case <-q.Context().Done():
			}
		})
		t.Cleanup(func() { close(end) })
		temporary(t, host, "LOOKUP_TIMEOUT=1s")
	})
	t.Run("a layer that never comes", func(t *testing.T) {
		image, end := imageWith(t, "left-pad", "1.3.0", "amd64"), make(chan struct{})
		host := standIn(t, func(w http.ResponseWriter, q *http.Request) {
			switch {
			case strings.Contains(q.URL.Path, "/blobs/"):
				select {
				case <-end:
				case <-q.Context().Done():
				}
			case strings.Contains(q.URL.Path, "/manifests/"):
				w.Header().Set("Content-Type", typeManifest)
				_, _ = w.Write(image.body)
			}
		})
		t.Cleanup(func() { close(end) })
		temporary(t, host, "PULL_TIMEOUT=1s")
	})
	t.Run("hangs up", func(t *testing.T) {
		temporary(t, standIn(t, func(w http.ResponseWriter, q *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		}))
	})
}

func temporary(t *testing.T, host string, env ...string) {
	t.Helper()
	t.Parallel() // skopeo waits before it gives up
	scan{script: "quay-scan.sh", args: []string{host + "/acme/shop", "v1"}, env: append([]string{"PLAIN_HTTP_REGISTRIES=" + host}, env...)}.
		run(t).expect(t, 75, "may go better later")
}

// The worst tag decides: temporary before a failed policy before what is broken.
func TestTemporaryBeatsBroken(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "good", imageWith(t, "left-pad", "1.3.0", "amd64"))
	proxy := standIn(t, func(w http.ResponseWriter, q *http.Request) {
		if strings.HasSuffix(q.URL.Path, "/busy") {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		http.Redirect(w, q, r.base+q.URL.Path, http.StatusTemporaryRedirect)
	})
	got := scan{script: "quay-scan.sh", args: []string{proxy + "/acme/shop", `["-x","busy","gone","good"]`},
		env: []string{"PLAIN_HTTP_REGISTRIES=" + proxy}}.run(t)
	got.expect(t, 75, "clean: ", "does not exist", "may go better later")
}

// bcrypt of "correct-horse", cost 5.
const passwordFile = "ci:$2b$05$abcdefghijklmnopqrstuuZ0Fx87Pb/Aqb0E90lfvCwzXnaFKUHpS\n"

// startPrivateRegistry starts a registry that asks for a password; the second
// value is an auth file that has it.
func startPrivateRegistry(t *testing.T) (*registry, string) {
	t.Helper()
	dir := t.TempDir()
	passwords, auth := filepath.Join(dir, "htpasswd"), filepath.Join(dir, "auth.json")
	check(t, os.WriteFile(passwords, []byte(passwordFile), 0o600))
	r := startRegistry(t, "auth: {htpasswd: {realm: e2e, path: "+passwords+"}}\n")
	r.user, r.pass = "ci", "correct-horse"
	check(t, os.WriteFile(auth, []byte(`{"auths":{"`+r.host+`":{"auth":"Y2k6Y29ycmVjdC1ob3JzZQ=="}}}`), 0o600))
	return r, auth
}

func TestPrivateRegistry(t *testing.T) {
	r, auth := startPrivateRegistry(t)
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		check(t, os.WriteFile(file, []byte(text), mode))
		return file
	}

	t.Run("without credentials", func(t *testing.T) {
		quay(r, "acme/shop", "v1").run(t).expect(t, 77, "the registry refuses")
	})
	t.Run("REGISTRY_AUTH_FILE", func(t *testing.T) {
		got := quay(r, "acme/shop", "v1", "REGISTRY_AUTH_FILE="+auth).run(t)
		got.expect(t, 0, "clean: ")
		if strings.Contains(got.output, "correct-horse") || strings.Contains(got.output, "Y2k6") {
			t.Error("the output shows the credentials")
		}
	})
	t.Run("credential helper", func(t *testing.T) {
		write("docker-credential-e2e", "#!/bin/sh\necho '{\"Username\":\"ci\",\"Secret\":\"correct-horse\"}'\n", 0o755)
		auth := write("helper.json", `{"credHelpers":{"`+r.host+`":"e2e"}}`, 0o600)
		quay(r, "acme/shop", "v1", "REGISTRY_AUTH_FILE="+auth, "PATH="+dir+":"+os.Getenv("PATH")).run(t).expect(t, 0, "clean: ")
	})
	t.Run("wrong password", func(t *testing.T) {
		auth := write("wrong.json", `{"auths":{"`+r.host+`":{"auth":"Y2k6d3Jvbmc="}}}`, 0o600)
		quay(r, "acme/shop", "v1", "REGISTRY_AUTH_FILE="+auth).run(t).expect(t, 77)
	})
}

func TestPrivateCertificateAuthority(t *testing.T) {
	dir := t.TempDir()
	must(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=e2e",
		"-addext", "subjectAltName=IP:127.0.0.1", "-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "ca.crt"))
	r := &registry{host: freeAddress(t), http: trusting()}
	r.base = "https://" + r.host
	r.serve(t, "  tls: {certificate: "+filepath.Join(dir, "ca.crt")+", key: "+filepath.Join(dir, "key.pem")+"}\n", "")
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	certs := t.TempDir() // the certificate alone: a key beside it would be taken for a client's
	b, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(certs, "ca.crt"), b, 0o644))

	private := func(env ...string) result {
		return scan{script: "quay-scan.sh", args: []string{r.host + "/acme/shop", "v1"}, env: append(env, "ALLOWED_REGISTRIES="+r.host)}.run(t)
	}
	t.Run("not trusted", func(t *testing.T) { private().expect(t, 78, "certificate is not trusted") })
	t.Run("CERT_DIR", func(t *testing.T) { private("CERT_DIR="+certs).expect(t, 0, "clean: ") })
}

func TestProxy(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	// The name is known to the proxy alone, so whatever arrives came through it.
	proxy := standIn(t, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Host != "registry.invalid:5000" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		q.URL.Host, q.Host, q.RequestURI = r.host, r.host, ""
		answer, err := http.DefaultTransport.RoundTrip(q)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		for name, values := range answer.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	})
	scan{script: "quay-scan.sh", args: []string{"registry.invalid:5000/acme/shop", "v1"},
		env: []string{"PLAIN_HTTP_REGISTRIES=registry.invalid:5000", "HTTP_PROXY=http://" + proxy, "http_proxy=http://" + proxy}}.
		run(t).expect(t, 0, "clean: ")
}
