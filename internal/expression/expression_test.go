package expression_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/expression"
	"github.com/pawlhq/pawl/internal/run"
)

const pushed = `{"repository": "acme/web", "tags": ["v1", "latest"], "n": 3, "f": 1.50, "big": 12345678901234567890,
	"null": null, "yes": true, "o": {"b": 1, "a": "<"}, "list": [{"x": 1}, {"x": 2}], "k": 1, "k": 2, "a.b": "dotted",
	"far": 1e999, "empty": {}, "nested": {"deep": {"deeper": [[1], [2, 3]]}}, "s": "Grüße ", "k": 3}`

// of makes a delivery of a body of that type.
func of(contentType, body string) *delivery.Delivery {
	return delivery.New(&run.Delivery{
		Method: "POST", RawQuery: "q=7&q=8&tag=v1", Body: []byte(body),
		Header: http.Header{"Content-Type": {contentType}, "X-Event": {"push", "pull"}, "X-Token": {"k3y"}},
	}, delivery.Options{Element: `{"tag":"v1","size":3}`, Sender: octocat{}})
}

// octocat is a sender.
type octocat struct{}

func (octocat) SenderName() string                           { return "github" }
func (octocat) Message(*run.Delivery) ([]byte, string, bool) { return nil, "", false }
func (octocat) SenderID(*delivery.Delivery) string           { return "" }
func (octocat) EventType(d *delivery.Delivery) string        { return d.Header.Get("X-Event") }

func condition(t testing.TB, text string) *expression.Program {
	t.Helper()
	p, errs := expression.Condition(text)
	if p == nil || len(errs) > 0 {
		t.Fatalf("%s: %v", text, errs)
	}
	return p
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		`payload.tags.exists(t, t.startsWith("v"))`: true, `payload.tags.all(t, t.startsWith("v"))`: false,
		`payload.n == 3`: true, `payload.n == 3.0`: true, `payload.n > 2.5 && payload.f < 2`: true, `payload.f == 1.5`: true,
		`payload.k == 3`: true, `payload.big > 1`: true, `payload.big == 12345678901234567890.0`: true, `payload.far > payload.big`: true,
		`payload.yes`: true, `!payload.yes`: false, `payload["null"] == null`: true, `payload["a.b"] == "dotted"`: true,
		`has(payload.gone)`: false, `has(payload.n)`: true, `has(payload.o.gone)`: false, `"gone" in payload`: false, `"n" in payload`: true,
		`payload.o == {"a": "<", "b": 1}`: true, `{"a": "<", "b": 1} == payload.o`: true, `payload.o == {"a": "<"}`: false, `payload.o != payload.empty`: true,
		`payload.tags == ["v1", "latest"]`: true, `["v1", "latest"] == payload.tags`: true, `payload.tags == payload.list`: false,
		`payload.tags + ["x"] == ["v1", "latest", "x"]`: true, `["x"] + payload.tags == ["x", "v1", "latest"]`: true, `size(payload.tags + payload.list) == 4`: true,
		`size(payload.tags) == 2 && size(payload.o) == 2 && size(payload.empty) == 0`: true, `"latest" in payload.tags`: true, `{"x": 1} in payload.list`: true,
		`payload.list.all(x, x.x > 0)`: true, `payload.list.exists_one(x, x.x == 2)`: true, `payload.list.filter(x, x.x > 1)[0].x == 2`: true, `payload.o.exists(key, key == "b")`: true,
		`payload.list.map(x, x.x * 2) == [2, 4]`: true, `payload.nested.deep.deeper[1][1] == 3`: true, `payload.tags[1] == "latest"`: true,
		`payload.?gone.orValue("x") == "x"`: true, `payload.?o.?b.orValue(7) == 1`: true, `payload.tags[?9].hasValue()`: false,
		`headers["x-event"] == "push"`: true, `headers["X-EVENT"] == headers["X-Event"]`: true, `"x-event" in headers`: true, `"x-gone" in headers`: false,
		`headers.exists(name, name == "x-event")`: true, `size(headers) == 3`: true, `query.q == "7" && query.tag == "v1"`: true, `size(query) == 2`: true,
		`method == "POST" && sender == "github" && event == "push"`: true, `element.tag == "v1" && element.size == 3`: true,
		`payload.repository.matches("^acme/[a-z]+$")`: true, `payload.repository.contains("web")`: true, `payload.repository.size() == 8`: true,
		`payload.repository.split("/")[1] == "web"`: true, `payload.tags.join(",") == "v1,latest"`: true, `payload.tags.join() == "v1latest"`: true,
		`payload.repository.replace("/", "-") == "acme-web"`: true, `payload.s.trim() == "Grüße" && payload.s.lowerAscii() == "grüße "`: true, `payload.s.upperAscii() == "GRüßE "`: true,
		`payload.s.indexOf("e") == 4 && payload.s.lastIndexOf("ß") == 3 && payload.s.indexOf("x") == -1`: true, `payload.s.substring(2, 4) == "üß" && payload.s.substring(4) == "e "`: true,
		`type(payload.n) == int && type(payload.f) == double && type(payload.o) == map && type(payload.tags) == list`: true,
		`timestamp("2026-01-02T03:04:05Z").getFullYear() == 2026`:                                                     true, `duration("90s") > duration("1m")`: true, `int("7") + payload.n == 10`: true, `string(payload.n) == "3"`: true,
	} {
		if got, err := condition(t, text).Holds(of("application/json", pushed)); err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// Payloads of every kind, and none.
func TestPayloads(t *testing.T) {
	for name, test := range map[string]struct{ contentType, body, text string }{
		"a list":              {"application/json", `[{"id": 7}]`, `payload.root[0].id == 7 && size(payload) == 1`},
		"a form":              {"application/x-www-form-urlencoded", "a=1&b=x%20y&a=2", `payload.a == "1" && payload.b == "x y" && size(payload) == 2`},
		"XML":                 {"text/xml", `<a id="7"><b>x</b><b>y</b></a>`, `payload.a.b == ["x", "y"] && payload.a["-id"] == "7"`},
		"a multipart form":    {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--\r\n", `payload.a == "x"`},
		"no JSON":             {"application/json", `{`, `!has(payload.a) && size(payload) == 0`},
		"null":                {"application/json", `null`, `!has(payload.a)`},
		"nothing":             {"application/json", ``, `!has(payload.a)`},
		"none that is parsed": {"text/plain", `{"a": 1}`, `!has(payload.a) && payload == {}`},
	} {
		if ok, err := condition(t, test.text).Holds(of(test.contentType, test.body)); err != nil || !ok {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// What cannot be told is told in words, in which no value of the delivery is.
func TestWhatCannotBeTold(t *testing.T) {
	for text, want := range map[string]string{
		`payload.updated_tags.size() > 1`:               `payload.updated_tags is not in the payload (has(payload.updated_tags) asks)`,
		`payload.o.gone.further == 1`:                   `payload.o.gone is not in the payload (has(payload.o.gone) asks)`,
		`payload["x-y"] == 1`:                           `payload["x-y"] is not in the payload ("x-y" in payload asks)`,
		`payload.list.all(x, x.gone == 1)`:              `x.gone is not in the delivery (has(x.gone) asks)`,
		`headers["x-gone"] == ""`:                       `headers["x-gone"] is not in the headers ("x-gone" in headers asks)`,
		`query.gone == ""`:                              `query.gone is not in the query (has(query.gone) asks)`,
		`element.gone == ""`:                            `element.gone is not in the element (has(element.gone) asks)`,
		`payload.tags[7] == "x"`:                        `payload.tags[7] is beyond the list's end (size asks)`,
		`payload.n + payload.repository == 1`:           `payload.n + payload.repository: this cannot be done with values of these types`,
		`payload.n.startsWith("x")`:                     `payload.n.startsWith("x"): this cannot be done with values of these types`,
		`payload.repository`:                            `a condition is true or false, and this came to a text`,
		`payload.tags`:                                  `a condition is true or false, and this came to a list`,
		`int(headers["x-token"]) > 1`:                   `int(headers["x-token"]): type conversion error from 'string' to 'int'`,
		`timestamp(headers["x-token"]).getHours() == 1`: `timestamp(headers["x-token"]): this cannot be worked out of the values of the delivery`,
		`payload.n / 0 == 1`:                            `payload.n / 0: division by zero`,
		`payload.n * 9223372036854775807 > 0`:           `payload.n * 9223372036854775807: a number is too large`,
		`payload.s.substring(3, 99) == ""`:              `payload.s.substring(3, 99): a substring is out of range`,
		`"x".matches(headers["x-token"] + "(")`:         `"x".matches(headers["x-token"] + "("): the regular expression is wrong or too large`,
	} {
		_, err := condition(t, text).Holds(of("application/json", pushed))
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n%v, want\n%s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "k3y") {
			t.Errorf("%s: a value is in the error", text)
		}
	}
}

func TestWhatIsNoExpression(t *testing.T) {
	const empty = "the expression is empty (line 1, column 1 of the expression)"
	for text, want := range map[string]string{
		"": empty, " \n": empty,
		`payload.n >`:                           `the expression ends too early: something is missing behind it (line 1, column 12 of the expression)`,
		`payload.ref = "x"`:                     `one = means nothing here: to compare write == (line 1, column 13 of the expression)`,
		`payload.ref == "x`:                     `a text begins here and has no end: its closing quote is missing (line 1, column 16 of the expression)`,
		`payload.a && payload.b and payload.c`:  `and is written && (line 1, column 24 of the expression)`,
		`payload.a payload.b`:                   `"payload" cannot stand here (line 1, column 11 of the expression)`,
		`ref == "x"`:                            `unknown name "ref": a value of the payload is payload.ref; known are payload, headers, query, method, sender, event and element (line 1, column 1 of the expression)`,
		"payload.n == 3\n  && nope":             `unknown name "nope": a value of the payload is payload.nope; known are payload, headers, query, method, sender, event and element (line 2, column 6 of the expression)`,
		`"a" == 1`:                              `found no matching overload for '_==_' applied to '(string, int)' (line 1, column 5 of the expression)`,
		`payload.a.matches("(")`:                `this is no regular expression that matches could use (https://github.com/google/re2/wiki/Syntax) (line 1, column 19 of the expression)`,
		`"text"`:                                `a condition is true or false, and this is a text (line 1, column 1 of the expression)`,
		`1 + 1`:                                 `a condition is true or false, and this is a number (line 1, column 1 of the expression)`,
		`now() > 1`:                             `unknown function "now" (line 1, column 4 of the expression)`,
		strings.Repeat("x", 9000):               `expression code point size exceeds limit: size: 9000, limit 8192 (line 1, column 1 of the expression)`,
		strings.Repeat("(", 500):                `expression recursion limit exceeded: 60 (line 1, column 1 of the expression)`,
		"true" + strings.Repeat("||true", 1300): `expression node count exceeds limit`,
	} {
		p, errs := expression.Condition(text)
		if p != nil || len(errs) == 0 || !strings.Contains(errs[0].Error(), strings.TrimSuffix(want, " ")) {
			t.Errorf("%.40q: %v, want %s", text, errs, want)
		}
	}
	if p, errs := expression.Computation("type(1)"); p != nil || len(errs) != 1 {
		t.Errorf("a type as a value: %v", errs)
	}
}

func TestComputations(t *testing.T) {
	for text, want := range map[string]string{
		`"v" + payload.repository`: "vacme/web", `payload.n`: "3", `payload.n + 1`: "4", `payload.f`: "1.5", `payload.n / 2`: "1", `double(payload.n) / 2.0`: "1.5",
		`payload.yes`: "true", `payload.tags`: `["v1","latest"]`, `payload.o`: `{"a":"\u003c","b":1}`, `payload.list[0]`: `{"x":1}`, `payload.list`: `[{"x":1},{"x":2}]`,
		`payload.list.map(x, x.x)`: "[1,2]", `{"k": payload.o, "l": [1.5, null, "<"]}`: `{"k":{"a":"\u003c","b":1},"l":[1.5,null,"\u003c"]}`, `{1: "a", true: "b"}`: `{"1":"a","true":"b"}`,
		`payload.repository.split("/")`: `["acme","web"]`, `headers["x-event"]`: "push", `b"bytes"`: "bytes", `payload.?n`: "3", `payload.?n.orValue(0)`: "3",
		`string(timestamp("2026-01-02T03:04:05Z"))`: "2026-01-02T03:04:05Z", `1e21`: "1e+21", `1e20`: "100000000000000000000", `payload.empty`: "{}",
		`payload.tags + [1]`: `["v1","latest",1]`, `payload.n > 2 ? "big" : "small"`: "big", `payload.nested.deep`: `{"deeper":[[1],[2,3]]}`,
	} {
		if got, err := compute(t, text); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{`payload["null"]`, `null`, `payload.?gone`, `optional.none()`, `payload.tags[?7]`} {
		if got, err := compute(t, text); !delivery.IsMissing(err) {
			t.Errorf("%s: %q, %v: it is missing", text, got, err)
		}
	}
	for text, want := range map[string]string{
		`payload.gone`: "payload.gone is not in the payload (has(payload.gone) asks)", `payload.far`: "it came to a number that JSON does not have",
		`[payload.far]`: "it came to a number that JSON does not have",
	} {
		if got, err := compute(t, text); err == nil || delivery.IsMissing(err) || err.Error() != want {
			t.Errorf("%s: %q, %v; want %s", text, got, err, want)
		}
	}
}

func compute(t testing.TB, text string) (string, error) {
	t.Helper()
	p, errs := expression.Computation(text)
	if p == nil {
		t.Fatalf("%s: %v", text, errs)
	}
	return expression.Set{text: p}.Value(of("application/json", pushed), text)
}

func TestWhatAnExpressionNames(t *testing.T) {
	for text, want := range map[string]string{
		`payload.a.b == 1 && payload.a.b < 7`:              `[a.b] false`,
		`payload.a[0].b == 1 || payload["x.y"].z == 2`:     `[a.0.b x.y.z] false`,
		`payload.a.exists(x, x.b == element.c)`:            `[a] true`,
		`has(payload.a.b) && payload.?c.d.orValue(1) == 1`: `[a.b c.d] false`,
		`payload[method] == 1`:                             `[] false`,
		`element == 1`:                                     `[] true`,
		`"payload.a element" == method`:                    `[] false`,
	} {
		p := condition(t, text)
		if got := fmt.Sprint(p.Fields(), p.UsesElement()); got != want || p.String() != text {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

func TestWhatComputationsSee(t *testing.T) {
	sees := func(text string) (seen []string) {
		p, errs := expression.Computation(text)
		if p == nil {
			t.Fatal(errs)
		}
		set := expression.Set{text: p}
		for _, name := range []string{"X-Token", "X-Event"} {
			if set.Sees(delivery.Header, name) {
				seen = append(seen, name)
			}
		}
		if set.Sees(delivery.Query, "key") {
			seen = append(seen, "key")
		}
		return seen
	}
	for text, want := range map[string][]string{
		`payload.a`: nil, `headers["x-token"]`: {"X-Token"}, `headers.exists(h, h == "a")`: {"X-Token", "X-Event"}, `headers[payload.a]`: {"X-Token", "X-Event"},
		`query.key`: {"key"}, `query`: {"key"}, `query.other`: nil, `headers.?Accept.orValue("") + query["key"]`: {"key"},
	} {
		if diff := cmp.Diff(want, sees(text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	if (expression.Set)(nil).Sees(delivery.Header, "X-Token") {
		t.Error("no computation sees nothing")
	}
}

// Whatever a sender makes of a payload, an expression ends soon, in little
// memory, and says why.
func TestCostIsBounded(t *testing.T) {
	numbers := strings.Repeat("1,", 200_000) + "1"
	words := `"` + strings.Repeat("a", 2_000_000) + `"`
	nested := strings.Repeat("[", 900) + strings.Repeat("]", 900)
	for _, test := range []struct{ text, body string }{
		{`payload.a.all(x, payload.a.all(y, x == y))`, `{"a":[` + numbers + `]}`},
		{`payload.a.all(x, payload.a == payload.a)`, `{"a":[` + numbers + `]}`},
		{`payload.a.all(x, payload.b == payload.c)`, `{"a":[` + numbers + `],"b":[[` + numbers + `]],"c":[[` + numbers + `]]}`},
		{`payload.a.all(x, payload.b[0][0] == payload.a)`, `{"a":[` + numbers + `],"b":[[[` + numbers + `]]]}`},
		{`payload.a.all(x, size(payload.b[x]) > 0)`, `{"a":[` + numbers + `],"b":[[` + numbers + `],[` + numbers + `]]}`},
		{`payload.a.map(x, payload.a.map(y, x + y)).size() > 0`, `{"a":[` + numbers + `]}`},
		{`payload.a.map(x, payload.w + payload.w).size() > 0`, `{"a":[` + numbers + `],"w":` + words + `}`},
		{`payload.a.map(x, payload.a + payload.a).all(l, l.all(y, y == 1))`, `{"a":[` + numbers + `]}`},
		{`payload.w.replace("a", payload.w).size() > 0`, `{"w":` + words + `}`},
		{`payload.w.replace("", payload.v).size() > 0`, `{"w":"` + strings.Repeat("a", 900_000) + `","v":"` + strings.Repeat("a", 900_000) + `"}`},
		{`payload.a.map(x, payload.w).join(payload.w).size() > 0`, `{"a":[` + numbers + `],"w":` + words + `}`},
		{`payload.a.map(x, payload.w.split("")).size() > 0`, `{"a":[` + numbers + `],"w":"` + strings.Repeat("a", 1000) + `"}`},
		{`payload.a.all(x, payload.w.matches("(a+)+b") == false)`, `{"a":[` + numbers + `],"w":` + words + `}`},
		{`payload.w.matches(payload.r)`, `{"w":` + words + `,"r":"(((a{100}){100}){100})"}`},
		{`payload.a.all(x, payload.a.all(y, payload.n == payload.m))`, `{"a":[` + numbers + `],"n":` + nested + `,"m":` + nested + `}`},
	} {
		t.Run(test.text, func(t *testing.T) { checkCost(t, test.text, test.body) })
	}
}

func checkCost(t *testing.T, text, body string) {
	p := condition(t, text)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	_, err := p.Holds(of("application/json", body))
	took := time.Since(began)
	runtime.ReadMemStats(&after)
	if err == nil || strings.Contains(err.Error(), "is not in the") {
		t.Errorf("%v", err)
	}
	made := (after.TotalAlloc - before.TotalAlloc) >> 20
	t.Logf("%s, %d MiB, %v", took.Round(time.Millisecond), made, err)
	if took > 10*time.Second { // a second or less where nothing else runs
		t.Errorf("that took %s", took)
	}
	if made > 600 {
		t.Errorf("%d MiB were allocated", made)
	}
}

// A large payload of which an expression wants a few values is not taken apart.
func TestLargePayloads(t *testing.T) {
	body := `{"commits":[` + strings.Repeat(`{"id":"0123456789","files":["a","b"]},`, 100_000) + `{}],"ref":"refs/heads/main"}`
	d := of("application/json", body)
	p := condition(t, `payload.ref == "refs/heads/main" && size(payload.commits) > 5`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if ok, err := p.Holds(d); !ok || err != nil {
		t.Fatal(ok, err)
	}
	runtime.ReadMemStats(&after)
	if made := after.TotalAlloc - before.TotalAlloc; made > uint64(2*len(body)) {
		t.Errorf("%d bytes were allocated for a body of %d", made, len(body))
	}
}

// FuzzCondition: no text and no payload make a panic, or take long.
func FuzzCondition(f *testing.F) {
	for _, text := range []string{
		`payload.tags.exists(t, t.startsWith("v"))`, `payload.a[0].b == {"x": [1, 2.5, null]}`, `payload.?x.orValue(element) in headers`,
		`payload.s.split("")[1].replace("a", payload.s).substring(1, 2).matches("^(a|b)*$")`, `payload + payload`, `payload.all(k, payload[k] == payload)`,
		`[payload, element, query].map(x, string(type(x))).join(",") == event`, `payload.n / payload.m % 3 > -payload.k`, `size(payload.list) > 2 ? true : payload.x`,
		`timestamp(payload.t) - duration("1h") < timestamp("2026-01-01T00:00:00Z")`, `optional.of(payload).hasValue()`, `bytes(payload.s) == b"\x00"`, "((((", `'`, "payload.\x00",
	} {
		f.Add(text, []byte(pushed))
	}
	f.Fuzz(func(t *testing.T, text string, body []byte) {
		for _, contentType := range []string{"application/json", "application/x-www-form-urlencoded", "text/xml"} {
			d := of(contentType, string(body))
			if p, errs := expression.Condition(text); p != nil {
				_, err := p.Holds(d)
				checkNoPanic(t, err)
				p.Fields()
			} else if len(errs) == 0 || errs[0].Line < 1 || errs[0].Column < 1 {
				t.Fatalf("%q is refused without a place: %v", text, errs)
			}
			if p, _ := expression.Computation(text); p != nil {
				_, err := expression.Set{text: p}.Value(d, text)
				checkNoPanic(t, err)
			}
		}
	})
}

func checkNoPanic(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "internal error") {
		t.Fatal(err)
	}
}

func ExampleCondition() {
	p, errs := expression.Condition(`payload.updated_tags.exists(t, t.startsWith("v"))`)
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	for _, body := range []string{`{"updated_tags": ["latest", "v1.2"]}`, `{"updated_tags": ["latest"]}`, `{"tags": []}`} {
		d := delivery.New(&run.Delivery{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}, delivery.Options{})
		fmt.Println(p.Holds(d))
	}
	// Output:
	// true <nil>
	// false <nil>
	// false payload.updated_tags is not in the payload (has(payload.updated_tags) asks)
}

func ExampleComputation() {
	const text = `"v" + payload.version`
	p, errs := expression.Computation(text)
	if len(errs) > 0 {
		fmt.Println(errs)
		return
	}
	set := expression.Set{text: p}
	d := delivery.New(
		&run.Delivery{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"version": "1.2"}`)},
		delivery.Options{Expressions: set},
	)
	fmt.Println(d.Value(delivery.Ref{Source: delivery.CEL, Name: text}))
	// Output: v1.2 <nil>
}

func ExampleSyntaxError() {
	_, errs := expression.Condition("payload.ref ==\n  refs/heads/main")
	fmt.Println(errs[0])
	// Output: unknown name "refs": a value of the payload is payload.refs; known are payload, headers, query, method, sender, event and element (line 2, column 3 of the expression)
}

func BenchmarkCondition(b *testing.B) {
	for _, text := range []string{`payload.repository == "acme/web"`, `payload.tags.exists(t, t.startsWith("v"))`, `event == "push"`} {
		b.Run(text, func(b *testing.B) {
			p := condition(b, text)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.Holds(of("application/json", pushed)); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
