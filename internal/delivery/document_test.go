package delivery

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The outermost members are remembered up to a number; what is found must not
// depend on it.
func TestManyMembers(t *testing.T) {
	for _, count := range []int{0, 1, maxIndexed - 2, maxIndexed - 1, maxIndexed, maxIndexed + 1, 3 * maxIndexed} {
		var b strings.Builder
		b.WriteString(" {")
		for i := range count {
			fmt.Fprintf(&b, `"k%d": [%d, "]}"], `, i, i)
		}
		b.WriteString(`"last": {"a": "\"}"}}  `)
		names := []string{"last", "last.a", "k0.0", "k.0", "absent", fmt.Sprintf("k%d.1", count-1), fmt.Sprintf("k%d", count)}
		for _, name := range names {
			compareWithReference(t, []byte(b.String()), name)
		}
	}
}

// Values of every shape before the wanted one are skipped rightly.
func TestSkipping(t *testing.T) {
	for _, shape := range []string{
		`1`, `-1.5E+7`, `true`, `null`, `""`, `"\""`, `"\\"`, `"\\\""`, `"}"`, `[]`, `{}`, `[ ]`, `{ }`, `[[],[{}]]`,
		`{"a":{"b":"]"}}`, `[1,"[",{"{":"}"}]`, `"` + strings.Repeat(`\\`, 9) + `"`, `"\u0022\\"`, "\"\xff\"",
	} {
		for _, space := range []string{"", " ", "\r\n\t "} {
			body := strings.NewReplacer("S", shape, "_", space).Replace(
				`_{_"a"_:_S_,_"b"_:_[_S_,_{_"x"_:_S_,_"w"_:_"wanted"_}_,_S_]_,_"c"_:_S_}_`)
			for _, name := range []string{"a", "b", "b.0", "b.1", "b.1.w", "b.2", "b.3", "c", "d", "b.1.x"} {
				compareWithReference(t, []byte(body), name)
			}
		}
	}
}

// Every byte that may break a string does, wherever it stands in it: strings
// are read eight bytes at a time.
func TestStringsByteByByte(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				inside := []byte(strings.Repeat("é", length)[:length])
				inside[at] = byte(c)
				body := `{"a":"` + string(inside) + `"}`
				_, _, _, err := scanValue(body, maxDepth)
				var reference any
				want := json.NewDecoder(strings.NewReader(body)).Decode(&reference)
				if (err != nil) != (want != nil) {
					t.Fatalf("%q: %v, reference %v", body, err, want)
				}
			}
		}
	}
}

// Rendering costs what the text is long, not that times its depth: an object
// in disorder at every level must not be read at each of them again.
func BenchmarkRenderDeep(b *testing.B) {
	for _, depth := range []int{1, maxDepth / 2} {
		body := strings.Repeat(`{"b":0,"a":`, depth) + `"` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat("}", depth)
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := jsonDelivery([]byte(body)).Value(Ref{Source: EntirePayload}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
