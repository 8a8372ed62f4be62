package sender

// ghcr is GitHub's registry of packages: GitHub's webhooks about images.
func ghcr() *Sender {
	s := github()
	s.Name, s.Title = "ghcr", "GitHub Packages (ghcr.io)"
	s.Start.Field = "registry_package.name"
	s.Events = []string{"registry_package", "package", "ping"}
	s.About.Settings = []string{
		"In the repository or organisation: Settings, Webhooks, Add webhook.",
		"Payload URL: {url}",
		"Content type: application/json",
		"Secret: {secret}",
		"Events: Let me select individual events, then Registry packages alone.",
	}
	s.About.Remarks = []string{
		"A push comes as registry_package, and as package too where both events are chosen: choose one, or the hook runs twice.",
		"The tag is registry_package.package_version.container_metadata.tag.name; it is empty for a push by digest alone.",
	}
	return s
}
