//go:build unix

package process

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOfEqualNamesTheLastCounts(t *testing.T) {
	t.Parallel()
	many := make([]string, 0, 600)
	for i := range 600 {
		many = append(many, fmt.Sprintf("NAME%d=%d", i, i))
	}
	for name, test := range map[string]struct{ env, want []string }{
		"none":          {nil, nil},
		"different":     {[]string{"A=1", "AB=1", "B=1"}, []string{"A=1", "AB=1", "B=1"}},
		"equal":         {[]string{"A=1", "B=2", "A=3"}, []string{"B=2", "A=3"}},
		"thrice":        {[]string{"A=1", "A=2", "A="}, []string{"A="}},
		"without value": {[]string{"A", "A=1", "A"}, []string{"A"}},
		"many":          {many, many},
		"many, equal":   {append(slices.Clone(many), "NAME7=x"), append(slices.Delete(slices.Clone(many), 7, 8), "NAME7=x")},
	} {
		if got := lastOfEach(test.env); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// Whatever the environment: each name stands once, with its last value.
func TestEnvironmentProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		env := rapid.SliceOfN(rapid.StringMatching(`[A-C]{0,3}=?[a-b]?`), 0, 40).Draw(t, "env")
		want := map[string]string{}
		for _, item := range env {
			want[nameOf(item)] = item
		}
		got := lastOfEach(slices.Clone(env))
		for _, item := range got {
			if want[nameOf(item)] != item {
				t.Fatalf("%q of %q is not the last of its name, or stands twice", item, env)
			}
			delete(want, nameOf(item))
		}
		if len(want) > 0 {
			t.Fatalf("%v are missing of %q", want, env)
		}
	})
}
