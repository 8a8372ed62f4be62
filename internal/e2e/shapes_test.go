//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAnIndexIsScannedPlatformByPlatform(t *testing.T) {
	r := startRegistry(t, "")
	attestation := artifact(t, "", typeConfig, []byte(`{"os":"unknown","architecture":"unknown"}`),
		"application/vnd.in-toto+json", []byte(`{}`))
	r.push(t, "acme/shop", "v1", index(t,
		[]platform{{"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"unknown", "unknown"}},
		imageWith(t, "left-pad", "1.3.0", "amd64"), imageWith(t, "is-odd", "3.0.1", "arm64"),
		imageWith(t, "is-even", "1.0.0", "windows"), attestation))

	t.Run("by default every linux one", func(t *testing.T) {
		got := quay(r, "acme/shop", []string{"v1"}).run(t)
		got.expect(t, 0, "an index of 4 parts, 2 to scan", "windows/amd64 .*nothing to scan: not among the platforms",
			"unknown/unknown .*nothing to scan")
		reports := sboms(t, got.artifacts)
		if len(reports) != 2 {
			t.Fatalf("%d reports, want 2", len(reports))
		}
		for name, report := range reports {
			amd := strings.Contains(name, "linux-amd64")
			if report.names("left-pad", "1.3.0") != amd || report.names("is-odd", "3.0.1") == amd {
				t.Errorf("%s: %+v", name, report.Components)
			}
		}
		if strings.Count(got.results["digest"], "sha256:") != 2 {
			t.Errorf("results: %v", got.results)
		}
	})
	t.Run("SCAN_PLATFORMS chooses", func(t *testing.T) {
		got := quay(r, "acme/shop", []string{"v1"}, "SCAN_PLATFORMS=linux/arm64").run(t)
		got.expect(t, 0, "4 parts, 1 to scan")
		if n := len(sboms(t, got.artifacts)); n != 1 {
			t.Errorf("%d reports, want 1", n)
		}
	})
	t.Run("no platform of those asked for", func(t *testing.T) {
		quay(r, "acme/shop", []string{"v1"}, "SCAN_PLATFORMS=linux/s390x").run(t).
			expect(t, 0, "nothing to scan: an index without a part to scan")
	})
}

// Docker's own types, as docker and older clients push them.
func TestADockerManifestListIsAnIndex(t *testing.T) {
	r := startRegistry(t, "")
	docker := func(m manifest) manifest {
		text := string(m.body)
		for oci, own := range map[string]string{
			typeManifest: "application/vnd.docker.distribution.manifest.v2+json",
			typeIndex:    "application/vnd.docker.distribution.manifest.list.v2+json",
			typeConfig:   "application/vnd.docker.container.image.v1+json",
			typeLayer:    "application/vnd.docker.image.rootfs.diff.tar.gzip",
		} {
			text = strings.ReplaceAll(text, oci, own)
			m.mediaType = strings.Replace(m.mediaType, oci, own, 1)
		}
		m.body = []byte(text)
		return m
	}
	both := []manifest{docker(imageWith(t, "left-pad", "1.3.0", "amd64")), docker(imageWith(t, "is-odd", "3.0.1", "arm"))}
	r.push(t, "acme/shop", "v1", docker(index(t, []platform{{"linux", "amd64"}, {"linux", "arm"}}, both...)))
	got := quay(r, "acme/shop", "v1").run(t)
	got.expect(t, 0, "an index of 2 parts, 2 to scan")
	if n := len(sboms(t, got.artifacts)); n != 2 {
		t.Errorf("%d reports, want 2", n)
	}
}

func TestAnIndexWithinAnIndexIsNotPassedOver(t *testing.T) {
	r := startRegistry(t, "")
	inner := index(t, []platform{{"linux", "amd64"}}, imageWith(t, "left-pad", "1.3.0", "amd64"))
	r.push(t, "acme/shop", "v1", index(t, []platform{{"linux", "amd64"}}, inner))
	quay(r, "acme/shop", "v1").run(t).expect(t, 70, "an index within an index, which is not followed")
}

func TestWhatIsNoImageEndsWell(t *testing.T) {
	r := startRegistry(t, "")
	signed := strings.Repeat("ab", 32)
	config := []byte(`{"architecture":"","os":"","rootfs":{"type":"layers","diff_ids":[]}}`)
	for _, c := range []struct {
		name, tag, why string
		it             manifest
	}{
		{"cosign signature", "sha256-" + signed + ".sig", "signature",
			artifact(t, "", typeConfig, config, "application/vnd.dev.cosign.simplesigning.v1+json", []byte(`{"critical":{}}`))},
		{"cosign attestation", "sha256-" + signed + ".att", "attestation",
			artifact(t, "", typeConfig, config, "application/vnd.dsse.envelope.v1+json", []byte(`{}`))},
		{"cosign SBOM", "sha256-" + signed + ".sbom", "SBOM",
			artifact(t, "", typeConfig, config, "text/spdx+json", []byte(`{}`))},
		{"signature under another tag", "signed", "a signature",
			artifact(t, "", typeConfig, config, "application/vnd.dev.cosign.simplesigning.v1+json", []byte(`{"critical":{"a":1}}`))},
		{"SBOM under another tag", "bill", "an SBOM",
			artifact(t, "application/spdx+json", "application/vnd.oci.empty.v1+json", []byte(`{}`), "application/spdx+json", []byte(`{"x":1}`))},
		{"Helm chart", "0.1.0", "a Helm chart",
			artifact(t, "", "application/vnd.cncf.helm.config.v1+json", []byte(`{"name":"shop"}`),
				"application/vnd.cncf.helm.chart.content.v1.tar+gzip", []byte("chart"))},
		{"attestation by artifact type", "att", "an attestation",
			artifact(t, "application/vnd.in-toto+json", "application/vnd.oci.empty.v1+json", []byte(`{}`), "application/vnd.in-toto+json", []byte(`{"y":1}`))},
		{"index of nothing but unknown", "referrers", "an index without a part to scan",
			index(t, []platform{{"unknown", "unknown"}}, artifact(t, "", typeConfig, config, "application/vnd.in-toto+json", []byte(`{"z":1}`)))},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.push(t, "acme/shop", c.tag, c.it)
			got := quay(r, "acme/shop", []string{c.tag}).run(t)
			got.expect(t, 0, "nothing to scan: .*"+c.why)
			if n := len(sboms(t, got.artifacts)); n != 0 {
				t.Errorf("%d reports, want none", n)
			}
			if !strings.Contains(got.summary, "nothing to scan") {
				t.Errorf("summary: %s", got.summary)
			}
		})
	}
}

// A label must not keep an image from its scan.
func TestAnImageThatCallsItselfAnArtifactIsScanned(t *testing.T) {
	r := startRegistry(t, "")
	honest := imageWith(t, "left-pad", "1.3.0", "amd64")
	body := strings.Replace(string(honest.body), `{`, `{"artifactType":"application/vnd.in-toto+json",`, 1)
	honest.body = []byte(body)
	r.push(t, "acme/shop", "v1", honest)
	got := quay(r, "acme/shop", "v1").run(t)
	got.expect(t, 0, "1 components")
}

func TestThreeTagsOfOneDigestAreScannedOnce(t *testing.T) {
	r := startRegistry(t, "")
	image := imageWith(t, "left-pad", "1.3.0", "amd64")
	for _, tag := range []string{"v1", "v1.0", "latest"} {
		r.push(t, "acme/shop", tag, image)
	}
	got := quay(r, "acme/shop", []string{"v1", "v1.0", "latest"}).run(t)
	got.expect(t, 0, "the same image as tag v1, scanned already: clean")
	if n := strings.Count(got.output, "pull and save"); n != 1 {
		t.Errorf("pulled %d times, want once:\n%s", n, got.output)
	}
	if n := strings.Count(got.output, "scanned already"); n != 2 {
		t.Errorf("told %d times, want twice", n)
	}
	if strings.Contains(got.results["digest"], ",") || got.results["images"] != "1" {
		t.Errorf("results: %v", got.results)
	}
}

func TestABadTagDoesNotStopTheOthers(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "good", imageWith(t, "left-pad", "1.3.0", "amd64"))
	bad := map[string]string{ // the tag's text, and how it is told
		"$(touch x)":                             `tag "\$\(touch x\)": no tag's name`,
		"`touch x`":                              "tag \"`touch x`\"",
		"-rf":                                    `tag "-rf"`,
		"--help":                                 `tag "--help"`,
		"*":                                      `tag "\*"`,
		"":                                       `tag ""`,
		"../../etc/passwd":                       `tag "\.\./\.\./etc/passwd"`,
		"good\ngood":                             `tag "good\\ngood"`,
		"good\n":                                 `tag "good\\n"`,
		"good\x00":                               `tag "good\\u0000"`,
		"good good":                              `tag "good good"`,
		"g\u202eood":                             `tag "g\?+ood"`,
		"\x1b[2J":                                `tag "\\u001b\[2J"`,
		strings.Repeat("a", 129):                 `tag "a+": no tag's name`,
		"good@sha256:" + strings.Repeat("0", 64): `tag "good@sha256:0+"`,
	}
	tags, told := []string{}, []string{"clean: .*acme/shop@sha256:"}
	for tag, how := range bad {
		tags, told = append(tags, tag), append(told, how)
	}
	for _, shell := range []string{"dash", "bash"} {
		t.Run("no tag's text in "+shell, func(t *testing.T) {
			s := quay(r, "acme/shop", append(tags, "good"))
			s.shell = shell
			got := s.run(t)
			got.expect(t, 64, told...)
			if n := strings.Count(got.output, "no tag's name"); n != len(bad) {
				t.Errorf("%d tags told, want %d", n, len(bad))
			}
			if n := len(sboms(t, got.artifacts)); n != 1 {
				t.Errorf("%d reports, want 1", n)
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(got.workDir), "x")); err == nil {
				t.Error("the tag's text was run")
			}
		})
	}
	t.Run("does not exist", func(t *testing.T) {
		quay(r, "acme/shop", []string{"gone", "good"}).run(t).expect(t, 66, "gone: does not exist", "clean: ")
	})
	t.Run("repository does not exist", func(t *testing.T) {
		quay(r, "acme/gone", []string{"v1"}).run(t).expect(t, 66, "does not exist")
	})
	t.Run("no text at all", func(t *testing.T) {
		quay(r, "acme/shop", []any{7, nil, map[string]string{"a": "b"}, "good"}).run(t).
			expect(t, 64, `tag 7: no tag's name`, "tag null", "clean: ")
	})
	t.Run("no tag", func(t *testing.T) {
		quay(r, "acme/shop", []string{}).run(t).expect(t, 0, "nothing to scan: the notification names no tag")
	})
	t.Run("as the one tag", func(t *testing.T) {
		quay(r, "acme/shop", "$(touch x)").run(t).expect(t, 64, "no tag's name")
	})
}

func TestRepositoriesThatAreRefusedAreNotContacted(t *testing.T) {
	called := make(chan string, 100)
	host := standIn(t, func(w http.ResponseWriter, q *http.Request) { called <- q.URL.Path })
	for _, c := range []struct {
		name, url string
		env       string
		code      int
		told      string
	}{
		{"any host", host + "/acme/shop", "", 77, "not among ALLOWED_REGISTRIES"},
		{"list replaces the default", host + "/acme/shop", "ALLOWED_REGISTRIES=quay.io", 77, "not among ALLOWED_REGISTRIES"},
		{"no host", "acme", "", 64, "no repository's name"},
		{"host without a dot", "acme/shop", "", 64, "names no registry"},
		{"credentials", "u:p@" + host + "/acme/shop", "", 64, "no repository's name"},
		{"scheme", "http://" + host + "/acme/shop", "", 64, "no repository's name"},
		{"option", "--all", "", 64, "no repository's name"},
		{"dots", host + "/../shop", "", 64, "no repository's name"},
		{"capital letters", host + "/Acme/shop", "", 64, "no repository's name"},
		{"tag in it", host + "/acme/shop:v1", "", 64, "no repository's name"},
		{"line end", host + "/acme/shop\n", "", 64, "no repository's name"},
		{"command", host + "/$(touch x)", "", 64, "no repository's name"},
		{"empty", "", "", 64, "no repository's name"},
		{"terminal escapes", "\x1b]0;x\x07/acme", "", 64, "no repository's name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := scan{script: "quay-scan.sh", args: []string{c.url, `["v1"]`}, env: []string{c.env}}.run(t)
			got.expect(t, c.code, c.told)
			if strings.ContainsAny(got.output, "\x1b\x07") {
				t.Error("the output holds control characters")
			}
		})
	}
	if len(called) != 0 {
		t.Errorf("the registry was asked for %s", <-called)
	}
}

func TestWhichRegistriesAreAllowed(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "v1", imageWith(t, "left-pad", "1.3.0", "amd64"))
	auth := filepath.Join(t.TempDir(), "auth.json")
	check(t, os.WriteFile(auth, []byte(`{"auths":{"https://`+r.host+`/v1/":{"auth":"eDp5"}}}`), 0o600))
	// A name beside the address: the plain connection is allowed, so what is missing is leave to call.
	for name, c := range map[string]struct {
		env  []string
		code int
	}{
		"PLAIN_HTTP_REGISTRIES":     {[]string{"PLAIN_HTTP_REGISTRIES=other:1, " + r.host}, 0},
		"ALLOWED_REGISTRIES":        {[]string{"PLAIN_HTTP_REGISTRIES=" + r.host, "ALLOWED_REGISTRIES=quay.io," + r.host}, 0},
		"left out there":            {[]string{"PLAIN_HTTP_REGISTRIES=" + r.host, "ALLOWED_REGISTRIES=quay.io"}, 77},
		"auth file, but not plain":  {[]string{"REGISTRY_AUTH_FILE=" + auth}, 78}, // contacted, and refused for its plain HTTP
		"auth file names no other":  {[]string{"REGISTRY_AUTH_FILE=/nonexistent"}, 77},
		"a list with a star in it":  {[]string{"PLAIN_HTTP_REGISTRIES=" + r.host, "ALLOWED_REGISTRIES=*"}, 77},
		"a longer name is no match": {[]string{"ALLOWED_REGISTRIES=" + r.host + "0"}, 77},
	} {
		t.Run(name, func(t *testing.T) {
			scan{script: "quay-scan.sh", args: []string{r.host + "/acme/shop", "v1"}, env: c.env}.run(t).expect(t, c.code)
		})
	}
}

// A manifest may send the client elsewhere for a layer; nothing goes there.
func TestLayersFromElsewhereAreNotFetched(t *testing.T) {
	called := make(chan string, 10)
	elsewhere := standIn(t, func(w http.ResponseWriter, q *http.Request) { called <- q.URL.Path })
	r := startRegistry(t, "")
	image := imageWith(t, "left-pad", "1.3.0", "amd64")
	for _, b := range image.blobs {
		r.pushBlob(t, "acme/shop", b)
	}
	// The registry accepts urls for foreign layers; the type is still a layer's.
	text := strings.Replace(string(image.body), `"mediaType":"`+typeLayer+`"`,
		`"urls":["http://`+elsewhere+`/layer"],"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"`, 1)
	r.push(t, "acme/shop", "v1", manifest{mediaType: typeManifest, body: []byte(text)})
	quay(r, "acme/shop", "v1").run(t).expect(t, 70, "fetched from elsewhere")
	if len(called) != 0 {
		t.Errorf("the other host was asked for %s", <-called)
	}
}

func TestSizeIsCheckedBeforeThePull(t *testing.T) {
	r := startRegistry(t, "")
	r.push(t, "acme/shop", "small", imageWith(t, "left-pad", "1.3.0", "amd64"))
	// Zeros: some kilobytes to pull, 64 MiB unpacked.
	r.push(t, "acme/shop", "bomb", imageOf(t, "amd64", map[string][]byte{"zeros": make([]byte, 64<<20)}))
	t.Run("manifest says too large", func(t *testing.T) {
		got := quay(r, "acme/shop", "small", "MAX_IMAGE_SIZE=100").run(t)
		got.expect(t, 73, `size: \d+ B to pull`, "larger than MAX_IMAGE_SIZE")
		if strings.Contains(got.output, "pull and save") {
			t.Error("it was pulled all the same")
		}
	})
	t.Run("small, and unpacks to much more", func(t *testing.T) {
		quay(r, "acme/shop", "bomb", "MAX_IMAGE_SIZE=1MiB").run(t).expect(t, 73, "larger than four times MAX_IMAGE_SIZE")
	})
	t.Run("free space", func(t *testing.T) {
		huge := imageWith(t, "left-pad", "1.3.0", "amd64")
		re := regexp.MustCompile(`("mediaType":"application/vnd.oci.image.layer[^}]*"size":)\d+`)
		lie := re.ReplaceAllString(string(huge.body), fmt.Sprintf("${1}%d", int64(900)<<40))
		r.push(t, "acme/shop", "huge", manifest{mediaType: typeManifest, blobs: huge.blobs, body: []byte(lie)})
		quay(r, "acme/shop", "huge", "MAX_IMAGE_SIZE=0").run(t).expect(t, 75, "not enough room")
	})
	t.Run("no size", func(t *testing.T) {
		quay(r, "acme/shop", "small", "MAX_IMAGE_SIZE=much").run(t).expect(t, 78, "MAX_IMAGE_SIZE")
	})
}
