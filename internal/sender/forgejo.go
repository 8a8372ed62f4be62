package sender

// forgejo is Forgejo, Codeberg included.
func forgejo() *Sender {
	return &Sender{
		Name: "forgejo", Title: "Forgejo",
		Events: []string{"push", "create", "delete", "pull_request", "issues", "issue_comment", "release", "package", "repository"},
		Start:  Start{Field: "repository.full_name"},
		keys:   giteaKeys(),
		About: About{
			Auth: "Signs the body: X-Forgejo-Signature is the HMAC-SHA256 in hexadecimal, without a prefix. Of a form it signs the value of the field payload.",
			Settings: []string{
				"In the repository or organisation: Settings, Webhooks, Add webhook, Forgejo.",
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
				"It sends Gitea's, Gogs' and GitHub's headers too; only its own count.",
				"Forgejo calls hosts of private networks only if ALLOWED_HOST_LIST in section [webhook] of its configuration lets it.",
			},
			Sources:   []string{"https://forgejo.org/docs/latest/user/webhooks/"},
			Uncertain: []string{"the time-out and what a form's signature is of: taken to be as Gitea's"},
		},
		own: func(o own) (check, error) {
			return bareSignature(o, "X-Forgejo-Signature").configured(o, "Forgejo")
		},
		signs:  true,
		event:  fromHeader("X-Forgejo-Event"),
		id:     fromHeader("X-Forgejo-Delivery"),
		unwrap: unwrapForm,
	}
}
