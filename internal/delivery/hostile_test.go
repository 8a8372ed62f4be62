package delivery

import (
	"cmp"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

// hostile is a body that is made to cost much.
type hostile struct {
	name           string
	contentType    string
	prefix, repeat string
	suffix         string
	value          string  // a payload's name, or "" for the entire payload
	limit          float64 // instead of hostileLimit, if not 0
}

var nestedElements = strings.Repeat("<a>", 900) + strings.Repeat("</a>", 900)

// hostileLimit is how many bytes are allocated for each byte of a body, at most,
// whatever it holds. All that is allocated counts, in use at the same time or
// not. Six of them are the text itself if it has to be escaped all over, which
// encoding/json does to "<".
const hostileLimit = 13

// Whatever a body of 31 MiB holds (-max-body is 32 MiB), a small multiple of it
// is allocated. These would cost most, by their number of elements, attributes,
// members, values or parts.
func TestHostileBodies(t *testing.T) {
	for _, tt := range []hostile{
		{"empty attributes", "text/xml", "<a", ` a=""`, "/>", "", 0},
		{"attributes in single quotes", "text/xml", "<a", ` a=''`, "/>", "", 0},
		{"elements", "text/xml", "<a>", "<a/>", "</a>", "", 0},
		{"elements with attributes", "text/xml", "<a>", `<a a="" b=""/>`, "</a>", "", 0},
		{"as many elements as may be", "text/xml", "<a>" + strings.Repeat("<a/>", maxNodes-2) + "<b>", ">", "</b></a>", "", 0},
		{"as many elements within others", "text/xml", "<a>" + strings.Repeat(nestedElements, maxNodes/900-1) + "<b>", ">", "</b></a>", "", 0},
		{"as many attributes as may be", "text/xml", "<a" + strings.Repeat(` a=""`, maxNodes-2) + ">", ">", "</a>", "", 0},
		{"nested elements", "text/xml", "<a>", nestedElements, "</a>", "", 0},
		{"equal empty keys", "application/json", "{", `"":1,`, `"":1}`, "", 0},
		{"empty lists", "application/json", "[", "[],", "[]]", "", 0},
		{"numbers for a path", "application/json", "[", "1,", "1]", "root|@reverse", 0},
		{"lists for a path", "application/json", "[", "[],", "[]]", "root.#.a", 0},
		{"ampersands", "application/x-www-form-urlencoded", "", "&", "", "", 0},
		{"names", "application/x-www-form-urlencoded", "", "a&", "", "", 0},
		{"parts", "multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n", "--b--", "", 0},
		{"part parameters", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data", "; a*0=b", "\r\n\r\n\r\n--b--", "", 0},
		{"a large value", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n", "<", "\r\n--b--", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) { checkHostile(t, tt, 31<<20) })
	}
}

// What costs by its bytes costs a smaller body in the same proportion.
func TestHostileTexts(t *testing.T) {
	for _, tt := range []hostile{
		{"attributes without values", "text/xml", "<a", ` a`, "/>", "", 0},
		{"namespaces", "text/xml", "<a>", `<a xmlns:a="b">`, "</a>", "", 0},
		{"one name", "text/xml", "<", "a", "/>", "", 0},
		{"one attribute", "text/xml", `<a a="`, ">", `"/>`, "", 0},
		{"text of brackets", "text/xml", "<a>", ">", "</a>", "", 0},
		{"text of quotes", "text/xml", "<a>", `"`, "</a>", "", 0},
		{"texts", "text/xml", "<a>", "a<!---->", "</a>", "", 0},
		{"a comment", "text/xml", "<!--", "<a>", "--><a/>", "", 0},
		{"a directive", "text/xml", "<!", "<a>", "><a/>", "", 0},
		{"instructions", "text/xml", "", "<?a?>", "<a/>", "", 0},
		{"equal keys in turn", "application/json", "{", `"a":1,"b":1,`, `"":1}`, "", 0},
		{"empty objects", "application/json", "[", "{},", "[]]", "", 0},
		{"objects in an object", "application/json", "{", `"":{},`, `"":1}`, "", 0},
		{"nested lists", "application/json", "[", strings.Repeat("[", 900) + strings.Repeat("]", 900) + ",", "1]", "", 0},
		{"nested objects", "application/json", "[", strings.Repeat(`{"":`, 900) + "1" + strings.Repeat("}", 900) + ",", "1]", "", 0},
		{"members at each depth", "application/json", "[", strings.Repeat(`{"":1,"":`, 900) + "1" + strings.Repeat("}", 900) + ",", "1]", "", 0},
		{"numbers", "application/json", "[", "1,", "1]", "", 0},
		{"brackets in a string", "application/json", `["`, "<", `"]`, "", 0},
		{"line separators", "application/json", `["`, "\u2028", `"]`, "", 0},
		{"escapes in a string", "application/json", `["`, `\u003C`, `"]`, "", 0},
		{"no UTF-8", "application/json", `["`, "\xff", `"]`, "", 0},
		{"no UTF-8 as one value", "application/json", `{"a":"`, "\xff", `"}`, "a", 0},
		{"escapes as one value", "application/json", `{"a":"`, `\n`, `"}`, "a", 0},
		{"a key that is no UTF-8", "application/json", `{"`, "\xff", `":1}`, "", 0},
		{"keys that are no UTF-8", "application/json", "{", "\"\xff\":1,", `"":1}`, "", 0},
		{"keys with escapes", "application/json", "{", `"\n":1,`, `"":1}`, "", 0},
		{"keys with escapes, one value", "application/json", "{", `"\n":1,`, `"":1}`, "a", 0},
		{"keys for a path", "application/json", "{", `"":1,`, `"":1}`, "*|@reverse", 0},
		{"equal keys for a path", "application/json", "{", `"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789":1,`, `"":1}`, "*|@this", 0},
		{"strings for a path", "application/json", "[", `"0123456789012345678901234567890123456789012345678901234567890123456789",`, "1]", "root|@reverse", 0},
		{"a text for a path", "application/json", `["`, "<", `"]`, "root|@reverse", 0},
		{"a form's brackets", "application/x-www-form-urlencoded", "a=", "<", "", "", 0},
		{"a form's bytes", "application/x-www-form-urlencoded", "a=", "\xff", "", "", 0},
		{"a form's path", "application/x-www-form-urlencoded", "a=", "<", "", "*|@this", 0},
		{"percent", "application/x-www-form-urlencoded", "a=", "%00", "", "", 0},
		// The headers of a part are gone when the next one comes.
		{"part headers", "multipart/form-data; boundary=b", "", "--b\r\n" + strings.Repeat("a:\r\n", 9_000) + "\r\n\r\n", "--b--", "", 24},
		{"a file", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a; filename=b\r\nContent-Type: application/json\r\n\r\n{", `"":{},`, "\"\":1}\r\n--b--", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) { checkHostile(t, tt, 2<<20) })
	}
}

func checkHostile(t *testing.T, tt hostile, size int) {
	t.Helper()
	if raced {
		size = min(size, 2<<20)
	}
	count := (size - len(tt.prefix) - len(tt.suffix)) / len(tt.repeat)
	body := []byte(tt.prefix + strings.Repeat(tt.repeat, count) + tt.suffix)
	record := &run.Delivery{Body: body, Header: http.Header{"Content-Type": {tt.contentType}}}
	ref := Ref{Payload, tt.value}
	if tt.value == "" {
		ref = Ref{Source: EntirePayload}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := New(record, Options{}).Value(ref)
	runtime.ReadMemStats(&after)
	if err != nil && !IsMissing(err) {
		t.Error(err)
	}
	times := float64(after.TotalAlloc-before.TotalAlloc) / float64(len(body))
	t.Logf("%.1f times the body is allocated", times)
	if limit := cmp.Or(tt.limit, hostileLimit); times > limit && !raced {
		t.Errorf("that is more than %.0f times", limit)
	}
}
