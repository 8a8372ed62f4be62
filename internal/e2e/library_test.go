//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// library calls one function of scripts/lib and returns what it printed.
func library(t *testing.T, shell, setting, function string, args ...string) string {
	t.Helper()
	cmd := exec.Command(shell, append([]string{"-c", `scan_lib=$1; shift; . "$scan_lib/image.sh"; "$@"`, "library",
		filepath.Join(place.root, "scripts/lib"), function}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), setting}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v", function, args, err)
	}
	return string(out)
}

func TestApplicationIDs(t *testing.T) {
	long := strings.Repeat("a", 150) + "/" + strings.Repeat("b", 60)
	for _, c := range []struct{ repository, setting, id string }{
		{"mynamespace/repository", "", "mynamespace_repository"},
		{"acme/web-shop.api", "", "acme_web-shop.api"},
		// The number is sha256 of the repository's name.
		{"a/b_c", "", "a_b_c-" + digest([]byte("a/b_c"))[7:15]},
		{"a_b/c", "", "a_b_c-" + digest([]byte("a_b/c"))[7:15]},
		{"acme/group/web-shop", "", "acme_group_web-shop-" + digest([]byte("acme/group/web-shop"))[7:15]},
		{long, "", strings.Replace(long, "/", "_", 1)[:191] + "-" + digest([]byte(long))[7:15]},
		{"acme/shop", "IQ_ID_WITH_HOST=yes", "quay.io_5000_acme_shop-" + digest([]byte("quay.io:5000/acme/shop"))[7:15]},
	} {
		for _, shell := range []string{"dash", "bash"} {
			got := library(t, shell, c.setting, "iq_application", c.repository, "quay.io:5000")
			if got != c.id || len(got) > 200 {
				t.Errorf("%s: %s becomes %q, want %q", shell, c.repository, got, c.id)
			}
		}
	}
}

func TestTheWorstCodeDecides(t *testing.T) {
	for _, c := range []struct{ a, b, worst string }{
		{"0", "0", "0"}, {"0", "10", "10"}, {"10", "75", "75"}, {"75", "66", "75"},
		{"66", "10", "10"}, {"64", "66", "64"}, {"0", "66", "66"},
	} {
		if got := library(t, "dash", "", "worse", c.a, c.b); got != c.worst {
			t.Errorf("of %s and %s %s decides, want %s", c.a, c.b, got, c.worst)
		}
		want := c.worst
		if c.a != "64" {
			if got := library(t, "dash", "", "worse", c.b, c.a); got != want {
				t.Errorf("of %s and %s %s decides, want %s", c.b, c.a, got, want)
			}
		}
	}
}

func TestDockerHubsOtherNamesAreOneRegistry(t *testing.T) {
	for name, want := range map[string]string{
		"index.docker.io/acme/shop": "docker.io/acme/shop", "registry-1.docker.io/acme/shop": "docker.io/acme/shop",
		"docker.io/nginx": "docker.io/library/nginx", "Quay.IO:443/acme/shop": "quay.io/acme/shop",
		"localhost/x": "localhost/x", "r.example:5000/a/b/c": "r.example:5000/a/b/c",
	} {
		cmd := exec.Command("dash", "-c", `scan_lib=$1; . "$scan_lib/image.sh"; parse_repository "$2" && printf %s "$ref_repository"`,
			"library", filepath.Join(place.root, "scripts/lib"), name)
		if got, err := cmd.CombinedOutput(); err != nil || string(got) != want {
			t.Errorf("%s becomes %s (%v), want %s", name, got, err, want)
		}
	}
}

// Severities as trivy and grype report them; neither program is to be had
// here, so stand-ins write what their documentation shows.
func TestTrivyAndGrypeByTheirReports(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	bom := `{"bomFormat":"CycloneDX","components":[{"type":"library","name":"left-pad","version":"1.3.0"}]}`
	stub := map[string]string{
		"trivy": `#!/bin/sh
case "$1 $*" in
"image "*--format\ json*) findings='{"Results":[{"Vulnerabilities":[{"Severity":"HIGH"},{"Severity":"LOW"}]},{}]}' ;;
"convert "*--format\ cyclonedx*) findings='` + bom + `' ;;
*) echo "unexpected: $*" >&2; exit 2 ;;
esac
while [ "$1" != --output ]; do shift; done
printf '%s' "$findings" >"$2"
`,
		"grype": `#!/bin/sh
for a; do case $a in
json=*) printf '{"matches":[{"vulnerability":{"severity":"High"}},{"vulnerability":{"severity":"Low"}}]}' >"${a#json=}" ;;
cyclonedx-json=*) printf '%s' '` + bom + `' >"${a#cyclonedx-json=}" ;;
docker-archive:*) test -s "${a#docker-archive:}" || exit 2 ;;
esac; done
`,
	}
	for scanner, text := range stub {
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, scanner), []byte(text), 0o755))
		for failOn, code := range map[string]int{"": 10, "critical": 0, "high": 10, "low": 10, "none": 0} {
			t.Run(scanner+" fail on "+failOn, func(t *testing.T) {
				got := quay(r, "acme/shop", "v1", "SCANNER="+scanner, "FAIL_ON="+failOn, "PATH="+dir+":"+os.Getenv("PATH")).run(t)
				got.expect(t, code, "vulnerabilities: critical 0, high 1, medium 0, low 1")
				if want := map[int]string{0: "None", 10: "Failure"}[code]; got.results["policy_action"] != want {
					t.Errorf("results: %v", got.results)
				}
			})
		}
	}
}
