//go:build e2e

package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// A registry calls the container after a push, and the scan runs inside: as
// the image's own user, as OpenShift's, with a file system that cannot be written.
func testImageScans(t *testing.T, d *docker) {
	for _, c := range []struct {
		name, image, user string
		options           []string
	}{
		{"slim and its own user", imageSlim, "10001:0", nil},
		{"slim and any user of group 0", imageSlim, "1234567:0", []string{"--user", "1234567:0"}},
		{"slim read-only without capabilities", imageSlim, "10001:0",
			[]string{"--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"}},
		{"full and any user of group 0", imageFull, "1234567:0", []string{"--user", "1234567:0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			address := freeAddress(t)
			r := startRegistry(t, notifying("http://"+address+"/hooks/distribution"))
			options := append([]string{"--env", "PLAIN_HTTP_REGISTRIES=" + r.host, "--env", "REPORT_DIR=/var/lib/pawl/reports"}, c.options...)
			it := d.startContainerAt(t, address, c.image, options, []string{"-verbose"})
			if got := it.sh(t, "echo $(id -u):$(id -g)"); got != c.user {
				t.Errorf("runs as %s, want %s", got, c.user)
			}
			it.sh(t, "touch ~/writable")
			r.push(t, "acme/web-shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
			it.wait(t, `all done in .* \(exit \d+\)`, 1)
			if text := it.text(); !strings.Contains(text, "clean (exit 0)") || strings.Contains(text, "not durable") {
				t.Fatalf("the scan, or the data directory, went wrong:\n%s", text)
			}
			it.reports(t, "left-pad", "1.3.0")
			if left := it.sh(t, "ls /tmp/pawl-scan-*"); left != "" {
				t.Errorf("left in the working directory: %s", left)
			}
		})
	}
}

// reports fails unless one report in the container names the package.
func (c *container) reports(t *testing.T, npm, version string) {
	t.Helper()
	dir := t.TempDir()
	c.d.run(t, "cp", c.name+":/var/lib/pawl/reports/.", dir)
	found := sboms(t, dir)
	for _, report := range found {
		if report.names(npm, version) {
			return
		}
	}
	t.Errorf("no report of %d names %s %s", len(found), npm, version)
}

// compose is the part of examples/compose.yaml that is read here.
type compose struct {
	Services map[string]struct {
		Image       string
		Build       struct{ Context, Target string }
		Command     []string
		Environment map[string]string
		Volumes     []string
	}
	Volumes map[string]any
}

// The example of two containers is played without their network, which needs
// rights over the machine's: the same files and settings, on loopback.
func testImageCompose(t *testing.T, d *docker) {
	examples := filepath.Join(place.root, "examples")
	text, err := os.ReadFile(filepath.Join(examples, "compose.yaml"))
	check(t, err)
	var c compose
	check(t, yaml.Unmarshal(text, &c))
	pawl := c.Services["pawl"]
	if pawl.Build.Target != "slim" || filepath.Clean(filepath.Join(examples, pawl.Build.Context)) != place.root {
		t.Errorf("pawl is built from %+v", pawl.Build)
	}

	address, host := freeAddress(t), freeAddress(t)
	loopback := strings.NewReplacer("pawl:9000", address, "registry:5000", host,
		"addr: :5000", "addr: "+host, "/var/lib/registry", t.TempDir())
	rewrite := func(from string) string {
		b, err := os.ReadFile(from)
		check(t, err)
		return loopback.Replace(string(b))
	}
	var options []string
	for name, value := range pawl.Environment {
		options = append(options, "--env", name+"="+loopback.Replace(value))
	}
	for _, volume := range pawl.Volumes {
		from, to, _ := strings.Cut(volume, ":")
		if !strings.HasPrefix(from, ".") {
			if _, known := c.Volumes[from]; !known {
				t.Errorf("volume %s is not declared", from)
			}
			continue
		}
		options = append(options, "--volume", filepath.Join(examples, from)+":"+to)
	}
	config, _, _ := strings.Cut(c.Services["registry"].Volumes[0], ":")
	file := filepath.Join(mountable(t, map[string]string{"config.yml": rewrite(filepath.Join(examples, config))}), "config.yml")

	r := &registry{host: host, base: "http://" + host, http: http.DefaultClient}
	r.service = start(t, exec.Command("docker-registry", "serve", file))
	r.wait(t, "listening on", 1)
	it := d.startContainerAt(t, address, imageSlim, options, pawl.Command)
	r.push(t, "acme/web-shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	it.wait(t, `clean \(exit 0\)`, 1)
	it.reports(t, "left-pad", "1.3.0")
}
