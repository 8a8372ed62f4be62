//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDockerHubScan(t *testing.T) {
	// Docker Hub cannot be had here: what is shown is which repository is meant,
	// and that nothing is asked of it, or of callback_url, without leave.
	got := scan{script: "dockerhub-scan.sh", args: []string{"acme/web-shop", "latest"}, env: []string{"ALLOWED_REGISTRIES=quay.io"}}.run(t)
	got.expect(t, 77, "docker.io: not contacted")
	scan{script: "dockerhub-scan.sh", args: []string{"acme/web-shop;id", "latest"}}.run(t).expect(t, 64, "no repository's name")
	scan{script: "dockerhub-scan.sh", args: []string{"acme/web-shop", "$(touch x)"}}.run(t).expect(t, 64, "no tag's name")
	scan{script: "dockerhub-scan.sh", args: []string{"acme/web-shop", "[\"a"}}.run(t).expect(t, 64, "no tag's name")
}

func TestDistributionNotifications(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/web-shop", "v1.4.2", imageWith(t, "left-pad", "1.3.0", "amd64"))
	d := r.push(t, "acme/api", "latest", imageWith(t, "is-odd", "3.0.1", "amd64"))
	file := func(name string) string { return filepath.Join(place.root, "internal/e2e/testdata", name) }
	written := func(t *testing.T, text string) string {
		name := filepath.Join(t.TempDir(), "notification")
		check(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	event := func(repository, digest, tag string) string {
		return `{"events":[{"action":"push","target":{"mediaType":"` + typeManifest + `","digest":"` + digest + `","repository":"` + repository +
			`","tag":"` + tag + `"},"request":{"host":"` + r.host + `"}}]}`
	}
	run := func(t *testing.T, name string, env ...string) result {
		return scan{script: "distribution-scan.sh", args: []string{name}, env: append(env, "PLAIN_HTTP_REGISTRIES="+r.host)}.run(t)
	}

	t.Run("pulls, mounts and blobs scan nothing", func(t *testing.T) {
		run(t, file("distribution-mixed.json")).expect(t, 0, "acme/web-shop: nothing to scan: pull", "acme/api: nothing to scan: mount")
	})
	t.Run("several events, another name for the registry", func(t *testing.T) {
		// The sample's digests are in no registry.
		got := run(t, file("distribution-three.json"), "DISTRIBUTION_REGISTRY="+r.host)
		got.expect(t, 66, r.host+"/acme/web-shop:v1.4.2", r.host+"/acme/web-shop:latest", r.host+"/acme/api:latest")
	})
	t.Run("the host that the sample names is not contacted", func(t *testing.T) {
		run(t, file("distribution-three.json")).expect(t, 77, "registry.example.com:5000: not contacted")
	})
	t.Run("the digest of the event", func(t *testing.T) {
		r.push(t, "acme/api", "latest", imageWith(t, "is-even", "1.0.0", "amd64")) // the tag has moved on
		got := run(t, written(t, event("acme/api", d, "latest")))
		got.expect(t, 0, "acme/api@"+d)
		for _, report := range sboms(t, got.artifacts) {
			if !report.names("is-odd", "3.0.1") {
				t.Errorf("%+v", report.Components)
			}
		}
	})
	t.Run("without a tag", func(t *testing.T) {
		run(t, written(t, event("acme/api", d, ""))).expect(t, 0, "pushed without a tag")
		run(t, written(t, event("acme/api", d, "")), "SCAN_UNTAGGED=yes").expect(t, 0, "clean: ")
	})
	for name, text := range map[string]string{
		"no JSON": "x", "no envelope": "[]", "events of another kind": `{"events":7}`, "nothing": "",
	} {
		t.Run(name, func(t *testing.T) { run(t, written(t, text)).expect(t, 64, "no envelope of events") })
	}
	t.Run("values that try something", func(t *testing.T) {
		got := run(t, written(t, event("acme/$(touch x)", d, "v1")+"\n"+event("acme/api", "sha256:$(id)", "v1")+"\n"+
			event("acme/api", d, "-rf / v1")+"\n"+event("acme/api x", d, "v1")))
		got.expect(t, 64, "no repository's name", "no valid digest", "no valid tag")
		if strings.Contains(got.output, "clean") || strings.Contains(got.output, "uid=") {
			t.Error(got.output)
		}
	})
}
