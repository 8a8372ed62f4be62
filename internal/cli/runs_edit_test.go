package cli

import "testing"

// TestEditor: $VISUAL comes before $EDITOR, and an empty one is none.
func TestEditor(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{nil, ""},
		{[]string{"EDITOR=", "VISUAL="}, ""},
		{[]string{"EDITOR=nano -w"}, "nano -w"},
		{[]string{"EDITOR=nano", "VISUAL=code --wait"}, "code --wait"},
		{[]string{"VISUALS=x", "EDITOR=nano"}, "nano"},
	} {
		if got := editorOf(c.environ); got != c.want {
			t.Errorf("%v: %q", c.environ, got)
		}
	}
}
