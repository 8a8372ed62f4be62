package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"gopkg.in/yaml.v3"

	"github.com/pawlhq/pawl/internal/secret"
)

const text = "hunter2"

// holder has a secret where fmt and reflection find it.
type holder struct {
	Shown  secret.Value
	hidden secret.Value
	List   []secret.Value
	Map    map[string]secret.Value
	Any    any
}

// Nothing that prints, logs or marshals a secret, or what holds it, shows it.
func TestValueIsNeverShown(t *testing.T) {
	v := secret.New(text)
	h := holder{v, v, []secret.Value{v}, map[string]secret.Value{"k": v}, v}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%08.3f"} {
		for name, value := range map[string]any{"value": v, "pointer": &v, "holder": h, "pointer to holder": &h, "hidden": struct{ v holder }{h}} {
			check(t, "fmt "+verb+" "+name, fmt.Sprintf(verb, value))
		}
	}
	check(t, "fmt.Sprint", fmt.Sprint(v, h))
	check(t, "error", fmt.Errorf("with %v: %w", v, errors.New("x")).Error())
	check(t, "String", v.String())

	for name, marshal := range map[string]func(any) ([]byte, error){
		"JSON": json.Marshal, "YAML": yaml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
	} {
		for _, value := range []any{v, &v, holder{Shown: v, hidden: v, List: h.List, Map: h.Map}} {
			out, err := marshal(value)
			if err != nil {
				t.Logf("%s refuses %T: %v", name, value, err)
			}
			check(t, name, string(out))
		}
	}
	out, err := xml.Marshal(v)
	if err != nil {
		t.Error(err)
	}
	check(t, "XML", string(out))

	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v, "h", h)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v, "h", h)
	z := zerolog.New(&log)
	z.Info().Interface("v", v).Interface("h", h).Stringer("s", v).Any("a", &h).Msg("x")
	if log.Len() == 0 {
		t.Error("nothing was logged")
	}
	check(t, "logs", log.String())
}

func check(t *testing.T, how, shown string) {
	t.Helper()
	if strings.Contains(shown, text) || strings.Contains(strings.ToLower(shown), fmt.Sprintf("%x", text)) {
		t.Errorf("%s shows the secret: %s", how, shown)
	}
}

func TestValue(t *testing.T) {
	if v := secret.New(text); v.Reveal() != text || v.Empty() || fmt.Sprint(v) != "***" {
		t.Errorf("%q, empty %v, prints %v", v.Reveal(), v.Empty(), v)
	}
	var zero secret.Value
	if zero.Reveal() != "" || !zero.Empty() || fmt.Sprint(zero) != "***" || !secret.New("").Empty() {
		t.Errorf("the zero value is %q, empty %v, prints %v", zero.Reveal(), zero.Empty(), zero)
	}
}

func TestCredential(t *testing.T) {
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := secret.Credential("quay"); err == nil || !strings.Contains(err.Error(), "CREDENTIALS_DIRECTORY is not set") {
		t.Errorf("without a directory: %v", err)
	}
	directory := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Join(directory, "credentials"))
	for name, content := range map[string]string{"credentials/quay": text + "\n", "credentials/raw": "a\n\n", "outside": text} {
		path := filepath.Join(directory, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"quay": text, "raw": "a\n"} {
		if got, err := secret.Credential(name); got != want || err != nil {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{"", ".", "..", "../outside", "/", "/etc/passwd", "a/b", `..\outside`, "quay/"} {
		if got, err := secret.Credential(name); err == nil || !strings.Contains(err.Error(), "holds no path") {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
	if _, err := secret.Credential("missing"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `read credential "missing"`) {
		t.Errorf("missing: %v", err)
	}
}

func TestTrimLineEnd(t *testing.T) {
	for given, want := range map[string]string{
		"": "", "a": "a", "a\n": "a", "a\r\n": "a", "a\n\n": "a\n", "\n": "", "a \n": "a ", "a\nb": "a\nb", "\na": "\na", "a\r": "a\r",
	} {
		if got := secret.TrimLineEnd(given); got != want {
			t.Errorf("%q gives %q, want %q", given, got, want)
		}
	}
}
