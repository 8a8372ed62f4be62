//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Media types of the OCI image specification.
const (
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar+gzip"
)

// manifest is what a registry keeps under a digest, with all that it names.
type manifest struct {
	mediaType string
	body      []byte
	blobs     [][]byte
	parts     []manifest // of an index
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	URLs        []string          `json:"urls,omitempty"`
	Platform    *platform         `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func describe(mediaType string, b []byte) descriptor {
	return descriptor{MediaType: mediaType, Digest: digest(b), Size: len(b)}
}

// imageWith builds, from scratch, an image that holds one npm package.
func imageWith(t *testing.T, npm, version, arch string) manifest {
	t.Helper()
	content := mustJSON(t, map[string]string{"name": npm, "version": version, "license": "MIT"})
	return imageOf(t, arch, map[string][]byte{"app/node_modules/" + npm + "/package.json": content})
}

// imageOf builds an image of one layer.
func imageOf(t *testing.T, arch string, files map[string][]byte) manifest {
	t.Helper()
	var plain bytes.Buffer
	tw := tar.NewWriter(&plain)
	for name, content := range files {
		check(t, tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := tw.Write(content)
		check(t, err)
	}
	check(t, tw.Close())
	var layer bytes.Buffer
	zw := gzip.NewWriter(&layer)
	_, err := zw.Write(plain.Bytes())
	check(t, err)
	check(t, zw.Close())
	config := mustJSON(t, map[string]any{
		"architecture": arch, "os": "linux", "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{digest(plain.Bytes())}},
	})
	return artifact(t, "", typeConfig, config, typeLayer, layer.Bytes())
}

// artifact builds a manifest of one configuration and one layer of any type.
func artifact(t *testing.T, artifactType, configType string, config []byte, layerType string, layer []byte) manifest {
	t.Helper()
	body := map[string]any{
		"schemaVersion": 2, "mediaType": typeManifest,
		"config": describe(configType, config),
		"layers": []descriptor{describe(layerType, layer)},
	}
	if artifactType != "" {
		body["artifactType"] = artifactType
	}
	return manifest{mediaType: typeManifest, body: mustJSON(t, body), blobs: [][]byte{config, layer}}
}

// index joins manifests; a platform is "os", "architecture".
func index(t *testing.T, platforms []platform, parts ...manifest) manifest {
	t.Helper()
	var children []descriptor
	for i, part := range parts {
		d := describe(part.mediaType, part.body)
		d.Platform = &platforms[i]
		children = append(children, d)
	}
	body := mustJSON(t, map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": children})
	return manifest{mediaType: typeIndex, body: body, parts: parts}
}

// layout writes a manifest as an OCI layout, for tools to copy, and returns its directory.
func layout(t *testing.T, tag string, m manifest) string {
	t.Helper()
	dir := t.TempDir()
	blobs := filepath.Join(dir, "blobs", "sha256")
	check(t, os.MkdirAll(blobs, 0o755))
	var write func(m manifest)
	write = func(m manifest) {
		for _, blob := range append(m.blobs, m.body) {
			check(t, os.WriteFile(filepath.Join(blobs, digest(blob)[len("sha256:"):]), blob, 0o644))
		}
		for _, part := range m.parts {
			write(part)
		}
	}
	write(m)
	top := describe(m.mediaType, m.body)
	top.Annotations = map[string]string{"org.opencontainers.image.ref.name": tag}
	check(t, os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644))
	check(t, os.WriteFile(filepath.Join(dir, "index.json"),
		mustJSON(t, map[string]any{"schemaVersion": 2, "manifests": []descriptor{top}}), 0o644))
	return dir
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	check(t, err)
	return b
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sbom is the part of a CycloneDX report that the tests read.
type sbom struct {
	BOMFormat string
	Metadata  struct {
		Component struct{ Name, Version string }
	}
	Components []struct{ Name, Version, Type string }
}

// sboms reads every report in a directory, by file name.
func sboms(t *testing.T, dir string) map[string]sbom {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.cdx.json"))
	check(t, err)
	found := map[string]sbom{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		check(t, err)
		var s sbom
		check(t, json.Unmarshal(b, &s))
		found[filepath.Base(f)] = s
	}
	return found
}

// names says whether the report has the component.
func (s sbom) names(name, version string) bool {
	for _, c := range s.Components {
		if c.Name == name && c.Version == version {
			return true
		}
	}
	return false
}
