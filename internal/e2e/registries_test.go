//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// registryCase is one registry's way of telling of a push.
type registryCase struct {
	name       string // also of the package within the image
	hook       string
	sample     string // recorded
	repository string // with tags, what the sample tells of
	tags       []string
	others     []string // recorded deliveries that are authentic and scan nothing

	// ready makes the recorded delivery one about the image of that digest, and
	// signs it where the sender does.
	ready func(t *testing.T, s *sample, digest string)
	// spoil makes it a stranger's; nil: another header of the same name.
	spoil  func(t *testing.T, s *sample)
	header string // that lets it in, for spoil's default
}

func bearer(t *testing.T, s *sample, digest string) {
	s.of(digest)
	if s.header.Get("Authorization") == "" {
		s.header.Set("Authorization", "Bearer "+s.Auth.Value)
	}
}

func hubSignature(t *testing.T, s *sample, digest string) {
	s.of(digest)
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write([]byte(s.Body))
	s.header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	s.header.Del("X-Hub-Signature")
}

func asRecorded(*testing.T, *sample, string)               {}
func justTheDigest(_ *testing.T, s *sample, digest string) { s.of(digest) }
func otherPath(_ *testing.T, s *sample)                    { s.PathQuery += "x" }

// registryCases is every registry that has a bundled hook or an example.
func registryCases(aws *amazon, google *google) []registryCase {
	return []registryCase{
		{name: "quay", hook: "quay", sample: "quay-03-repo-push-path", repository: "acme/api", tags: []string{"2024-06-11"},
			ready: asRecorded, spoil: otherPath},
		{name: "dockerhub", hook: "dockerhub", sample: "dockerhub-02-push-path", repository: "acme/web-shop", tags: []string{"v2.0.0"},
			ready: asRecorded, spoil: otherPath},
		{name: "distribution", hook: "distribution", sample: "distribution-01-push", repository: "acme/distribution", tags: []string{"v1.4.2"},
			others: []string{"distribution-03-mixed-pull-and-mount"},
			ready: func(t *testing.T, s *sample, digest string) {
				s.Body = strings.ReplaceAll(s.Body, "acme/web-shop", "acme/distribution")
				bearer(t, s, digest)
			}, header: "Authorization"},
		{name: "harbor", hook: "harbor", sample: "harbor-01-push-artifact", repository: "acme/web-shop", tags: []string{"v1.4.2"},
			others: []string{"harbor-02-delete-artifact", "harbor-05-harbor-scan-completed"},
			ready:  justTheDigest, header: "Authorization"},
		{name: "harbor-cloudevents", hook: "harbor", sample: "harbor-04-harbor-artifact-pushed", repository: "acme/web-shop", tags: []string{"v1.4.2"},
			ready: justTheDigest, header: "Authorization"},
		{name: "nexus", hook: "nexus-repository", sample: "nexus-repository-01-rm-repository-component", repository: "nexus/acme/web-shop", tags: []string{"v1.4.2"},
			others: []string{"nexus-repository-02-rm-repository-asset", "nexus-repository-03-component-updated-maven"},
			ready:  asRecorded, header: "X-Nexus-Webhook-Signature"},
		{name: "acr", hook: "acr", sample: "acr-01-push", repository: "web-shop", tags: []string{"v1.4.2"},
			others: []string{"acr-02-delete", "acr-04-ping"},
			ready:  bearer, header: "Authorization"},
		{name: "ghcr", hook: "ghcr", sample: "ghcr-01-registry-package", repository: "acme/web-shop", tags: []string{"v1.4.2"},
			others: []string{"ghcr-04-ping"},
			ready:  hubSignature, header: "X-Hub-Signature-256"},
		{name: "ghcr-package", hook: "ghcr", sample: "ghcr-02-package", repository: "acme/web-shop", tags: []string{"v1.4.2"},
			ready: hubSignature, header: "X-Hub-Signature-256"},
		{name: "ecr-v1", hook: "ecr", sample: "ecr-01-ecr-image-action", repository: "acme/web-shop", tags: []string{"v1.4.2"},
			ready: aws.sign, spoil: aws.spoil},
		{name: "ecr-v2", hook: "ecr", sample: "ecr-02-push-v2-with-subject", repository: "acme/api", tags: []string{"latest"},
			others: []string{"ecr-03-delete-v2"},
			ready:  aws.sign, spoil: aws.spoil},
		{name: "gar", hook: "gar", sample: "gar-01-insert", repository: "acme-prod/images/web-shop", tags: []string{"v1.4.2"},
			others: []string{"gar-02-delete"},
			ready:  google.sign, header: "Authorization"},
	}
}

// Each registry's recorded delivery comes to its hook: a stranger's runs nothing,
// the right one ends in a report that names what is in the image.
func TestEveryRegistrysDeliveryIsScanned(t *testing.T) {
	aws, google := newAmazon(t), newGoogle(t)
	cases := registryCases(aws, google)
	r := startRegistry(t, "")
	env := []string{
		"PLAIN_HTTP_REGISTRIES=" + r.host, "NEXUS_REGISTRY=" + r.host + "/nexus",
		"PAWL_QUAY_SECRET=" + readSample(t, "quay-03-repo-push-path").Auth.Value,
		"PAWL_DOCKERHUB_SECRET=" + readSample(t, "dockerhub-02-push-path").Auth.Value,
		"PAWL_DISTRIBUTION_SECRET=" + readSample(t, "distribution-01-push").Auth.Token,
		"PAWL_HARBOR_SECRET=" + readSample(t, "harbor-01-push-artifact").Auth.Value,
		"PAWL_NEXUS_SECRET=" + readSample(t, "nexus-repository-01-rm-repository-component").Secret,
		"PAWL_ACR_SECRET=" + readSample(t, "acr-01-push").Auth.Value,
		"PAWL_GHCR_SECRET=" + readSample(t, "ghcr-01-registry-package").Secret,
	}
	for _, name := range []string{"QUAY", "DOCKERHUB", "DISTRIBUTION", "HARBOR", "ACR", "GHCR", "ECR", "GAR"} {
		env = append(env, name+"_REGISTRY="+r.host)
	}
	l := startPawl(t, freeAddress(t), env, "quay.json", "dockerhub.json", "distribution.json", "harbor.yaml", "acr.yaml",
		"ghcr.yaml", "nexus-repository.yaml", aws.hookFile(t), google.hookFile(t))

	want := 0
	for _, c := range cases {
		var digest string
		for _, tag := range c.tags {
			digest = r.push(t, c.repository, tag, imageWith(t, "from-"+c.name, "1.2.3", "amd64"))
		}
		t.Run(c.name, func(t *testing.T) {
			stranger := readSample(t, c.sample)
			c.ready(t, stranger, digest)
			if c.spoil != nil {
				c.spoil(t, stranger)
			} else {
				stranger.header.Set(c.header, spoiled(t, stranger.header.Get(c.header)))
			}
			code, _ := l.sendSample(t, c.hook, stranger)
			if refused := map[bool]int{true: http.StatusNotFound, false: http.StatusUnauthorized}[stranger.PathQuery != ""]; code != refused {
				t.Errorf("a stranger was answered %d, want %d", code, refused)
			}
			for _, name := range c.others {
				other := readSample(t, name)
				c.ready(t, other, digest)
				if code, text := l.sendSample(t, c.hook, other); code != http.StatusOK {
					t.Errorf("%s was answered %d %q", name, code, text)
				}
			}
			right := readSample(t, c.sample)
			c.ready(t, right, digest)
			if code, text := l.sendSample(t, c.hook, right); code != http.StatusOK {
				t.Fatalf("answered %d %q", code, text)
			}
			want += len(c.tags)
			// One after the other: tags of one name move on with the next case.
			l.scanned(t, want)
			l.theReport(t, "from-"+c.name, "1.2.3")
		})
	}
	if got := len(l.runsOf(t, "")); got != want {
		t.Errorf("%d runs, want %d: strangers and other events run nothing", got, want)
	}
	if saved := strings.Count(l.text(), "  saved: "); saved != want {
		t.Errorf("%d images were saved as TARs, want %d", saved, want)
	}
}

// spoiled is a credential with one character changed.
func spoiled(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		t.Fatal("there is no credential to change")
	}
	i := len(text) - 5 // not the last: bits of it may not count
	if text[i] == 'a' {
		return text[:i] + "b" + text[i+1:]
	}
	return text[:i] + "a" + text[i+1:]
}

// exampleWith writes examples/registries/NAME.yaml with a change, and gives its
// name from hooks/.
func exampleWith(t *testing.T, name, old, new string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(place.root, "examples/registries", name+".yaml"))
	check(t, err)
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatalf("the example %s has not %q", name, old)
	}
	file := filepath.Join(t.TempDir(), name+".yaml")
	check(t, os.WriteFile(file, []byte(changed), 0o600))
	relative, err := filepath.Rel(filepath.Join(place.root, "hooks"), file)
	check(t, err)
	return relative
}
