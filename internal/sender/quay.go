package sender

import "github.com/pawlhq/pawl/internal/delivery"

// unknown is the event of a body that looks like none that the sender is known
// to send. It is never taken for a push.
const unknown = "unknown"

// quay is Red Hat Quay and quay.io. It signs nothing and can keep nothing but a
// URL, so what authenticates it is in the URL.
func quay() *Sender {
	return &Sender{
		Name: "quay", Title: "Red Hat Quay", SwitchesOff: true,
		Events: []string{"repo_push", "vulnerability_found", "build_queued", "build", "build_failure", "repo_mirror_sync", "repo_image_expiry", unknown},
		why:    "Quay signs nothing: say where the secret is, as in auth: {path: {}} and secret: {file: /run/secrets/quay}; the URL that Quay is given then ends in the secret",
		event:  quayEvent,
		Start:  Start{Auth: inPath, Field: "docker_url"},
		About: About{
			Brief: "none: a secret in the URL (auth: path)",
			Auth:  "Quay signs nothing and keeps nothing but a URL. Put a secret into the URL: behind the hook's path (auth: {path: {}}), as a parameter (query) or as its user part (basic). A Quay that is served by https shows its own certificate too (client-certificate).",
			Settings: []string{
				"In Quay open the repository, Settings, Events and Notifications, Create Notification.",
				"Event: Push to Repository. Method: Webhook POST.",
				"Webhook URL: {url}",
				"Leave the POST body template empty: a template takes the place of the body that hooks read.",
			},
			Timeout: "10 s",
			Failure: "Anything but 2xx: it tries again after 30 s.",
			Tries:   "again after 30 s; disabled after 3",
			GivesUp: "After three failures in a row the notification is disabled, until someone resets it on the repository's page.",
			Remarks: []string{
				"No event type is sent: Pawl tells it by the body's keys. Builds that start, succeed and are cancelled look alike (build).",
				"The event unknown is a body that looks like none that Quay is known to send, as behind a template; it never counts as a push.",
				"No id is sent: two pushes of one tag are byte for byte the same, and both count.",
				"repository may hold more than one slash.",
			},
			Sources: []string{
				"https://docs.redhat.com/en/documentation/red_hat_quay/3.4/html/use_red_hat_quay/repository_notifications",
				"https://github.com/quay/quay",
			},
		},
	}
}

// quayEvent tells the event by the keys that Quay's bodies have
// (notifications/notificationevent.py in its source).
func quayEvent(d *delivery.Delivery) string {
	for _, known := range []struct {
		event string
		keys  []string
	}{
		{"repo_push", []string{"updated_tags"}},
		{"vulnerability_found", []string{"vulnerability"}},
		{"vulnerability_found", []string{"vulnerabilities"}},
		{"build_failure", []string{"build_id", "error_message"}},
		{"build_queued", []string{"build_id", "is_manual"}},
		{"build", []string{"build_id"}},
		{"repo_image_expiry", []string{"expiring_in"}},
		{"repo_mirror_sync", []string{"message"}},
	} {
		if hasAll(d, known.keys...) {
			return known.event
		}
	}
	return unknown
}

// hasAll reports whether the payload has values of all these names; null is none.
func hasAll(d *delivery.Delivery, names ...string) bool {
	for _, name := range names {
		text, err := d.Value(delivery.Ref{Source: delivery.Payload, Name: name})
		if err != nil || text == nullText {
			return false
		}
	}
	return true
}

// nullText is how a null is rendered, as webhook does.
const nullText = "<nil>"

// payloadText is a value of the payload; "" where it is missing or null.
func payloadText(d *delivery.Delivery, name string) string {
	if text := payload(d, name); text != nullText {
		return text
	}
	return ""
}
