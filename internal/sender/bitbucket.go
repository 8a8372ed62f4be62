package sender

// bitbucket is Bitbucket, Cloud and Data Center.
func bitbucket() *Sender {
	event := fromHeader("X-Event-Key")
	return &Sender{
		Name: "bitbucket", Title: "Bitbucket",
		Repeats: true,
		Events: []string{
			"repo:push", "repo:refs_changed", "pullrequest:created", "pullrequest:updated", "pullrequest:fulfilled",
			"pr:opened", "pr:merged", "repo:commit_status_updated", "diagnostics:ping",
		},
		Start: Start{Field: "repository.full_name", Events: []string{"repo:push", "repo:refs_changed"}},
		keys:  bitbucketKeys(),
		About: About{
			Auth: "Signs the body: X-Hub-Signature is sha256= and the HMAC-SHA256 in hexadecimal.",
			Settings: []string{
				"In the repository: Repository settings, Webhooks, Add (Data Center: Create) webhook.",
				"URL: {url}",
				"Secret: {secret}",
				"Status: active. Choose the triggers (events), then Save.",
			},
			Timeout: "10 s",
			Failure: "Cloud: a 5xx is tried up to twice more, at once, with the same id and X-Attempt-Number. Data Center: not tried again.",
			Tries:   "Cloud: twice more; Data Center: none",
			GivesUp: "Cloud does not. Data Center leaves an URL alone after 5 failures in a row, begins again by itself after a pause, and lengthens the pause.",
			Remarks: []string{
				"Data Center's Test connection sends diagnostics:ping, which is answered and runs nothing.",
				"Cloud's id is X-Request-UUID, Data Center's X-Request-Id.",
			},
			Sources: []string{
				"https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/",
				"https://support.atlassian.com/bitbucket-cloud/docs/troubleshoot-webhooks/",
				"https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html",
			},
			Uncertain: []string{
				"that X-Request-UUID stays the same when Cloud tries again",
				"that diagnostics:ping is signed: an unsigned one is refused where a secret is set",
			},
		},
		own: func(o own) (check, error) {
			c := &hmacCheck{
				secret:   o.secret,
				lines:    []line{{"X-Hub-Signature", "sha256", "hex", "sha256="}},
				template: []piece{{kind: signedBody}},
			}
			return c.configured(o, "Bitbucket")
		},
		signs:     true,
		event:     event,
		unwrap:    unwrapJSON,
		id:        fromHeader("X-Request-Uuid", "X-Request-Id"),
		handshake: ping(event, "diagnostics:ping"),
	}
}

// bitbucketKeys are the outermost keys that the documentation lists besides those in
// samples: its bodies have many more.
func bitbucketKeys() []string {
	return []string{
		"actor", "approval", "changes", "comment", "commit", "commit_status", "commits", "date", "eventKey", "fork", "issue", "new", "old",
		"participant", "previous", "pullRequest", "pullrequest", "push", "refLimitExceeded", "repository", "test", "toCommit", "changes_request",
	}
}
