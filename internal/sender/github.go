package sender

// github is GitHub, GitHub Enterprise Server included.
func github() *Sender {
	event := fromHeader("X-Github-Event")
	return &Sender{
		Name: "github", Title: "GitHub",
		Events: []string{
			"push", "pull_request", "release", "workflow_run", "check_run", "create", "delete", "issues", "issue_comment",
			"deployment", "package", "registry_package", "repository_dispatch", "ping",
		},
		Start: Start{Field: "repository.full_name"},
		keys:  githubKeys(),
		About: About{
			Auth: "Signs the body: X-Hub-Signature-256 is sha256= and the HMAC-SHA256 in hexadecimal. " +
				"The older SHA-1 signature counts only if algorithms names sha1 and there is no other.",
			Settings: []string{
				"In the repository or organisation: Settings, Webhooks, Add webhook.",
				"Payload URL: {url}",
				"Content type: application/json (the form type works too).",
				"Secret: {secret}",
				"Choose the events, then Add webhook. GitHub sends a ping at once, which is answered and runs nothing.",
			},
			Timeout: "10 s (GitHub Enterprise Server: 30 s)",
			Failure: "Anything but a 2xx. It does not try again by itself; a person can, by Redeliver, and the id stays.",
			Tries:   "none by itself",
			Remarks: []string{
				"A body is at most 25 MB; what would be larger is not sent.",
				"Neither the event type nor the id is covered by the signature.",
			},
			Sources: []string{
				"https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
				"https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries",
				"https://docs.github.com/en/webhooks/webhook-events-and-payloads",
			},
		},
		own:       githubSignature,
		signs:     true,
		event:     event,
		id:        fromHeader("X-Github-Delivery"),
		unwrap:    unwrapForm,
		handshake: ping(event, "ping"),
	}
}

// githubSignature verifies what GitHub signs: the body as it came, also of a
// form.
func githubSignature(o own) (check, error) {
	c := &hmacCheck{
		secret: o.secret,
		lines: []line{
			{"X-Hub-Signature-256", "sha256", "hex", "sha256="},
			{"X-Hub-Signature", "sha1", "hex", "sha1="},
		},
		template: []piece{{kind: signedBody}},
	}
	return c.configured(o, "GitHub")
}

// githubKeys are the outermost keys that the documentation lists besides those in
// samples: its bodies have many more.
func githubKeys() []string {
	return []string{
		"action", "after", "alert", "assignee", "base_ref", "before", "branches", "changes", "check_run", "check_suite", "client_payload",
		"comment", "commit", "commits", "compare", "context", "created", "deleted", "deployment", "deployment_status", "description",
		"discussion", "enterprise", "forced", "forkee", "head_commit", "hook", "hook_id", "inputs", "installation", "issue", "key", "label",
		"master_branch", "member", "membership", "milestone", "name", "number", "organization", "package", "pages", "pull_request", "pusher",
		"pusher_type", "ref", "ref_type", "registry_package", "release", "repository", "requested_reviewer", "review", "rule", "sender", "sha",
		"starred_at", "state", "target_url", "team", "thread", "workflow", "workflow_job", "workflow_run", "zen",
	}
}
