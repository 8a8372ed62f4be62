package sender

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/secret"
)

func jsonDelivery(body string) *delivery.Delivery {
	return delivery.New(&run.Delivery{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}, delivery.Options{})
}

// What a registry's body looks like decides the event where no header does; what
// looks like nothing is never a push.
func TestRegistryEvents(t *testing.T) {
	for _, test := range []struct{ sender, body, event, id string }{
		{"quay", `{"updated_tags":["v1"]}`, "repo_push", ""},
		{"quay", `{"updated_tags":{"latest":"ced203e30cc1"}}`, "repo_push", ""},
		{"quay", `{"updated_tags":["v1"],"message":"x","build_id":"b"}`, "repo_push", ""},
		{"quay", `{"updated_tags":null}`, "unknown", ""},
		{"quay", `{"vulnerability":{},"tags":[]}`, "vulnerability_found", ""},
		{"quay", `{"vulnerabilities":[]}`, "vulnerability_found", ""},
		{"quay", `{"build_id":"b","error_message":"x"}`, "build_failure", ""},
		{"quay", `{"build_id":"b","is_manual":false}`, "build_queued", ""},
		{"quay", `{"build_id":"b"}`, "build", ""},
		{"quay", `{"error_message":"x"}`, "unknown", ""},
		{"quay", `{"expiring_in":"3 days"}`, "repo_image_expiry", ""},
		{"quay", `{"message":"x"}`, "repo_mirror_sync", ""},
		{"quay", `{"repository":"acme/x"}`, "unknown", ""},
		{"quay", `{"x":{"updated_tags":["v1"]}}`, "unknown", ""},
		{"quay", `[{"updated_tags":["v1"]}]`, "unknown", ""},
		{"quay", `{"updated_tags":`, "unknown", ""},
		{"quay", ``, "unknown", ""},
		{"dockerhub", `{"push_data":{"tag":"v1"},"repository":{"repo_name":"acme/x"}}`, "push", ""},
		{"dockerhub", `{"push_data":{"tag":"v1"}}`, "unknown", ""},
		{"dockerhub", `{"push_data":null,"repository":{"repo_name":"acme/x"}}`, "unknown", ""},
		{"dockerhub", `{}`, "unknown", ""},
		{"distribution", `{"events":[{"id":"1","action":"push"}]}`, "push", "1"},
		{"distribution", `{"events":[{"id":"1","action":"push"},{"id":"2","action":"push"}]}`, "push", "1"},
		{"distribution", `{"events":[{"id":"1","action":"push"},{"id":"2","action":"pull"}]}`, "mixed", "1"},
		{"distribution", `{"events":[{"id":"1","action":"push"},{"id":"2"}]}`, "mixed", "1"},
		{"distribution", `{"events":[{"action":"push"},{"id":"2","action":null}]}`, "mixed", ""},
		{"distribution", `{"events":[{"action":"pull"}],"events":[{"id":"2","action":"push"}]}`, "push", "2"},
		{"distribution", `{"events":[]}`, "", ""},
		{"distribution", `{"events":"push"}`, "", ""},
		{"distribution", `{}`, "", ""},
		{"harbor", `{"type":"PUSH_ARTIFACT","id":"no id"}`, "PUSH_ARTIFACT", ""},
		{"harbor", `{"specversion":"1.0","type":"harbor.artifact.pushed","id":"i-1"}`, "harbor.artifact.pushed", "i-1"},
		{"harbor", `{"specversion":null,"type":null,"id":"i-1"}`, "", ""},
		{"acr", `{"id":"i-1","action":"push"}`, "push", "i-1"},
		{"acr", `{"id":null,"action":null}`, "", ""},
	} {
		s := Named(test.sender)
		d := jsonDelivery(test.body)
		if event, id := s.Event(d), s.ID(d); event != test.event || id != test.id {
			t.Errorf("%s %s: event %q, id %q; want %q, %q", test.sender, test.body, event, id, test.event, test.id)
		}
		if shakes := s.Handshake(d) != nil; shakes {
			t.Errorf("%s %s is taken for a handshake", test.sender, test.body)
		}
	}
	if h := Named("acr").Handshake(jsonDelivery(`{"action":"ping"}`)); h == nil || h.Status != http.StatusOK || h.Fetch != "" {
		t.Errorf("acr's ping is answered with %+v", h)
	}
}

// Only white space between the tokens of JSON is taken out.
func TestNexusCompacts(t *testing.T) {
	for body, want := range map[string]string{
		"{\n \"a b\" : [ 1 ,\t\" x \\n\" ]\r\n}": `{"a b":[1," x \n"]}`,
		`{"a":"<é&\u00e9>"} `:                    `{"a":"<é&\u00e9>"}`,
		` {"a":1e5,"a":1.0}`:                     `{"a":1e5,"a":1.0}`,
		`{"a":1}`:                                ``, // as it came
		`{"a": `:                                 ``,
		``:                                       ``,
	} {
		bodies := compacted(&run.Delivery{Body: []byte(body)})
		if want == "" && bodies == nil {
			continue
		}
		if len(bodies) != 2 || string(bodies[0]) != body || string(bodies[1]) != want {
			t.Errorf("%q gives %q", body, bodies)
		}
	}
}

// Registries by a secret alone: what passes, and that the secret's bearer is
// known as such. Those that need more say so.
func TestRegistryAuthentication(t *testing.T) {
	const text = "s3cret, with a comma"
	set := secret.NewSet([]secret.Source{{Text: secret.New(text)}}, nil)
	for name, want := range map[string]struct{ header, value string }{
		"distribution":     {"Authorization", "Bearer " + text},
		"acr":              {"Authorization", "Bearer " + text},
		"harbor":           {"Authorization", text},
		"nexus-repository": {header: "X-Nexus-Webhook-Signature"},
		"nexus-iq":         {header: "X-Nexus-Webhook-Signature"},
		"quay":             {}, "dockerhub": {}, "ecr": {}, "gar": {},
	} {
		gate, errs := NewGate(Config{Sender: Named(name), Secret: set})
		if want.header == "" {
			if len(errs) != 1 {
				t.Errorf("%s: a secret alone is enough: %v", name, errs)
			}
			continue
		}
		if errs != nil {
			t.Errorf("%s: %v", name, errs)
			continue
		}
		o := &Outgoing{URL: "https://hooks.example.com/hooks/x", Header: http.Header{}, Body: []byte(`{"a":1}`)}
		if err := gate.Sign(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		request := &Request{Delivery: &run.Delivery{Header: o.Header, Body: o.Body}}
		if _, err := gate.Verify(t.Context(), request); err != nil || len(o.Header) != 1 {
			t.Errorf("%s: what is signed does not pass: %v", name, err)
		}
		if got := o.Header.Get(want.header); want.header == authorization && got != want.value {
			t.Errorf("%s: %s has another form", name, want.header)
		}
		if got := gate.Credential(delivery.Header, want.header); got != (want.header == authorization) {
			t.Errorf("%s: is %s a credential: %v", name, want.header, got)
		}
	}
}

// A Nexus signature is of the body or of the body compacted, of nothing else.
func TestNexusSignature(t *testing.T) {
	set := secret.NewSet([]secret.Source{{Text: secret.New("s")}}, nil)
	gate := func(name string) *Gate {
		g, errs := NewGate(Config{Sender: Named(name), Secret: set})
		if errs != nil {
			t.Fatal(errs)
		}
		return g
	}
	o := &Outgoing{Header: http.Header{}, Body: []byte(`{"a":[1,2]}`)}
	if err := gate("nexus-repository").Sign(o); err != nil {
		t.Fatal(err)
	}
	for body, passes := range map[string]struct{ repository, iq bool }{
		`{"a":[1,2]}`:           {true, true},
		"{\n  \"a\": [1, 2]\n}": {true, false},
		`{"a":[2,1]}`:           {false, false},
		`{"a":[1,2]}x`:          {false, false},
		` {"a":[1,2]}`:          {true, false},
	} {
		for name, want := range map[string]bool{"nexus-repository": passes.repository, "nexus-iq": passes.iq} {
			r := &Request{Delivery: &run.Delivery{Header: o.Header, Body: bytes.Clone([]byte(body))}}
			if _, err := gate(name).Verify(t.Context(), r); (err == nil) != want {
				t.Errorf("%s, %s: %v", name, body, err)
			}
		}
	}
}
