package sender

import (
	"context"
	"net/http"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

// jenkins is Jenkins' Notification plugin.
func jenkins() *Sender {
	return &Sender{
		Name: "jenkins", Title: "Jenkins (Notification plugin)",
		Events: []string{"FINALIZED", "COMPLETED", "STARTED", "QUEUED"},
		Start:  Start{Field: "name"},
		free:   []string{"parameters", "artifacts"},
		About: About{
			Auth: "Signs nothing. The secret is a token in the URL's parameter token, in header token, or as Bearer; " +
				"with auth: {basic: {user: …}} it is the password in the URL's user part.",
			Settings: []string{
				"In the job: Configure, Job Notifications, Add Endpoint.",
				"Format: JSON. Protocol: HTTP. Event: All Events, or the one that is wanted.",
				"URL: {url}?token={secret}",
			},
			Timeout: "30 s",
			Failure: "Only what keeps the answer from coming at all; the status is ignored. It is tried again as often as Retries says, which is 0 at first.",
			Tries:   "none, unless Retries says so",
			Remarks: []string{
				"The event type is build.phase: COMPLETED comes before the job's last steps, FINALIZED at its end.",
				"Jenkins follows a 307.",
				"A job writes the URL into its log where it fails: choose a token of its own.",
			},
			Sources: []string{
				"https://github.com/jenkinsci/notification-plugin",
				"https://github.com/jenkinsci/generic-webhook-trigger-plugin",
			},
		},
		own:   func(o own) (check, error) { return jenkinsCheck{o.secret}, nil },
		event: fromPayload("build.phase"),
	}
}

// jenkinsCheck wants a token where Jenkins' Generic Webhook Trigger takes one:
// in the query, in a header, as Bearer. The first place that has one decides.
type jenkinsCheck struct{ secret *secret.Set }

func (jenkinsCheck) early() bool { return true }

// token finds the token and says where it stands.
func (jenkinsCheck) token(r *Request) (token, place string) {
	if token, ok := firstQuery(r.RawQuery, "token"); ok {
		return token, "query parameter token"
	}
	if token, ok := first(r.Header, "Token"); ok {
		return token, "header token"
	}
	given, _ := first(r.Header, authorization)
	if token, ok := scheme(given, "Bearer"); ok {
		return token, "bearer"
	}
	return "", ""
}

func (c jenkinsCheck) verify(_ context.Context, r *Request) (string, error) {
	token, place := c.token(r)
	if place == "" {
		return "", withheld("token", "there is no token: not in the URL's parameter token, not in header token, not as Bearer")
	}
	secrets := c.secret.Values()
	if number := which(token, secrets); number > 0 {
		return passed(place, number, len(secrets)), nil
	}
	return "", withheld("token", "the token is not the secret ("+place+")")
}

func (jenkinsCheck) credential(source delivery.Source, name string) bool {
	switch source {
	case delivery.Header:
		name = http.CanonicalHeaderKey(name)
		return name == "Token" || name == authorization
	case delivery.Query:
		return name == "token"
	}
	return false
}

func (c jenkinsCheck) sign(o *Outgoing) error { return queryCheck{c.secret, "token"}.sign(o) }

func (c jenkinsCheck) hints(r *Request) []string {
	secrets := c.secret.Values()
	token, place := c.token(r)
	if which(token, secrets) > 0 {
		return nil
	}
	if hint := nearly(token, secrets, "the token"); hint != "" && place != "" {
		return []string{hint}
	}
	return elsewhere(r, secrets, "in the URL's parameter token, in header token, or as Authorization: Bearer")
}

func (jenkinsCheck) String() string {
	return "a token in the URL's parameter token, in header token, or as Bearer"
}
