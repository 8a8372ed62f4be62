package trigger_test

import (
	"net/http"
	"testing"

	"github.com/pawlhq/pawl/internal/hook"
	"github.com/pawlhq/pawl/internal/run"
	"github.com/pawlhq/pawl/internal/trigger"
)

// TestConfirmation: a subscription is confirmed only where the hook's Gate has
// verified whose topic it is. Anyone may send a URL to a hook without one.
func TestConfirmation(t *testing.T) {
	const url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
	for auth, fetch := range map[string]string{
		"{ sns: { topics: [arn:aws:sns:eu-central-1:123456789012:images] } }": url,
		"none": "",
	} {
		hooks, problems := hook.Read("hooks.yaml", []byte("- { id: a, execute-command: /bin/true, sender: ecr, auth: "+auth+" }\n"), hook.Options{})
		if len(hooks) != 1 || problems.Errors() > 0 {
			t.Fatalf("%s: %v", auth, problems)
		}
		v := trigger.Ask(hooks[0], &run.Delivery{
			Method: http.MethodPost, Header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}},
			Body: []byte(`{"Type":"SubscriptionConfirmation","SubscribeURL":"` + url + `"}`),
		}, trigger.Mode{})
		if v.Kind != trigger.Handshaken || v.Handshake.Status != http.StatusOK || v.Handshake.Fetch != fetch {
			t.Errorf("auth %s: kind %d, handshake %+v", auth, v.Kind, v.Handshake)
		}
	}
}
