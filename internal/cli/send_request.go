package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// exampleOptions says what an example delivery is made of.
type exampleOptions struct {
	base    string // URL of the hooks listener
	prefix  string
	event   string // "": the first that the hook takes
	payload []byte // in place of the example's; nil: the example's
	headers []hook.Header
	now     time.Time
}

// exampleDelivery is a request that a hook's sender could have made.
type exampleDelivery struct {
	method, url string
	header      http.Header
	body        []byte
}

// makeExample makes a delivery of a hook's sender, with an id of its own and what
// authenticates it.
func makeExample(h *hook.Hook, o exampleOptions) (*exampleDelivery, error) {
	sample, err := chooseSample(h, o)
	if err != nil {
		return nil, err
	}
	id := uuid.NewString()
	e := &exampleDelivery{method: http.MethodPost, header: sample.Header.Clone(), body: sample.Body}
	e.url = strings.TrimSuffix(o.base, "/") + "/" + strings.TrimPrefix(strings.Trim(o.prefix, "/")+"/"+(&url.URL{Path: h.Path}).EscapedPath(), "/")
	if len(h.Methods) > 0 && !slices.Contains(h.Methods, e.method) {
		e.method = h.Methods[0]
	}
	if e.header == nil {
		e.header = http.Header{}
	}
	if o.payload == nil {
		e.rename(h, id)
	} else {
		e.body = o.payload
	}
	for _, header := range o.headers {
		e.header.Set(header.Name, header.Value)
	}
	if e.header.Get("Content-Type") == "" {
		e.header.Set("Content-Type", "application/json")
	}
	if h.Gate == nil {
		return e, nil
	}
	outgoing := &sender.Outgoing{URL: e.url, Header: e.header, Body: e.body, ID: id, Time: o.now}
	if err := h.Gate.Sign(outgoing); err != nil {
		return nil, fmt.Errorf("hook %q: %w", h.ID, err)
	}
	e.url, e.header, e.body = outgoing.URL, outgoing.Header, outgoing.Body
	return e, nil
}

// chooseSample gives the example of an event that a hook takes.
func chooseSample(h *hook.Hook, o exampleOptions) (sender.Sample, error) {
	var samples []sender.Sample
	if h.Sender != nil {
		samples = h.Sender.Samples()
	}
	var events []string
	for _, sample := range samples {
		events = append(events, sample.Event)
	}
	wanted := func(sample sender.Sample) bool {
		if o.event != "" {
			return sample.Event == o.event
		}
		return len(h.Events) == 0 || slices.Contains(h.Events, sample.Event)
	}
	if at := slices.IndexFunc(samples, wanted); at >= 0 {
		return samples[at], nil
	}
	switch {
	case o.payload != nil && len(samples) == 0:
		return sender.Sample{}, nil
	case o.payload != nil:
		return asEvent(samples[0], o.event), nil
	case len(samples) == 0:
		return sender.Sample{}, fmt.Errorf("hook %q names no sender of which there are examples: give a payload with -data", h.ID)
	case o.event != "":
		return sender.Sample{}, usageError{fmt.Errorf("there is no example of event %q of %s; there are: %s", o.event, h.Sender.Title, strings.Join(events, ", "))}
	}
	return sender.Sample{}, fmt.Errorf("hook %q takes %s, of which there is no example: give a payload with -data, or one of these with -event: %s",
		h.ID, strings.Join(h.Events, ", "), strings.Join(events, ", "))
}

// asEvent gives an example the header lines of another event: a payload of one's
// own comes with it. Where the event stands in the body, that tells it.
func asEvent(sample sender.Sample, event string) sender.Sample {
	for name, values := range sample.Header {
		if event != "" && sample.Event != "" && len(values) == 1 && values[0] == sample.Event {
			sample.Header.Set(name, event)
		}
	}
	return sample
}

// rename puts an id of its own in the place of the example's, wherever that
// stands, so that it does not count as a repeat.
func (e *exampleDelivery) rename(h *hook.Hook, id string) {
	record := &run.Delivery{Method: e.method, Header: e.header, Body: e.body}
	old := delivery.New(record, h.Payload).SenderID()
	if old == "" {
		return
	}
	e.body = bytes.ReplaceAll(e.body, []byte(old), []byte(id))
	for _, values := range e.header {
		for i := range values {
			values[i] = strings.ReplaceAll(values[i], old, id)
		}
	}
}

// isHandshake reports whether the hook's sender asks for an answer with it, in place
// of a run.
func (e *exampleDelivery) isHandshake(h *hook.Hook) bool {
	record := &run.Delivery{Method: e.method, Header: e.header, Body: e.body}
	return h.Sender != nil && h.Sender.Handshake(delivery.New(record, h.Payload)) != nil
}

func (e *exampleDelivery) request(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, e.method, e.url, bytes.NewReader(e.body))
	if err != nil {
		return nil, err
	}
	r.Header = e.header
	return r, nil
}

// write prints the request as it goes over the wire.
func (e *exampleDelivery) write(out io.Writer) error {
	r, err := e.request(context.Background())
	if err != nil {
		return err
	}
	return r.Write(out)
}

// send sends the request and reads the answer.
func (e *exampleDelivery) send(ctx context.Context, transport http.RoundTripper) (*answered, error) {
	r, err := e.request(ctx)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &answered{status: response.StatusCode, header: response.Header, body: strings.TrimRight(string(body), "\n")}, nil
}
