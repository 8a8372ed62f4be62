package sender

import "github.com/pawlhq/pawl/internal/delivery"

// harbor is Harbor, in its default format and as CloudEvents.
func harbor() *Sender {
	return &Sender{
		Name: "harbor", Title: "Harbor", Repeats: true,
		Events: []string{
			"PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "SCANNING_COMPLETED", "SCANNING_FAILED", "SCANNING_STOPPED",
			"QUOTA_EXCEED", "QUOTA_WARNING", "REPLICATION", "TAG_RETENTION",
			"harbor.artifact.pushed", "harbor.artifact.pulled", "harbor.artifact.deleted",
			"harbor.scan.completed", "harbor.scan.failed", "harbor.scan.stopped",
			"harbor.quota.exceeded", "harbor.quota.warned", "harbor.replication.status.changed", "harbor.tag_retention.finished",
		},
		own:   func(o own) (check, error) { return newHeader(o.secret, authorization), nil },
		event: func(d *delivery.Delivery) string { return payloadText(d, "type") },
		id: func(d *delivery.Delivery) string {
			if !hasAll(d, "specversion") {
				return "" // the default format has no id
			}
			return payloadText(d, "id")
		},
		Start: Start{Field: "event_data.resources.0.resource_url", Events: []string{"PUSH_ARTIFACT", "harbor.artifact.pushed"}},
		free:  []string{"custom_attributes", "scan_overview", "metadata"},
		About: About{
			Auth: "Harbor sends the text that is entered as Auth Header, as the whole value of Authorization. The secret is that text; its case counts.",
			Settings: []string{
				"In Harbor open the project, Webhooks, New Webhook.",
				"Notify type: http. Payload format: CloudEvents (it has an id, so that repetitions are known) or Default.",
				"Event type: Artifact pushed. Endpoint URL: {url}",
				"Auth Header: {secret}",
				"Leave Verify Remote Certificate on.",
			},
			Timeout: "3 s",
			Failure: "Anything but 2xx: it tries again, three times in all.",
			Tries:   "three in all",
			GivesUp: "After three tries this event is lost.",
			Remarks: []string{
				"The types differ by format: PUSH_ARTIFACT by default, harbor.artifact.pushed with CloudEvents.",
				"The default format has no id, so repetitions run again.",
			},
			Sources: []string{
				"https://github.com/goharbor/harbor/tree/main/src/pkg/notifier/formats",
				"https://goharbor.io/docs/main/working-with-projects/project-configuration/configure-webhooks/",
			},
		},
	}
}
