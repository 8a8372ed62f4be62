package hook_test

import (
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
)

// A hook's hash changes with what the hook says, and with nothing else.
func TestHash(t *testing.T) {
	hash := func(text string) string {
		t.Helper()
		hooks, problems := hook.Read("f", []byte(text), hook.Options{})
		if problems.Refused() || len(hooks) == 0 {
			t.Fatalf("%s: %v", text, problems)
		}
		return hooks[len(hooks)-1].Hash()
	}
	const text = "- id: a\n  execute-command: x\n  queue: {priority: 1, expire: 5m}\n"
	first := hash(text)
	if len(first) != 12 {
		t.Errorf("the hash is %q, want 12 digits", first)
	}
	for _, other := range []string{
		"# why\n\n- id: 'a' # here\n\n  execute-command: \"x\"\n  queue:\n    priority: 1\n    expire: 5m\n",
		`[{"id": "a", "execute-command": "x", "queue": {"priority": 1, "expire": "5m"}}]`,
		"- id: before\n  execute-command: z\n" + text,
	} {
		if hash(other) != first {
			t.Errorf("%s has another hash", other)
		}
	}
	seen := map[string]string{first: text}
	for _, other := range []string{
		"- id: a\n  execute-command: x\n",
		"- id: a\n  execute-command: x\n  queue: {priority: 2, expire: 5m}\n",
		"- id: a\n  execute-command: x\n  queue: {priority: 1, expire: 50s}\n",
		"- id: a\n  execute-command: z\n  queue: {priority: 1, expire: 5m}\n",
		"- id: a\n  execute-command: x\n  response-message: on\n",
		"- id: a\n  execute-command: x\n  response-message: 'on'\n",
		"- &h {id: b, execute-command: x}\n- <<: *h\n  id: a\n",
		"- &h {id: b, execute-command: z}\n- <<: *h\n  id: a\n",
	} {
		sum := hash(other)
		if same, twice := seen[sum]; twice {
			t.Errorf("these have one hash:\n%s\n%s", same, other)
		}
		seen[sum] = other
	}
	if hash(text+"- &h {id: b, execute-command: z}\n- *h\n") == "" {
		t.Error("an alias has no hash")
	}
}
