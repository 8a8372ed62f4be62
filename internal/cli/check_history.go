package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pawlhq/pawl/internal/admin"
	"github.com/pawlhq/pawl/internal/explain"
	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/sender"
)

// runCheckHistory asks the hooks of the files about the deliveries that a running
// Pawl keeps, and tells what would be otherwise.
func (a *app) runCheckHistory(ctx context.Context, o *checkOptions) error {
	set, report, err := hook.NewLoader(o.settings.hooks, hook.Options{Template: o.settings.template}).Load()
	if err != nil || report.Problems.Refused() {
		fmt.Fprintln(a.stderr, "pawl: these files cannot be loaded; pawl check without -against-history says why")
		return silentError{errors.New("the files cannot be loaded")}
	}
	o.instance.settings = o.settings
	c, err := a.connect(ctx, &o.instance)
	if err != nil {
		return err
	}
	h := &history{client: c, set: set, methods: o.settings.httpMethods(), prefix: strings.Trim(o.settings.prefix, "/"), since: time.Now().Add(-time.Duration(o.since))}
	if err := h.compare(ctx); err != nil {
		return err
	}
	if o.output.json() {
		err = printJSON(a.stdout, h.json())
	} else {
		h.print(a.stdout)
	}
	if err != nil {
		return err
	}
	if h.changed() {
		return silentError{errors.New("something changes")}
	}
	return nil
}

// history compares what was made of deliveries with what the hooks of a Set make
// of them.
type history struct {
	client  *client
	set     *hook.Set
	methods []string // of the server
	prefix  string   // of URLs
	since   time.Time

	deliveries int
	gone       int // deliveries that are not kept any more
	turnedAway int // deliveries that made no run, so that they are not kept
	hooks      []*comparison
}

// past is one kept delivery and the runs that it made, by hook.
type past struct {
	delivery run.Delivery
	own      bool // a person or Pawl itself made it: it is for the hooks of its runs alone
	partial  bool // something that authenticates was withheld
	runs     map[string][]admin.Run
	order    []string // of the hooks
}

// compare goes through all that is kept.
func (h *history) compare(ctx context.Context) error {
	byDelivery := map[string][]admin.Run{}
	var order []string
	err := h.client.runs(ctx, admin.Filter{Since: h.since}, admin.MaxIDs, func(r admin.Run) bool {
		if byDelivery[r.DeliveryID] == nil {
			order = append(order, r.DeliveryID)
		}
		byDelivery[r.DeliveryID] = append(byDelivery[r.DeliveryID], r)
		return true
	})
	if err != nil {
		return err
	}
	slices.Reverse(order) // the oldest first
	for _, id := range order {
		p, err := h.fetch(ctx, byDelivery[id])
		if isNotFound(err) {
			h.gone++
			continue
		}
		if err != nil {
			return err
		}
		h.deliveries++
		if err := h.ask(ctx, p); err != nil {
			return err
		}
	}
	slices.SortFunc(h.hooks, func(a, b *comparison) int { return strings.Compare(a.hook, b.hook) })
	h.countTurnedAway(ctx)
	return nil
}

// countTurnedAway counts the last deliveries that made no run: nothing of their
// bodies is kept, so that they cannot be asked about.
func (h *history) countTurnedAway(ctx context.Context) {
	var listing admin.TurnedAwayListing
	if h.client.get(ctx, request{path: "/turned-away"}, &listing) != nil {
		return // it is an aside
	}
	for _, t := range listing.TurnedAway {
		if t.Received.After(h.since) {
			h.turnedAway++
		}
	}
}

// fetch gets the delivery of runs.
func (h *history) fetch(ctx context.Context, runs []admin.Run) (*past, error) {
	var kept admin.Delivery
	if err := h.client.get(ctx, request{path: "/runs/" + runs[0].ID + "/delivery"}, &kept); err != nil {
		return nil, err
	}
	p := &past{runs: map[string][]admin.Run{}, own: kept.Origin != nil}
	slices.Reverse(runs) // in the order of the elements
	for _, r := range runs {
		if p.runs[r.Hook] == nil {
			p.order = append(p.order, r.Hook)
		}
		p.runs[r.Hook] = append(p.runs[r.Hook], r)
	}
	body := kept.Body
	if kept.Text != nil {
		body = []byte(*kept.Text)
	}
	p.delivery = run.Delivery{
		ID: kept.ID, Received: kept.Received, Method: kept.Method, Path: kept.Path, RawQuery: kept.Query, Host: kept.Host,
		Header: kept.Header, Body: body, RemoteAddr: kept.RemoteAddr, SenderID: kept.SenderID, Verified: kept.Verified,
	}
	if kept.Origin != nil {
		p.delivery.Origin = run.Origin{Kind: kept.Origin.Kind, Of: kept.Origin.Of, Edited: kept.Origin.Edited}
	}
	if p.delivery.Header == nil {
		p.delivery.Header = http.Header{}
	}
	p.partial = isPartial(&p.delivery)
	return p, nil
}

// isPartial reports whether something was withheld from a delivery.
func isPartial(d *run.Delivery) bool {
	if strings.Contains(d.Path, run.Withheld) || strings.Contains(d.RawQuery, "%5Bwithheld%5D") {
		return true
	}
	for _, values := range d.Header {
		if slices.Contains(values, run.Withheld) {
			return true
		}
	}
	return false
}

// ask asks the hooks that a delivery was for, or would be for.
func (h *history) ask(ctx context.Context, p *past) error {
	asked, rest := h.meant(p)
	for _, id := range p.order {
		if !slices.ContainsFunc(asked, func(one *hook.Hook) bool { return one.ID == id }) {
			h.absent(p, id)
		}
	}
	for _, one := range asked {
		now, err := h.explain(ctx, one, p, rest)
		if err != nil {
			return err
		}
		then, err := h.then(ctx, p.runs[one.ID])
		if err != nil {
			return err
		}
		h.of(one.ID).add(p, now, then)
	}
	return nil
}

// meant gives the hooks that a delivery is for by the files, and what stands
// behind their path.
func (h *history) meant(p *past) (hooks []*hook.Hook, rest string) {
	if p.own {
		for _, id := range p.order {
			if one := h.set.ByID(id); one != nil {
				hooks = append(hooks, one)
			}
		}
		return hooks, ""
	}
	path := strings.TrimPrefix(p.delivery.Path, "/")
	if h.prefix != "" {
		path = strings.TrimPrefix(path, h.prefix+"/")
	}
	return h.set.Find(path)
}

// absent notes a delivery of a hook that is not at its path by the files.
func (h *history) absent(p *past, id string) {
	c := h.of(id)
	c.deliveries++
	if one := h.set.ByID(id); one != nil {
		c.changed++
		c.note(changeEnds, p, runsText(p.runs[id]), "it is not for this hook: its path is "+one.Path)
		return
	}
	c.absent++
}

// asked is what a hook of the files says to a delivery.
type asked struct {
	explain.Explanation
	unasked string // why who calls could not be asked again; "" where it was, or nobody asks
}

// explain asks a hook of the files. Where something that authenticates was
// withheld, who calls is asked by itself, as far as that can be.
func (h *history) explain(ctx context.Context, one *hook.Hook, p *past, rest string) (asked, error) {
	r := &sender.Request{Delivery: &p.delivery, Rest: rest}
	certificate := one.Gate != nil && one.Gate.UsesCertificate()
	replayed := p.own || p.partial || certificate
	now := asked{Explanation: explain.Explain(ctx, one, r, explain.Options{Methods: h.methods, Replayed: replayed})}
	if !replayed && one.Gate != nil && now.Outcome == explain.Failed && !now.Authenticated {
		// The keys of its sender could not be had: that says nothing of the delivery.
		why := now.Reason
		now = asked{Explanation: explain.Explain(ctx, one, r, explain.Options{Methods: h.methods, Replayed: true}), unasked: why}
	}
	if !replayed || p.own {
		return now, ctx.Err()
	}
	if one.Gate == nil {
		now.Verified = ""
		if one.Rule != nil && p.partial {
			now.unasked = "what its rule compares may have been withheld"
		}
		return now, ctx.Err()
	}
	verified, err := one.Gate.Verify(ctx, r)
	var refused *sender.RefusedError
	switch {
	case err == nil:
		now.Verified, now.Authenticated = verified, true
	case errors.As(err, &refused) && !refused.Withheld:
		now.Outcome, now.Authenticated, now.Triggered = explain.Unauthenticated, false, false
		now.Reason, now.Runs = refused.Reason, nil
	case errors.As(err, &refused):
		now.unasked = "what authenticates it (" + refused.Check + ") was not kept"
	default:
		now.unasked = err.Error()
	}
	return now, ctx.Err()
}

// then asks the running Pawl what its hooks make of the delivery of runs. nil
// where it cannot tell: the hook is gone.
func (h *history) then(ctx context.Context, runs []admin.Run) (*explain.Explanation, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	var told explain.Explanation
	err := h.client.get(ctx, request{path: "/runs/" + runs[0].ID + "/explanation"}, &told)
	var known *admin.Error
	if errors.As(err, &known) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return &told, nil
}

// of gives the comparison of a hook.
func (h *history) of(id string) *comparison {
	for _, c := range h.hooks {
		if c.hook == id {
			return c
		}
	}
	c := &comparison{hook: id, changes: map[change]*changed{}}
	h.hooks = append(h.hooks, c)
	return c
}

// changed reports whether anything would be otherwise.
func (h *history) changed() bool {
	return slices.ContainsFunc(h.hooks, func(c *comparison) bool { return len(c.changes) > 0 })
}
