package sender

// alertmanager is Prometheus' Alertmanager.
func alertmanager() *Sender {
	return &Sender{
		Name: "alertmanager", Title: "Prometheus Alertmanager",
		Events: []string{"firing", "resolved"},
		Start:  Start{Field: "commonLabels.alertname"},
		free:   []string{"labels", "annotations", "commonLabels", "commonAnnotations", "groupLabels"},
		About: About{
			Auth: "Signs nothing. The secret is a Bearer token; with auth: {basic: {user: …}} it is Basic's password.",
			Settings: []string{
				"In alertmanager.yml, in a receiver:",
				"webhook_configs: [{url: '{url}', http_config: {authorization: {credentials: '{secret}'}}}]",
				"credentials_file names a file in its place. Then reload Alertmanager.",
			},
			Timeout: "none at first (timeout in the receiver sets one)",
			Failure: "A 5xx and errors of the network are tried again until the group's next turn; a 4xx is not.",
			Tries:   "5xx again until the group's next turn",
			Remarks: []string{
				"A group comes again every repeat_interval with the same groupKey, which names the group and is no id: use it as queue.key.",
				"alerts is a list: for-each runs once for each; max_alerts shortens it, and truncatedAlerts says by how many.",
			},
			Sources: []string{
				"https://prometheus.io/docs/alerting/latest/configuration/#webhook_config",
				"https://github.com/prometheus/alertmanager/tree/main/notify/webhook",
			},
		},
		own:   func(o own) (check, error) { return newBearer(o.secret) },
		event: fromPayload("status"),
	}
}
