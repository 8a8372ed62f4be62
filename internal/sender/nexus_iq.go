package sender

// nexusIQ is Sonatype Lifecycle, whose server is Nexus IQ.
func nexusIQ() *Sender {
	return &Sender{
		Name: "nexus-iq", Title: "Sonatype Lifecycle (Nexus IQ)",
		signs: true,
		Events: []string{
			"iq:applicationEvaluation", "iq:violationAlert", "iq:policyManagement", "iq:licenseOverrideManagement",
			"iq:securityVulnerabilityOverrideManagement", "iq:organizationAndApplicationManagement", "iq:waiverRequest",
		},
		own:    func(o own) (check, error) { return nexusSignature(o, "Nexus IQ", nil) },
		event:  fromHeader("X-Nexus-Webhook-Id"),
		unwrap: unwrapJSON,
		id:     fromHeader("X-Nexus-Webhook-Delivery"),
		Start:  Start{Field: "applicationEvaluation.application.publicId"},
		About: About{
			Auth: "X-Nexus-Webhook-Signature is the hexadecimal HMAC-SHA1 of the body.",
			Settings: []string{
				"In IQ Server open System Preferences, Webhooks, Add a Webhook.",
				"Webhook URL: {url}",
				"Secret Key: {secret}",
				"Event Types: Application Evaluation.",
			},
			Timeout: "not documented",
			Failure: "It does not try again.",
			Tries:   "none",
			GivesUp: "After the first try this event is lost.",
			Remarks: []string{
				"Without a secret key IQ sends no signature, and Pawl refuses.",
			},
			Sources: []string{
				"https://help.sonatype.com/en/lifecycle-webhooks.html",
			},
			Uncertain: []string{"how long it waits", "the bodies of events other than iq:applicationEvaluation"},
		},
	}
}
