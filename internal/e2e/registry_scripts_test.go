//go:build e2e

package e2e

import (
	"strings"
	"testing"
)

// What the registries' scripts make of the values of a notification: which host is
// meant, and that none is called without leave or for what is no name.
func TestRegistryScriptsByTheirValues(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for _, c := range []struct {
		name, script string
		args         []string
		env          string
		code         int
		says         string
	}{
		{"harbor's host", "harbor-scan.sh", []string{"harbor.example.com/acme/web-shop:v1", digest, "v1"}, "", 77, `harbor\.example\.com: not contacted`},
		{"harbor with a port and no tag", "harbor-scan.sh", []string{"harbor.example.com:8443/acme/web-shop@" + digest, digest, ""}, "", 0, "pushed without a tag"},
		{"harbor, all without a tag", "harbor-scan.sh", []string{"harbor.example.com:8443/acme/web-shop@" + digest, digest, ""}, "SCAN_UNTAGGED=yes", 77, `harbor\.example\.com:8443: not contacted`},
		{"harbor, no digest", "harbor-scan.sh", []string{"harbor.example.com/acme/web-shop:v1", "sha256:$(id)", "v1"}, "", 64, "is no digest"},
		{"harbor, no tag", "harbor-scan.sh", []string{"harbor.example.com/acme/web-shop:v1", digest, "-rf"}, "", 64, "is no tag's name"},
		{"harbor, a command", "harbor-scan.sh", []string{"$(touch x)/a:v1", digest, "v1"}, "", 64, "no repository's name"},
		{"acr's host", "acr-scan.sh", []string{"acmereg.azurecr.io", "web-shop", digest, "v1"}, "", 77, `acmereg\.azurecr\.io: not contacted`},
		{"acr, a path that leads up", "acr-scan.sh", []string{"acmereg.azurecr.io", "../x", digest, "v1"}, "", 64, "no repository's name"},
		{"ghcr's host", "ghcr-scan.sh", []string{"ghcr.io/acme/web-shop:v1", digest, "v1"}, "", 77, `ghcr\.io: not contacted`},
		{"ghcr without a tag", "ghcr-scan.sh", []string{"ghcr.io/acme/web-shop:", digest, ""}, "", 0, `ghcr\.io/acme/web-shop@sha256:abab.*pushed without a tag`},
		{"ecr's host", "ecr-scan.sh", []string{"123456789012", "eu-central-1", "acme/api", digest, "v1"}, "", 77, `123456789012\.dkr\.ecr\.eu-central-1\.amazonaws\.com: not contacted`},
		{"ecr in China", "ecr-scan.sh", []string{"123456789012", "cn-north-1", "acme/api", digest, "v1"}, "", 77, `cn-north-1\.amazonaws\.com\.cn: not contacted`},
		{"ecr, another host as the region", "ecr-scan.sh", []string{"123456789012", "x.evil.example/", "acme/api", digest, "v1"}, "", 64, "no region"},
		{"ecr, no account", "ecr-scan.sh", []string{"evil.example/", "eu-central-1", "acme/api", digest, "v1"}, "", 64, "no account's number"},
		{"gar's host", "gar-scan.sh", []string{"europe-west3-docker.pkg.dev/p/images/a@" + digest, "europe-west3-docker.pkg.dev/p/images/a:v1"}, "", 77, `europe-west3-docker\.pkg\.dev: not contacted`},
		{"gar, a tag of another image", "gar-scan.sh", []string{"europe-west3-docker.pkg.dev/p/images/a@" + digest, "europe-west3-docker.pkg.dev/p/images/b:v1"}, "", 64, "no tag of"},
		{"gar, no digest", "gar-scan.sh", []string{"europe-west3-docker.pkg.dev/p/images/a", ""}, "", 64, "no image by its digest"},
		{"nexus without its host", "nexus-scan.sh", []string{"acme/web-shop", "v1"}, "", 78, "NEXUS_REGISTRY is not set"},
		{"nexus's host", "nexus-scan.sh", []string{"acme/web-shop", "v1"}, "NEXUS_REGISTRY=nexus.example.com:5000", 77, `nexus\.example\.com:5000: not contacted`},
		{"docker hub's official images", "dockerhub-scan.sh", []string{"nginx", "latest"}, "ALLOWED_REGISTRIES=quay.io", 77, `docker\.io: not contacted`},
		{"too few values", "acr-scan.sh", []string{"acmereg.azurecr.io"}, "", 64, "usage: acr-scan.sh HOST REPOSITORY DIGEST TAG"},
	} {
		for _, shell := range []string{"dash", "bash"} {
			t.Run(c.name+" in "+shell, func(t *testing.T) {
				s := scan{shell: shell, script: c.script, args: c.args}
				if c.env != "" {
					s.env = []string{c.env}
				}
				s.run(t).expect(t, c.code, c.says)
			})
		}
	}
}
