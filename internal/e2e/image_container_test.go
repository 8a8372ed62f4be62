//go:build e2e

package e2e

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// container is a running container whose log is read as it comes.
type container struct {
	d    *docker
	name string
	url  string // http://127.0.0.1:PORT/hooks/
	*service
}

// startContainer runs an image in the network of this machine, on a port of
// its own. The words of options stand before the image, those of args after it.
func (d *docker) startContainer(t *testing.T, image string, options, args []string) *container {
	t.Helper()
	return d.startContainerAt(t, freeAddress(t), image, options, args)
}

// startContainerAt does so on a port that others know already.
func (d *docker) startContainerAt(t *testing.T, address, image string, options, args []string) *container {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	check(t, err)
	options = append([]string{"--network", "host", "--env", "PAWL_IP=127.0.0.1", "--env", "PAWL_PORT=" + port}, options...)
	c := d.startIsolated(t, image, options, args)
	c.url = "http://" + address + "/hooks/"
	c.wait(t, "serving hooks on", 1)
	return c
}

// startIsolated runs an image with these options alone.
func (d *docker) startIsolated(t *testing.T, image string, options, args []string) *container {
	t.Helper()
	c := &container{d: d, name: "pawl-" + strings.ToLower(rand.Text()[:8])}
	words := append([]string{"run", "--detach", "--name", c.name, "--health-interval", "1s"}, options...)
	d.run(t, append(append(words, image), args...)...)
	t.Cleanup(func() { d.run(t, "rm", "--force", "--volumes", c.name) })
	c.service = start(t, exec.Command("docker", "-H", d.socket, "logs", "--follow", c.name))
	return c
}

// healthy waits until docker finds the container healthy.
func (c *container) healthy(t *testing.T) {
	t.Helper()
	events := start(t, exec.Command("docker", "-H", c.d.socket, "events", "--since", "10m",
		"--filter", "container="+c.name, "--filter", "event=health_status"))
	events.wait(t, "health_status: ", 1)
	if text := events.text(); strings.Contains(text, "unhealthy") {
		t.Fatalf("not healthy: %s\n%s", text, c.inspect(t, "{{json .State.Health.Log}}"))
	}
}

func (c *container) inspect(t *testing.T, format string) string {
	t.Helper()
	return strings.TrimSpace(c.d.run(t, "inspect", "--format", format, c.name))
}

// sh runs a line in the container, as its user.
func (c *container) sh(t *testing.T, line string) string {
	t.Helper()
	return strings.TrimSpace(c.d.run(t, "exec", c.name, "sh", "-c", line))
}

// post sends a delivery and returns the answer.
func (c *container) post(t *testing.T, hook string, body []byte) (int, string) {
	t.Helper()
	answer, err := http.Post(c.url+hook, "application/json", bytes.NewReader(body))
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(t, err)
	return answer.StatusCode, string(text)
}

// mountable is a directory whose files any user of a container may read.
func mountable(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		check(t, os.WriteFile(path, []byte(text), 0o644))
		if strings.HasPrefix(text, "#!") {
			check(t, os.Chmod(path, 0o755))
		}
	}
	check(t, os.Chmod(dir, 0o755))
	return dir
}

// The port that webhook's images have, on all addresses; in a network of its
// own, so that it is free.
func testImageAsItComes(t *testing.T, d *docker) {
	c := d.startIsolated(t, imageSlim, []string{"--network", "none"}, []string{"-verbose"})
	c.healthy(t)
	if got := c.sh(t, "cat /proc/net/tcp /proc/net/tcp6"); !strings.Contains(got, " 00000000:2328 ") &&
		!strings.Contains(got, strings.Repeat("0", 32)+":2328 ") {
		t.Errorf("nothing listens on port 9000 of all addresses:\n%s", got)
	}
	if got := c.sh(t, "id -u; id -g; pwd; echo $HOME; readlink /proc/1/exe"); got != "10001\n0\n/etc/pawl/hooks\n/var/lib/pawl\n/usr/local/bin/pawl" {
		t.Errorf("user, group, directory, home and first process are:\n%s", got)
	}
	for _, hook := range []string{"quay", "dockerhub", "distribution", "harbor", "nexus-repository", "acr", "ghcr"} {
		c.wait(t, `"?`+hook+`"?`, 1)
	}
}

// The bundled hook of Quay with a secret that docker run gives it: behind the URL's
// path, and in no output.
func testImageSecret(t *testing.T, d *docker) {
	r := startRegistry(t, "")
	s := readSample(t, "quay-03-repo-push-path")
	r.push(t, "acme/api", "2024-06-11", imageWith(t, "left-pad", "1.3.0", "amd64"))
	c := d.startContainer(t, imageSlim, []string{"--env", "PAWL_QUAY_SECRET=" + s.Auth.Value, "--env", "QUAY_REGISTRY=" + r.host,
		"--env", "PLAIN_HTTP_REGISTRIES=" + r.host, "--env", "REPORT_DIR=/var/lib/pawl/reports"}, []string{"-verbose"})
	for _, path := range []string{"quay", "quay/", "quay" + s.PathQuery + "x"} {
		if code, _ := c.post(t, path, []byte(s.Body)); code != http.StatusNotFound {
			t.Errorf("%s is answered %d, want 404", path, code)
		}
	}
	if code, text := c.post(t, "quay"+s.PathQuery, []byte(s.Body)); code != http.StatusOK {
		t.Errorf("with the secret it is answered %d %q", code, text)
	}
	c.wait(t, `all done in .* \(exit \d+\)`, 1)
	c.reports(t, "left-pad", "1.3.0")
	if text := c.text(); strings.Contains(text, s.Auth.Value) {
		t.Errorf("the secret is in the log:\n%s", text)
	}
}

func testImageReaps(t *testing.T, d *docker) {
	hooks := mountable(t, map[string]string{
		"hooks.json": `[{"id": "orphans", "execute-command": "./orphans.sh", "include-command-output-in-response": true}]`,
		// Each orphan outlives the script, so that the first process inherits it.
		"orphans.sh": "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10; do\n" +
			"  (while [ ! -e /tmp/end ]; do sleep 0.1; done) >/dev/null 2>&1 &\ndone\necho \"$! is the last\"\n",
	})
	c := d.startContainer(t, imageSlim, []string{"--volume", hooks + ":/etc/webhook:ro"}, []string{"-verbose"})
	if code, text := c.post(t, "orphans", nil); code != http.StatusOK || !strings.Contains(text, "is the last") {
		t.Fatalf("answered %d %q", code, text)
	}
	// A line each: state, parent, name. The shell that lists them is left out.
	list := func() string {
		return c.sh(t, `for p in /proc/[0-9]*; do [ "${p#/proc/}" = $$ ] || sed 's/.*(\(.*\)) \(.\) \([0-9]*\) .*/\2 \3 \1/' $p/stat; done 2>/dev/null`)
	}
	if got := strings.Count(list(), " 1 orphans.sh"); got != 10 {
		t.Fatalf("%d orphans are the first process's, want 10:\n%s", got, list())
	}
	c.sh(t, "touch /tmp/end")
	deadline := time.Now().Add(patience)
	for {
		got := list()
		left := 0
		for line := range strings.Lines(got) {
			if !strings.Contains(line, " 0 ") { // the first process, and what docker exec starts
				left++
			}
		}
		if left == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("left in the container (Z is a zombie):\n%s", got)
		}
	}
}

func testImageStops(t *testing.T, d *docker) {
	c := d.startContainer(t, imageSlim, nil, []string{"-verbose"})
	began := time.Now()
	d.run(t, "stop", "--time", "60", c.name)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("docker stop took %v", took)
	}
	if code := c.inspect(t, "{{.State.ExitCode}}"); code != "0" {
		t.Errorf("ended with status %s", code)
	}
}

// Some scripts cannot do without, and an unknown user must be able to call them.
func testImageFull(t *testing.T, d *docker) {
	for name, line := range map[string]string{
		"pawl": "pawl -version", "skopeo": "skopeo --version", "jq": "jq --version", "syft": "syft version",
		"bash": "bash --version", "git": "git --version && git config --global user.name pawl", "curl": "curl --version",
		"docker": "docker --version", "java": "java -version", "tzdata": "TZ=Europe/Berlin date +%Z | grep CE",
		"certificates": "curl --cacert /etc/ssl/certs/ca-certificates.crt --version && test -s /etc/ssl/certs/ca-certificates.crt",
	} {
		t.Run(name, func(t *testing.T) {
			d.run(t, "run", "--rm", "--network", "none", "--user", "1234567:0", "--entrypoint", "sh", imageFull, "-c", line)
		})
	}
	// ssh asks for an entry in /etc/passwd, which an arbitrary user has where the
	// platform writes it, as OpenShift's does.
	d.run(t, "run", "--rm", "--network", "none", "--entrypoint", "ssh", imageFull, "-V")
	c := d.startContainer(t, imageFull, nil, []string{"-verbose"})
	c.healthy(t)
}
