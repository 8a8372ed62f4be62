package sender

import (
	"strings"

	"github.com/pawlhq/pawl/internal/run"
)

// gitea is Gitea.
func gitea() *Sender {
	s := giteaLike("Gitea", "X-Gitea-Event-Type is finer than the event type: issue_assign where the event is issues.")
	s.About.Sources = []string{
		"https://docs.gitea.com/usage/webhooks",
		"https://github.com/go-gitea/gitea/blob/main/services/webhook/deliver.go",
	}
	return s
}

// giteaLike is Gitea, or what came of it: headers and pages bear its name, all else
// is alike, but for one remark.
func giteaLike(title, remark string) *Sender {
	return &Sender{
		Name: strings.ToLower(title), Title: title,
		Events: []string{"push", "create", "delete", "pull_request", "issues", "issue_comment", "release", "package", "repository"},
		Start:  Start{Field: "repository.full_name"},
		keys:   giteaKeys(),
		About: About{
			Auth: "Signs the body: X-" + title + "-Signature is the HMAC-SHA256 in hexadecimal, without a prefix. Of a form it signs the value of the field payload.",
			Settings: []string{
				"In the repository or organisation: Settings, Webhooks, Add webhook, " + title + ".",
				"Target URL: {url}",
				"HTTP method: POST. POST content type: application/json.",
				"Secret: {secret}",
				"Choose the events, then Add webhook. Test delivery sends an ordinary push.",
			},
			Timeout: "5 s (DELIVER_TIMEOUT)",
			Failure: "Anything but a 2xx. It does not try again by itself; a person can replay a delivery, and the id stays.",
			Tries:   "none by itself",
			Remarks: []string{
				"Without a secret it sends the signature's header empty; that is refused.",
				remark,
				title + " calls hosts of private networks only if ALLOWED_HOST_LIST in section [webhook] of its configuration lets it.",
			},
		},
		own: func(o own) (check, error) {
			return bareSignature(o, "X-"+title+"-Signature").configured(o, title)
		},
		signs:  true,
		event:  fromHeader("X-" + title + "-Event"),
		id:     fromHeader("X-" + title + "-Delivery"),
		unwrap: unwrapForm,
	}
}

// bareSignature is a SHA-256 signature without a prefix, over the body or the
// field payload of a form.
func bareSignature(o own, header string) *hmacCheck {
	return &hmacCheck{
		secret:   o.secret,
		lines:    []line{{header, "sha256", "hex", ""}},
		template: []piece{{kind: signedBody}},
		bodies:   formBodies,
	}
}

// formBodies is what may be signed of a form: the value of its field payload
// (Gitea's code), or the form itself (its documentation). nil: it is no form.
func formBodies(d *run.Delivery) [][]byte {
	text, ok := formPayload(d)
	if !ok {
		return nil
	}
	return [][]byte{text, d.Body}
}

// giteaKeys are the outermost keys that the documentation lists besides those in
// samples: its bodies have many more.
func giteaKeys() []string {
	return []string{
		"action", "after", "before", "changes", "comment", "commit_id", "commits", "compare_url", "forkee", "head_commit", "is_pull", "issue",
		"number", "organization", "package", "page", "pull_request", "pusher", "pusher_type", "ref", "ref_type", "release", "repository",
		"requested_reviewer", "review", "run", "schedule", "sender", "sha", "total_commits", "user", "workflow", "workflow_job", "workflow_run",
	}
}
