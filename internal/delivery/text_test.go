package delivery

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzText compares how strings are read and written with encoding/json, and
// holds that no bytes make either fail.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"", "plain", `\b\f\n\r\t\"\\\/`, `\u0000\u001f\u007f\u00e9\u2028\uFFFD`, `\ud83d\ude00`, `\uD83D\uDE00x`,
		`\ud800`, `\ud800\ud800`, `\ud800\u0041`, `\ude00\ud83d`, `\ud800x`, `\ud8000udC00`, `\ud800\n`, "\xff\xfe", "é\xe2\x80", "\u2028\u2029",
		"<&>\x00\x1f\x7f\b\f\n\r\t\"\\/", `\`, `\u`, `\u12`, `\x`, `"`, "\xef", "\ufffd",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		compareWriting(t, text)
		compareReading(t, text)
	})
}

// compareWriting writes any bytes as strings.
func compareWriting(t *testing.T, text string) {
	t.Helper()
	want, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(appendString(nil, text)); got != string(want) || len(got) > stringSize(text) {
		t.Fatalf("%q is written %s in at most %d bytes, want %s", text, got, stringSize(text), want)
	}
	valid := strings.ToValidUTF8(text, "")
	minimal := string(appendMinimal(nil, valid))
	var again string
	if err := json.Unmarshal([]byte(minimal), &again); err != nil || again != valid || len(minimal) > minimalSize(valid) {
		t.Fatalf("%q is written %s in at most %d bytes: %q, %v", valid, minimal, minimalSize(valid), again, err)
	}
}

// compareReading reads any bytes as the inside of a string.
func compareReading(t *testing.T, inside string) {
	t.Helper()
	got, respelt := decodeString(inside), string(appendRespelt(nil, inside))
	spells(inside, got)
	isCanonical(inside)
	var want string
	if json.Unmarshal([]byte(`"`+inside+`"`), &want) != nil {
		return // no scanner lets it through; that nothing panicked will do
	}
	if got != want || toValid(got) != got {
		t.Fatalf("%q is read as %q, want %q", inside, got, want)
	}
	if valid := toValid(inside); decodeString(valid) != want || !utf8.ValidString(valid) {
		t.Fatalf("%q is read as %q once it is UTF-8, want %q", inside, decodeString(valid), want)
	}
	if !spells(inside, want) || spells(inside, want+"a") || want != "" && spells(inside, want[:len(want)-1]) {
		t.Fatalf("%q does not spell %q alone", inside, want)
	}
	canonical, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if `"`+respelt+`"` != string(canonical) || isCanonical(inside) && inside != respelt {
		t.Fatalf("%q is respelt %s, want %s", inside, respelt, canonical)
	}
	if valid := toValid(inside); len(respelt) > canonicalSize(valid) {
		t.Fatalf("%q is respelt in %d bytes, at most %d were foreseen", inside, len(respelt), canonicalSize(valid))
	}
}
