package sender

// forgejo is Forgejo, Codeberg included: it came of Gitea.
func forgejo() *Sender {
	s := giteaLike("Forgejo", "It sends Gitea's, Gogs' and GitHub's headers too; only its own count.")
	s.About.Sources = []string{"https://forgejo.org/docs/latest/user/webhooks/"}
	s.About.Uncertain = []string{"the time-out and what a form's signature is of: taken to be as Gitea's"}
	return s
}
