//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"
)

// quay runs quay-scan.sh on a repository of a plain HTTP registry.
func quay(r *registry, repository string, tags any, env ...string) scan {
	text, isText := tags.(string)
	if !isText {
		b, _ := json.Marshal(tags)
		text = string(b)
	}
	return scan{
		script: "quay-scan.sh", args: []string{r.host + "/" + repository, text},
		env: append([]string{"PLAIN_HTTP_REGISTRIES=" + r.host}, env...),
	}
}

func TestQuayScanNamesThePackage(t *testing.T) {
	r := startRegistry(t, "")
	d := r.push(t, "acme/web-shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	for _, shell := range []string{"", "dash", "bash"} {
		for name, tags := range map[string]any{"an array": []string{"v1"}, "one tag": "v1"} {
			t.Run(shell+" "+name, func(t *testing.T) {
				s := quay(r, "acme/web-shop", tags)
				s.shell = shell
				got := s.run(t)
				got.expect(t, 0, "it is "+r.host+"/acme/web-shop@"+d, `pull and save .*@sha256:`, `done in \d+\.\d s`, "clean: .*@"+d)
				reports := sboms(t, got.artifacts)
				if len(reports) != 1 {
					t.Fatalf("%d reports, want 1", len(reports))
				}
				for _, report := range reports {
					if !report.names("left-pad", "1.3.0") {
						t.Errorf("the report does not name left-pad 1.3.0: %+v", report)
					}
					if report.Metadata.Component.Name != r.host+"/acme/web-shop" || report.Metadata.Component.Version != d {
						t.Errorf("the report is about %+v", report.Metadata.Component)
					}
				}
				if got.results["digest"] != d || got.results["components"] == "" || got.results["policy_action"] != "unchecked" {
					t.Errorf("results: %v", got.results)
				}
				if !strings.Contains(got.summary, "acme/web-shop@"+d) {
					t.Errorf("the summary does not name the image:\n%s", got.summary)
				}
			})
		}
	}
}
