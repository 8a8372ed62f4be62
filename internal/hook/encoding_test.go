package hook_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
)

// One file in all the ways in which editors write text gives the same hooks and
// the same problems at the same places.
func TestReadEncodings(t *testing.T) {
	const text = "# für alle\n- id: a\n  execute-command: /bin/true\n  response-message: \"é 😀\"\n  uknown: 1\n- id: b\n  execute-command: /bin/true\n"
	wide := func(order binary.AppendByteOrder, bom bool, text string) []byte {
		var b []byte
		if bom {
			b = order.AppendUint16(b, 0xFEFF)
		}
		for _, unit := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, unit)
		}
		return b
	}
	for name, encoded := range map[string][]byte{
		"plain":                        []byte(text),
		"without a line end":           []byte(strings.TrimSuffix(text, "\n")),
		"CRLF":                         []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"CR":                           []byte(strings.ReplaceAll(text, "\n", "\r")),
		"a byte order mark":            []byte("\ufeff" + text),
		"a byte order mark and CRLF":   []byte("\ufeff" + strings.ReplaceAll(text, "\n", "\r\n")),
		"UTF-16, big end first":        wide(binary.BigEndian, true, text),
		"UTF-16 as Windows writes it":  wide(binary.LittleEndian, true, strings.ReplaceAll(text, "\n", "\r\n")),
		"UTF-16 and a byte at its end": append(wide(binary.LittleEndian, true, text), 0x0A),
	} {
		t.Run(name, func(t *testing.T) {
			hooks, problems := hook.Read("f", encoded, hook.Options{})
			if diff := cmp.Diff([]string{"a", "b"}, ids(hooks)); diff != "" {
				t.Fatalf("%s\n%v", diff, problems)
			}
			if hooks[0].Message != "é 😀" || hooks[1].At != (hook.Position{File: "f", Line: 6, Column: 3}) {
				t.Errorf("message %q, second hook at %v", hooks[0].Message, hooks[1].At)
			}
			if want := `f:5:3: hook "a": unknown key "uknown"`; problems.String() != want {
				t.Errorf("problems %q, want %q", problems, want)
			}
		})
	}
}

func TestReadSyntaxErrorsInOtherEncodings(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"CRLF":               {"[\r\n  {\"id\": \"a\"\r\n  \"x\": 1}\r\n]\r\n", "f:3:3: cannot read this as JSON or YAML: did not find expected ',' or '}'"},
		"behind an umlaut":   {"[{\"ä\": 1 \"x\": 1}]", "f:1:13: cannot read this as JSON or YAML: did not find expected ',' or '}'"},
		"no UTF-8":           {"- id: a\n  x: \"b\xff\"\n", "f:2:8: cannot read this as JSON or YAML: invalid leading UTF-8 octet"},
		"UTF-16 cut short":   {"\xff\xfe", ""},
		"a byte order mark":  {"\ufeff", ""},
		"blanks and nothing": {" \n\n  ", ""},
	} {
		t.Run(name, func(t *testing.T) {
			hooks, problems := hook.Read("f", []byte(c.text), hook.Options{})
			if problems.String() != c.want || len(hooks) > 0 {
				t.Errorf("problems %q, want %q; hooks %v", problems, c.want, hooks)
			}
		})
	}
}

// The files that operators of a registry listener have load as they are.
func TestReadSeedHooks(t *testing.T) {
	seeds := map[string]string{
		"dockerHub-scan.json": "dockerHub-scan", "iq-consume.json": "iq-consume", "jenkins.json": "jenkins",
		"nxrm-consume.json": "nxrm-upload", "nxrm-prime.json": "prime-repo", "quay.json": "quay", "test.json": "test",
	}
	for name, id := range seeds {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../cli/testdata/compat/seed-hooks", name))
			if err != nil {
				t.Fatal(err)
			}
			for _, reload := range []bool{false, true} {
				hooks, problems := hook.Read(name, text, hook.Options{Reload: reload})
				if problems.Refused() || len(hooks) != 1 || hooks[0].ID != id || hooks[0].Command == "" || hooks[0].Own {
					t.Errorf("hooks %v\n%v", hooks, problems)
				}
			}
		})
	}
}

// No error prints a secret of the file, whatever is wrong around it.
func TestReadTellsNoSecret(t *testing.T) {
	const text = `[{"id": "a", "execute-command": "x", "trigger-rule": {"match": {"type": "value", "secret": "hunter2", "value": "hunter2", "parameter": {"source": "x"}}}}]`
	hooks, problems := hook.Read("f", []byte(text), hook.Options{})
	if len(problems) == 0 {
		t.Fatal("no problems")
	}
	if strings.Contains(problems.String(), "hunter2") {
		t.Errorf("problems tell the secret:\n%v", problems)
	}
	text2 := strings.Replace(text, `"type": "value"`, `"type": "payload-hmac-sha1"`, 1)
	text2 = strings.Replace(text2, `"value": "hunter2", `, "", 1)
	hooks2, _ := hook.Read("f", []byte(text2), hook.Options{})
	for _, h := range append(hooks[:0:0], hooks2...) {
		if printed := fmt.Sprintf("%v %+v %#v %+v %#v", h, *h, *h, h.Rule, h.Rule); strings.Contains(printed, "hunter2") {
			t.Errorf("the hook prints its secret: %s", printed)
		}
		if rule.Guards(h.Rule) == nil {
			t.Error("the rule is gone")
		}
	}
}

func manyHooks(n int) []byte {
	var b bytes.Buffer
	b.WriteString("[\n")
	for i := range n {
		fmt.Fprintf(&b, `  {
    "id": "hook-%d",
    "execute-command": "/opt/scripts/deploy.sh",
    "command-working-directory": "/srv/app",
    "pass-arguments-to-command": [
      {"source": "payload", "name": "head_commit.id"},
      {"source": "payload", "name": "repository.full_name"}
    ],
    "trigger-rule": {"and": [
      {"match": {"type": "payload-hmac-sha256", "secret": "s", "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}},
      {"match": {"type": "value", "value": "refs/heads/main", "parameter": {"source": "payload", "name": "ref"}}}
    ]}
  },
`, i)
	}
	b.WriteString("]\n")
	return b.Bytes()
}

func TestReadTenThousandHooks(t *testing.T) {
	hooks, problems := hook.Read("f", manyHooks(10_000), hook.Options{Reload: true})
	if len(hooks) != 10_000 || len(problems) > 0 {
		t.Fatalf("%d hooks, problems %v", len(hooks), problems)
	}
	set := hook.NewSet(hooks)
	if h := set.ByID("hook-9999"); h == nil || h.At.Line != 2+9999*13 || set.At("hook-9999")[0] != h {
		t.Errorf("hook-9999 is %v", h)
	}
}

// The aliases of an honest file cost nothing of what bombs may come to.
func TestReadTenThousandMergedHooks(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("- &base { id: base, execute-command: x, http-methods: [POST], response-message: ok, success-http-response-code: 201 }\n")
	for i := range 9_999 {
		fmt.Fprintf(&b, "- { <<: *base, id: hook-%d }\n", i)
	}
	hooks, problems := hook.Read("f", b.Bytes(), hook.Options{})
	if len(hooks) != 10_000 || len(problems) > 0 || hooks[9_999].SuccessCode != 201 {
		t.Fatalf("%d hooks, problems %.300v", len(hooks), problems)
	}
}

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{300, 10_000} {
		text := manyHooks(n)
		b.Run(fmt.Sprintf("%d hooks", n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if hooks, _ := hook.Read("f", text, hook.Options{}); len(hooks) != n {
					b.Fatal(len(hooks))
				}
			}
		})
	}
}
