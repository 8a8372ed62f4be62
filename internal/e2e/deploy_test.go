//go:build e2e

package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// signNexus signs a body as Nexus Repository does.
func signNexus(s *sample) {
	mac := hmac.New(sha1.New, []byte(s.Secret))
	mac.Write([]byte(s.Body))
	s.header.Set("X-Nexus-Webhook-Signature", hex.EncodeToString(mac.Sum(nil)))
}

// project is a real repository, a developer's clone of it, and the checkout that is
// deployed.
type project struct {
	clone, checkout string
}

func (p *project) git(t *testing.T, args ...string) string {
	t.Helper()
	return strings.TrimSpace(must(t, "git", append([]string{"-C", p.clone, "-c", "user.name=dev", "-c", "user.email=dev@example.com"}, args...)...))
}

func newProject(t *testing.T) *project {
	t.Helper()
	dir := t.TempDir()
	p := &project{clone: filepath.Join(dir, "clone"), checkout: filepath.Join(dir, "checkout")}
	origin := filepath.Join(dir, "origin.git")
	must(t, "git", "init", "-q", "--bare", "-b", "main", origin)
	must(t, "git", "clone", "-q", origin, p.clone)
	p.push(t, "main", "1")
	must(t, "git", "clone", "-q", origin, p.checkout)
	// What a hook of the checkout would do must not be done.
	for _, name := range []string{"post-checkout", "post-merge", "reference-transaction"} {
		check(t, os.WriteFile(filepath.Join(p.checkout, ".git/hooks", name), []byte("#!/bin/sh\ntouch \""+dir+"/hook-ran\"\n"), 0o700))
	}
	t.Cleanup(func() {
		if _, err := os.Stat(dir + "/hook-ran"); err == nil {
			t.Error("a hook of the checkout was run")
		}
	})
	return p
}

// push commits a version to a branch and pushes it.
func (p *project) push(t *testing.T, branch, version string) (commit string) {
	t.Helper()
	p.git(t, "checkout", "-q", "-B", branch)
	check(t, os.WriteFile(filepath.Join(p.clone, "version"), []byte(version), 0o600))
	p.git(t, "add", "version")
	p.git(t, "commit", "-q", "-m", "version "+version)
	p.git(t, "push", "-q", "--force", "origin", "HEAD:refs/heads/"+branch)
	return p.git(t, "rev-parse", "HEAD")
}

func (p *project) deployed(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.checkout, "version"))
	check(t, err)
	return string(text)
}

var afterField = regexp.MustCompile(`"after":"[0-9a-f]{40}"`)

// Pushes to a real repository, told as three senders tell them, are deployed; one
// whose health check fails is taken back.
func TestGitDeploy(t *testing.T) {
	sign := func(header, prefix string) func(*sample) {
		return func(s *sample) {
			mac := hmac.New(sha256.New, []byte("deploy-secret"))
			mac.Write([]byte(s.Body))
			s.header.Set(header, prefix+hex.EncodeToString(mac.Sum(nil)))
		}
	}
	for _, c := range []struct {
		sender, sample string
		sign           func(*sample)
	}{
		{"github", "github-01-push", sign("X-Hub-Signature-256", "sha256=")},
		{"gitlab", "gitlab-01-push-hook", func(s *sample) { s.header.Set("X-Gitlab-Token", "deploy-secret") }},
		{"gitea", "gitea-01-push", sign("X-Gitea-Signature", "")},
	} {
		t.Run(c.sender, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			tools := t.TempDir()
			write := func(name, text string) string {
				file := filepath.Join(tools, name)
				check(t, os.WriteFile(file, []byte("#!/bin/sh\n"+text+"\n"), 0o700))
				return file
			}
			l := startPawl(t, freeAddress(t), []string{
				"PAWL_GIT_DEPLOY_GITHUB_SECRET=deploy-secret", "PAWL_GIT_DEPLOY_GITLAB_SECRET=deploy-secret", "PAWL_GIT_DEPLOY_GITEA_SECRET=deploy-secret", "DEPLOY_DIR=" + p.checkout, "DEPLOY_CHECK_SECONDS=1",
				"DEPLOY_COMMAND=" + write("command", `echo "command for version $(cat version)"`),
				"DEPLOY_CHECK=" + write("check", `grep -v broken version`),
			}, "git-deploy.yaml")
			n := 0
			tell := func(commit, branch string) {
				t.Helper()
				s := readSample(t, c.sample)
				s.Body = afterField.ReplaceAllString(strings.Replace(s.Body, "refs/heads/main", "refs/heads/"+branch, 1), `"after":"`+commit+`"`)
				n++
				for _, header := range []string{"X-Github-Delivery", "X-Gitea-Delivery", "Idempotency-Key", "X-Gitlab-Event-Uuid", "X-Gitlab-Webhook-Uuid"} {
					if s.header.Get(header) != "" {
						s.header.Set(header, fmt.Sprintf("delivery-%d", n))
					}
				}
				s.header.Del("X-Hub-Signature")
				c.sign(s)
				if code, text := l.sendSample(t, "git-deploy-"+c.sender, s); code != http.StatusOK || text != "deployment accepted\n" {
					t.Fatalf("answered %d %q", code, text)
				}
			}
			second := p.push(t, "main", "2")
			tell(second, "main")
			l.wait(t, "deployed "+second, 1)
			l.wait(t, "command for version 2", 1)
			if got := p.deployed(t); got != "2" {
				t.Errorf("version %s is deployed", got)
			}
			broken := p.push(t, "main", "3 broken")
			tell(broken, "main")
			l.wait(t, broken+" was not deployed; "+second+" is there, and well", 1)
			l.wait(t, "command for version 2", 2)
			if got := p.deployed(t); got != "2" {
				t.Errorf("after a check that failed version %s is deployed", got)
			}
			tell(p.push(t, "evil", "evil"), "evil")
			l.wait(t, "nothing to deploy: refs/heads/evil was pushed", 1)
			fourth := p.push(t, "main", "4")
			tell(fourth, "main")
			l.wait(t, "deployed "+fourth, 1)
			if strings.Contains(l.text(), "version evil") {
				t.Error("a branch that nobody asked for was run")
			}
		})
	}
}

// A deployment that was cut off is made anew, a person's changes are not lost, and
// a branch that was pushed with force is not taken.
func TestGitDeployOfACheckoutThatIsNotAsItWas(t *testing.T) {
	p := newProject(t)
	run := func(t *testing.T, ref, commit string, env ...string) result {
		return scan{script: "git-deploy.sh", args: []string{ref, commit}, env: append(env, "DEPLOY_DIR="+p.checkout, "DEPLOY_CHECK_SECONDS=1")}.run(t)
	}
	first := p.git(t, "rev-parse", "HEAD")
	second := p.push(t, "main", "2")
	changed := filepath.Join(p.checkout, "version")

	check(t, os.WriteFile(changed, []byte("by hand"), 0o600))
	run(t, "refs/heads/main", second).expect(t, 78, "files of the checkout were changed", "version")
	if got := p.deployed(t); got != "by hand" {
		t.Errorf("a person's change is gone: %s", got)
	}
	must(t, "git", "-C", p.checkout, "-c", "core.hooksPath=/dev/null", "update-ref", "refs/pawl/deployed", first)
	must(t, "git", "-C", p.checkout, "-c", "core.hooksPath=/dev/null", "update-ref", "refs/pawl/deploying", second)
	check(t, os.WriteFile(filepath.Join(p.checkout, ".git/index.lock"), nil, 0o600))
	run(t, "refs/heads/main", second).expect(t, 0, "did not come to its end", "deployed "+second+", after "+first)
	run(t, "refs/heads/main", second).expect(t, 0, "nothing to deploy: .* is there already")
	run(t, "refs/heads/main", strings.Repeat("0", 40)).expect(t, 0, "main was deleted")
	run(t, "refs/heads/main", second, "DEPLOY_BRANCH=-x..y").expect(t, 78, "no name of a branch")
	run(t, "refs/heads/main", second, "DEPLOY_REMOTE=--upload-pack=id").expect(t, 78, "no name of a remote")

	p.git(t, "reset", "-q", "--hard", first)
	forced := p.push(t, "main", "forced")
	run(t, "refs/heads/main", forced).expect(t, 70, "pushed with force")
	run(t, "refs/heads/main", forced, "DEPLOY_FORCE=yes", "DEPLOY_CHECK=/bin/false").expect(t, 70, "somebody has to look")
	run(t, "refs/heads/main", forced, "DEPLOY_FORCE=yes").expect(t, 0, "deployed "+forced)
	must(t, "git", "-C", p.checkout, "remote", "set-url", "origin", "https://user:pass-word@127.0.0.1:1/x.git")
	got := run(t, "refs/heads/main", forced)
	got.expect(t, 75, "cannot fetch")
	if strings.Contains(got.output, "pass-word") {
		t.Errorf("the remote's password is told:\n%s", got.output)
	}
}
