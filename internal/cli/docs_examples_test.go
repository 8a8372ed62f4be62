package cli

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// TestExamples asks each hook of examples/hooks about its delivery: it triggers
// as it came, with the arguments that the file says, and for no stranger.
func TestExamples(t *testing.T) {
	examples := map[string]struct {
		header    map[string]string // besides the content type
		rest      string            // what follows the hook's path
		stranger  http.Header       // what a caller has who does not know the secret
		arguments []string
	}{
		"quay": {
			rest:      "replace-me",
			arguments: []string{"quay.example.com/acme/web-shop", `["v1.4.2","latest"]`},
		},
		"github": {
			header:    map[string]string{"X-Github-Event": "push", "X-Hub-Signature-256": "sha256="},
			stranger:  http.Header{"X-Github-Event": {"push"}, "X-Hub-Signature-256": {"sha256=00"}},
			arguments: []string{"https://github.com/acme/web-shop.git", "6dcb09b5b57875f334f61aebed695e2e4193db5e"},
		},
		"gitlab": {
			header:    map[string]string{"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": "replace-me"},
			stranger:  http.Header{"X-Gitlab-Event": {"Push Hook"}, "X-Gitlab-Token": {"guessed"}},
			arguments: []string{"https://gitlab.example.com/acme/web-shop.git", "da1560886d4f094c3e6c9ef40349f7d38b5d27d7"},
		},
		"alertmanager": {
			header:    map[string]string{"Authorization": "Bearer replace-me"},
			stranger:  http.Header{"Authorization": {"Bearer guessed"}},
			arguments: []string{"firing", "DiskFull", `["db1:9100"]`},
		},
		"deploy": {
			header:    map[string]string{"Authorization": "Bearer replace-me", "Idempotency-Key": "build-418"},
			stranger:  http.Header{"Authorization": {"Bearer guessed"}, "Idempotency-Key": {"build-418"}},
			arguments: []string{"web-shop", "staging", "v1.4.2"},
		},
		"migrate": {
			header:    map[string]string{"Authorization": "Bearer replace-me"},
			stranger:  http.Header{"Authorization": {"Bearer guessed"}},
			arguments: []string{"shop", "20261103-orders"},
		},
	}
	files, err := filepath.Glob(repository + "/examples/hooks/*")
	if err != nil || len(files) != len(examples) {
		t.Fatalf("want %d hook files, got %q (%v)", len(examples), files, err)
	}
	for name, want := range examples {
		t.Run(name, func(t *testing.T) {
			h := readExample(t, name)
			body, err := os.ReadFile(repository + "/examples/deliveries/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			record := &run.Delivery{
				Method: http.MethodPost, Body: body, Received: time.Now(),
				Header: http.Header{"Content-Type": {"application/json"}}, RemoteAddr: "192.0.2.1:1234",
			}
			for key, value := range want.header {
				if value == "sha256=" {
					mac := hmac.New(sha256.New, []byte("replace-me"))
					mac.Write(body)
					value += hex.EncodeToString(mac.Sum(nil))
				}
				record.Header.Set(key, value)
			}
			content := delivery.New(record, h.Payload)
			if err := admits(t, h, record, want.rest); err != nil {
				t.Fatalf("the hook does not trigger: %v", err)
			}
			built, err := command.Build(h, content)
			if err != nil || len(built.Missing) > 0 || !slices.Equal(built.Args[1:], want.arguments) {
				t.Errorf("want the arguments %q, got %q; missing: %v (%v)", want.arguments, built.Args, built.Missing, err)
			}

			stranger := *record
			stranger.Header = http.Header{"Content-Type": {"application/json"}}
			for key, values := range want.stranger {
				stranger.Header[key] = values
			}
			if admits(t, h, &stranger, "guessed") == nil {
				t.Error("a stranger triggers the hook")
			}
		})
	}
}

// admits says why a delivery does not trigger a hook.
func admits(t *testing.T, h *hook.Hook, record *run.Delivery, rest string) error {
	t.Helper()
	content := delivery.New(record, h.Payload)
	if h.Gate != nil {
		if _, err := h.Gate.Verify(t.Context(), &sender.Request{Delivery: record, Rest: rest}); err != nil {
			return err
		}
	}
	if event := content.EventType(); len(h.Events) > 0 && !slices.Contains(h.Events, event) {
		return fmt.Errorf("the event is %q", event)
	}
	if h.Rule != nil {
		if ok, err := h.Rule.Evaluate(&rule.Request{Delivery: content}); !ok || err != nil {
			return fmt.Errorf("its rule says no (%v)", err)
		}
	}
	if h.When != nil {
		if ok, err := h.When.Holds(content); !ok || err != nil {
			return fmt.Errorf("its condition says no (%v)", err)
		}
	}
	return nil
}

// readExample gives the first hook of an example; others of its file follow it.
func readExample(t *testing.T, name string) *hook.Hook {
	t.Helper()
	t.Setenv("PAWL_"+strings.ToUpper(name)+"_SECRET", "replace-me")
	path := repository + "/examples/hooks/" + name + ".yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hooks, problems := hook.Read(path, text, hook.Options{})
	if len(hooks) == 0 || hooks[0].ID != name || len(problems) > 0 {
		t.Fatalf("%d hooks, and problems: %v", len(hooks), problems)
	}
	return hooks[0]
}

// TestDocsMakeTargets: the documents name only what the Makefile makes.
func TestDocsMakeTargets(t *testing.T) {
	makefile, err := os.ReadFile(repository + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, p := range readPages(t) {
		text := p.text
		for _, b := range p.blocks {
			text += "\n" + b.text
		}
		for _, match := range regexp.MustCompile("(?m)(?:^|`)make ([a-z0-9-]+)").FindAllStringSubmatch(text, -1) {
			named++
			if !strings.Contains(string(makefile), "\n"+match[1]+":") {
				t.Errorf("%s names \"make %s\", which the Makefile does not have", p.path, match[1])
			}
		}
	}
	if named < 8 {
		t.Errorf("only %d targets are named", named)
	}
}

// TestExampleUnit: the unit of examples is the one that docs/running.md shows.
func TestExampleUnit(t *testing.T) {
	text, err := os.ReadFile(repository + "/examples/pawl.service")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(pageNamed(t, "docs/running.md").blocks, func(b block) bool { return b.text == string(text) }) {
		t.Error("docs/running.md shows another unit than examples/pawl.service")
	}
}
