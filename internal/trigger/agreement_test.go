package trigger_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// What decides about a delivery and what the script gets are one text, byte for
// byte, whatever the delivery does to make them differ: keys that stand twice, in
// other spellings or nested, bytes that are no UTF-8, values in several places.

// watched has a hook ask for the value v in every way in which one can be asked
// for: rule, when, event type, id, key, pattern, and all that a script gets.
func watched(t testing.TB, source string) *hook.Hook {
	t.Helper()
	named := map[string]string{"payload": "payload.v", "header": `headers["v"]`, "query": "query.v"}[source]
	text := strings.NewReplacer("SOURCE", "source: "+source+", name: v", "CEL", named).Replace(`sender: generic
auth: none
event-type: { SOURCE }
delivery-id: { SOURCE }
queue: { key: { SOURCE } }
trigger-rule: { and: [{ match: { type: regex, regex: "^(?s:.*)$", parameter: { SOURCE } } }] }
pass-arguments-to-command: [{ SOURCE }, { source: cel, name: 'CEL' }, { source: cel, name: 'event' }]
pass-environment-to-command: [{ SOURCE, envname: V }]
pass-file-to-command: [{ SOURCE, envname: F }]
process: { stdin: { SOURCE } }
when: 'CEL == event'`)
	return one(t, text)
}

// seen asks the hook and builds the command, and gives what each saw.
func seen(t interface{ Fatalf(string, ...any) }, h *hook.Hook, d *run.Delivery) (values map[string]string, triggered bool) {
	v := trigger.Ask(h, d, trigger.Mode{})
	if v.Kind != trigger.Triggered {
		return map[string]string{"why": v.Why()}, false
	}
	r := v.Part.Runs[0]
	r.Delivery = d
	built, err := command.Build(h, delivery.OfRun(r, h.Payload))
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return map[string]string{
		"argument": built.Args[1], "when": built.Args[2], "event": built.Args[3], "variable": strings.TrimPrefix(built.Env[0], "V="),
		"file": string(built.Files[0].Content), "standard input": string(built.Stdin), "key": r.Key.Text, "id": v.Part.SenderID,
	}, true
}

func agree(t interface {
	Fatalf(string, ...any)
	Errorf(string, ...any)
}, values map[string]string, want string) {
	for where, got := range values {
		if got != want {
			t.Errorf("%s: %q, and the argument is %q", where, got, want)
		}
	}
}

func ofType(contentType, body string) *run.Delivery {
	d := post(body)
	d.Header.Set("Content-Type", contentType)
	return d
}

func TestRuleAndScriptSeeTheSame(t *testing.T) {
	const form, xml, multi = "application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=b"
	part := func(name, value string) string {
		return "--b\r\nContent-Disposition: form-data; name=" + name + "\r\n\r\n" + value + "\r\n"
	}
	for name, test := range map[string]struct {
		source string
		d      *run.Delivery
		want   string
	}{
		"a key twice":                        {"payload", post(`{"v":"good","v":"evil"}`), "evil"},
		"the first one nested":               {"payload", post(`{"v":{"v":"good"},"v":"evil"}`), "evil"},
		"in another spelling":                {"payload", post(`{"v":"good","\u0076":"evil"}`), "evil"},
		"and the other way round":            {"payload", post(`{"\u0076":"good","v":"evil"}`), "evil"},
		"in capitals it is another":          {"payload", post(`{"v":"good","V":"evil"}`), "good"},
		"with a NUL byte it is another":      {"payload", post(`{"v":"good","v\u0000":"evil"}`), "good"},
		"three times":                        {"payload", post(`{"v":1,"v":null,"v":"evil"}`), "evil"},
		"behind the body's end":              {"payload", post(`{"v":"good"}{"v":"evil"}`), "good"},
		"bytes that are no UTF-8":            {"payload", post("{\"v\":\"a\xff\xc3\"}"), "a\ufffd\ufffd"},
		"a key that is none, and the same":   {"payload", post("{\"v\":\"good\",\"v\xff\":\"evil\"}"), "good"},
		"half a surrogate":                   {"payload", post(`{"v":"a\ud800"}`), "a\ufffd"},
		"an overlong slash":                  {"payload", post("{\"v\":\"..\xc0\xaf\"}"), "..\ufffd\ufffd"},
		"escapes":                            {"payload", post(`{"v":"\u002d\u002d\n\t\/"}`), "--\n\t/"},
		"many members, and the last counts":  {"payload", post(`{"v":"good",` + strings.Repeat(`"x":1,`, 2000) + `"v":"evil"}`), "evil"},
		"a form's name twice":                {"payload", ofType(form, "v=good&v=evil"), "good"},
		"a form's name in another spelling":  {"payload", ofType(form, "%76=good&v=evil"), "good"},
		"a form's bytes that are no UTF-8":   {"payload", ofType(form, "v=a%ff%c3"), "a\xff\xc3"},
		"a form and the query":               {"payload", ofType(form, "v=good"), "good"},
		"a multipart form's name twice":      {"payload", ofType(multi, part("v", "good")+part("v", "evil")+"--b--\r\n"), "good"},
		"its bytes that are no UTF-8":        {"payload", ofType(multi, part("v", "a\xff")+"--b--\r\n"), "a\xff"},
		"a header twice":                     {"header", twice(), "good"},
		"a header's bytes that are no UTF-8": {"header", post("{}", "V", "a\xff"), "a\xff"},
		"a query's name twice":               {"query", queried("v=good&v=evil"), "good"},
		"a query's name in another spelling": {"query", queried("%76=good&v=evil"), "good"},
		"a query with a semicolon":           {"query", queried("v=evil;x&v=good"), "good"},
		"a query's bytes that are no UTF-8":  {"query", queried("v=%ff"), "\xff"},
	} {
		values, triggered := seen(t, watched(t, test.source), test.d)
		if !triggered {
			t.Errorf("%s: %s", name, values["why"])
			continue
		}
		if values["argument"] != test.want {
			t.Errorf("%s: the argument is %q, want %q", name, values["argument"], test.want)
		}
		agree(t, values, test.want)
	}
	// XML's one element has its own name for the value.
	h := one(t, "when: payload.a.v[1] == 'evil'\npass-arguments-to-command: [{ source: payload, name: a.v }]")
	if v := trigger.Ask(h, ofType(xml, "<a><v>good</v><v>evil</v></a>"), trigger.Mode{}); v.Kind != trigger.Triggered {
		t.Errorf("XML: %s", v.Why())
	}
}

func twice() *run.Delivery {
	d := post("{}")
	d.Header["V"] = []string{"good", "evil"}
	return d
}

func queried(query string) *run.Delivery {
	d := post("{}")
	d.RawQuery = query
	return d
}

// The same of whatever a sender may make of it.
func TestRuleAndScriptSeeTheSameOfAnything(t *testing.T) {
	hooks := map[string]*hook.Hook{"payload": watched(t, "payload"), "header": watched(t, "header"), "query": watched(t, "query")}
	compared := 0
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 12), func(b []byte) string { return string(b) }))
		source := rapid.SampledFrom([]string{"payload", "header", "query"}).Draw(t, "source")
		values, names := rapid.SliceOfN(text, 1, 4).Draw(t, "values"), []string{}
		for range values {
			names = append(names, rapid.SampledFrom([]string{"v", `\u0076`, "%76", "V", "x", "v.v", "v "}).Draw(t, "name"))
		}
		d := composed(t, source, rapid.IntRange(0, 2).Draw(t, "kind"), names, values)
		got, triggered := seen(t, hooks[source], d)
		if !triggered {
			return // there is no such value
		}
		if len(got["argument"]) <= 1000 { // longer keys and ids are cut
			agree(t, got, got["argument"])
			compared++
		}
	})
	if compared < 20 {
		t.Errorf("only %d deliveries were compared", compared)
	}
}

// composed makes a delivery of names and values.
func composed(t *rapid.T, source string, kind int, names, values []string) *run.Delivery {
	d := post("{}")
	var pairs []string
	for i := range names {
		pairs = append(pairs, names[i]+"="+url.QueryEscape(values[i]))
	}
	switch {
	case source == "query":
		d.RawQuery = strings.Join(pairs, "&")
	case source == "header":
		d.Header["V"] = values
	case kind == 0:
		var members []string
		for i := range names {
			value := []byte(`"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(values[i]) + `"`)
			if !json.Valid(value) {
				value, _ = json.Marshal(values[i])
			}
			members = append(members, `"`+strings.ReplaceAll(names[i], "%", "")+`":`+string(value))
		}
		d.Body = []byte("{" + strings.Join(members, ",") + "}")
	case kind == 1:
		d.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		d.Body = []byte(strings.Join(pairs, "&"))
	default:
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for i := range names {
			if err := w.WriteField(names[i], values[i]); err != nil {
				t.Fatal(err)
			}
		}
		_ = w.Close()
		d.Header = http.Header{"Content-Type": {w.FormDataContentType()}}
		d.Body = b.Bytes()
	}
	return d
}
