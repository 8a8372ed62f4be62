package sender

// nexusRepository is Sonatype Nexus Repository.
func nexusRepository() *Sender {
	return &Sender{
		Name: "nexus-repository", Title: "Sonatype Nexus Repository",
		signs:  true,
		Events: []string{"rm:repository:component", "rm:repository:asset", "rm:global:audit", "rm:global:repository"},
		own:    func(o own) (check, error) { return nexusSignature(o, "Nexus Repository", compacted) },
		event:  fromHeader("X-Nexus-Webhook-Id"),
		unwrap: unwrapJSON,
		id:     fromHeader("X-Nexus-Webhook-Delivery"),
		Start:  Start{Field: "component.name"},
		free:   []string{"attributes", "metadata"},
		About: About{
			Auth: "X-Nexus-Webhook-Signature is the hexadecimal HMAC-SHA1 of the JSON without white space between its tokens. Pawl tries the body as it came, then without that white space.",
			Settings: []string{
				"In Nexus open Administration, System, Capabilities, Create capability, Webhook: Repository.",
				"Repository: the one that is watched. Event Types: component (one event a component) or asset (one a file).",
				"URL: {url}",
				"Secret Key: {secret}",
			},
			Timeout: "not documented",
			Failure: "not documented",
			Tries:   "not documented",
			Remarks: []string{
				"What happened is in action: CREATED, UPDATED or DELETED. A hook that shall not run for deletions asks for it in its trigger rule.",
				"Without a secret key Nexus sends no signature, and Pawl refuses.",
				"A component of format docker has its tag in component.version.",
			},
			Sources: []string{
				"https://help.sonatype.com/en/enabling-a-repository-webhook-capability.html",
				"https://help.sonatype.com/en/example-headers-and-payloads.html",
			},
			Uncertain: []string{"how long it waits and whether it tries again"},
		},
	}
}
