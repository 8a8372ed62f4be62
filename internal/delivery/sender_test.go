package delivery

import (
	"encoding/base64"
	"errors"
	"net/http"
	"testing"

	"github.com/pawlhq/pawl/internal/run"
)

// wrapping is a sender that wraps its message as base64 in data, and says its
// type in type; it counts how often it is asked.
type wrapping struct {
	event func(*Delivery) string
	asked *int
}

func (wrapping) SenderName() string { return "wrapper" }

func (wrapping) Message(d *run.Delivery) ([]byte, string, bool) {
	envelope := New(d, Options{}).Envelope()
	data, err := envelope.Value(Ref{Payload, "data"})
	if err != nil {
		return nil, "", false
	}
	contentType, _ := envelope.Value(Ref{Payload, "type"})
	body, err := base64.StdEncoding.DecodeString(data)
	return body, contentType, err == nil
}

func (w wrapping) EventType(d *Delivery) string {
	*w.asked++
	return w.event(d)
}

func (wrapping) SenderID(d *Delivery) string {
	id, _ := d.Envelope().Value(Ref{Payload, "id"})
	return id
}

func wrapped(contentType, message string) *run.Delivery {
	return &run.Delivery{
		Header: http.Header{"Content-Type": {"text/plain"}},
		Body:   []byte(`{"id":"7","type":"` + contentType + `","data":"` + base64.StdEncoding.EncodeToString([]byte(message)) + `"}`),
	}
}

// The message is the payload, and what came stays as it came.
func TestASendersMessageIsThePayload(t *testing.T) {
	asked := 0
	options := Options{Sender: wrapping{func(d *Delivery) string { value, _ := d.Value(Ref{Payload, "a"}); return value }, &asked}}
	for name, test := range map[string]struct {
		record  *run.Delivery
		a, all  string
		problem bool
	}{
		"JSON":                    {wrapped("application/json", `{"a":"x","id":"8"}`), "x", `{"a":"x","id":"8"}`, false},
		"a form":                  {wrapped("application/x-www-form-urlencoded", "a=x&b=y"), "x", `{"a":"x","b":"y"}`, false},
		"XML":                     {wrapped("text/xml", "<a>x</a>"), "x", `{"a":"x"}`, false},
		"no JSON":                 {wrapped("application/json", "{"), "", "null", true},
		"a type that is not read": {wrapped("text/plain", "a"), "", "null", true},
		"a form with a boundary that no header has": {wrapped("multipart/form-data; boundary=b", "--b--"), "", "null", true},
		"not wrapped": {&run.Delivery{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(`{"a":"y"}`)}, "y", `{"a":"y"}`, false},
	} {
		d := New(test.record, options)
		if err := d.Parse(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		a, _ := d.Value(Ref{Payload, "a"})
		all, _ := d.Value(Ref{Source: EntirePayload})
		raw, _ := d.Value(Ref{Source: RawRequestBody})
		if a != test.a || all != test.all || raw != string(test.record.Body) || (d.Problem() != nil) != test.problem {
			t.Errorf("%s: %q of %s, problem %v; raw %s", name, a, all, d.Problem(), raw)
		}
	}
	d := New(wrapped("application/json", `{"a":"push"}`), options)
	asked = 0
	if d.SenderName() != "wrapper" || d.SenderID() != "7" || d.EventType() != "push" || d.EventType() != "push" || asked != 1 {
		t.Errorf("sender %q, id %q, event %q, asked %d times", d.SenderName(), d.SenderID(), d.EventType(), asked)
	}
	if without := New(d.Delivery, Options{}); without.SenderName()+without.SenderID()+without.EventType() != "" {
		t.Error("without a sender something is known of one")
	}
}

// What Pawl makes of a run's end comes from no sender, whatever the hook says
// that calls it besides.
func TestARunsEndComesFromNoSender(t *testing.T) {
	record := wrapped("application/json", `{"a":"push"}`)
	record.Header.Set("Content-Type", "application/json")
	record.Origin = run.Origin{Kind: run.OnFailure}
	asked := 0
	d := New(record, Options{Sender: wrapping{func(*Delivery) string { return "push" }, &asked}})
	if id, _ := d.Value(Ref{Payload, "id"}); id != "7" || d.EventType() != "on-failure" || d.SenderName() != "" || d.SenderID() != "" || asked > 0 {
		t.Errorf("id %q, event %q, sender %q", id, d.EventType(), d.SenderName())
	}
}

// computes is expressions that come to what the func says.
type computes func(d *Delivery, text string) (string, error)

func (c computes) Value(d *Delivery, text string) (string, error) { return c(d, text) }

func TestComputedValues(t *testing.T) {
	record := jsonDelivery([]byte(`{}`)).Delivery
	ref := Ref{CEL, "a + b"}
	if _, err := New(record, Options{}).Value(ref); err == nil || IsMissing(err) || IsUnfit(err) {
		t.Errorf("a hook without expressions: %v", err)
	}
	failed := errors.New("a is not in the payload")
	for name, test := range map[string]struct {
		err            error
		missing, unfit bool
	}{
		"a value": {nil, false, false}, "null": {&MissingError{ref}, true, false}, "an error": {failed, false, true},
	} {
		d := New(record, Options{Expressions: computes(func(_ *Delivery, text string) (string, error) { return text + "!", test.err })})
		value, err := d.Value(ref)
		if IsMissing(err) != test.missing || IsUnfit(err) != test.unfit || err == nil && value != "a + b!" {
			t.Errorf("%s: %q, %v", name, value, err)
		}
		if test.unfit && (!errors.Is(err, failed) || err.Error() != "a is not in the payload, in a + b") {
			t.Errorf("%s: it says %v", name, err)
		}
	}
}

// An expression that says where the event type is, and asks for the event type,
// is not asked for ever.
func TestAnEventTypeThatAsksForItself(t *testing.T) {
	asked := 0
	var options Options
	options.Expressions = computes(func(d *Delivery, _ string) (string, error) { return "x" + d.EventType(), nil })
	options.Sender = wrapping{func(d *Delivery) string { value, _ := d.Value(Ref{CEL, "'x' + event"}); return value }, &asked}
	if event := New(jsonDelivery([]byte(`{}`)).Delivery, options).EventType(); event != "x" || asked != 1 {
		t.Errorf("%q, asked %d times", event, asked)
	}
}

// Nodes are what values are: of any document, text by text.
func FuzzNode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":null}],"a":"\u0061"}`, `[[],{},"",0,true]`, `null`, "{\"\xff\":\"\xff\"}", ` {"a" : [ 1 , 2 ] } x`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d := jsonDelivery(body)
		root, ok := d.PayloadNode()
		whole, _ := d.Value(Ref{Source: EntirePayload})
		if !ok {
			if whole != "null" {
				t.Fatalf("%q has no node, and is %s", body, whole)
			}
			return
		}
		if root.Text() != whole && whole != "null" {
			t.Fatalf("%q: the node is %s, the value %s", body, root.Text(), whole)
		}
		last := map[string]Node{}
		for key, member := range root.Members() {
			last[key] = member
			for element := range member.Elements() {
				_, _ = element.Kind(), element.Text()
			}
		}
		for key, member := range last {
			if isPath(key) {
				continue
			}
			if value, err := d.Value(Ref{Payload, key}); err != nil || value != member.Text() {
				t.Fatalf("%q: member %q is %q, the value %q, %v", body, key, member.Text(), value, err)
			}
		}
	})
}
