package sender

import (
	"context"
	"strings"

	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/secret"
)

const gitlabToken = "X-Gitlab-Token"

// gitlab is GitLab: project, group and system hooks.
func gitlab() *Sender {
	return &Sender{
		Name: "gitlab", Title: "GitLab",
		Repeats: true, SwitchesOff: true,
		Events: []string{
			"Push Hook", "Tag Push Hook", "Merge Request Hook", "Pipeline Hook", "Job Hook", "Release Hook",
			"Deployment Hook", "Issue Hook", "Note Hook", "System Hook",
		},
		Start: Start{Field: "project.path_with_namespace"},
		keys:  gitlabKeys(),
		About: About{
			Auth: "Sends the secret token as X-Gitlab-Token. With a signing token (whsec_…) it signs id, time and body as Standard Webhooks has it; such a secret makes the signature count.",
			Settings: []string{
				"In the project or group: Settings, Webhooks, Add new webhook.",
				"URL: {url}",
				"Secret token: {secret} (or, where there is a field for it, a signing token: whsec_ and 32 bytes in base64, which is the hook's secret then)",
				"Choose the triggers, then Add webhook. Test sends an ordinary event.",
			},
			Timeout: "10 s",
			Failure: "A 4xx, a 5xx or no answer. Four in a row pause the webhook for a minute, and each further one doubles that, up to 24 hours.",
			Tries:   "none; paused after 4, disabled after 40",
			GivesUp: "After 40 failures in a row it is disabled until a person tests it.",
			Remarks: []string{
				"Deliveries that fall into a pause are not sent later.",
				"The id is Idempotency-Key; older versions give X-Gitlab-Event-UUID, which all webhooks of one event share, and those of events that these cause: by it no repetition is told.",
			},
			Sources: []string{
				"https://docs.gitlab.com/user/project/integrations/webhooks/",
				"https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944",
			},
			Uncertain: []string{
				"how old a signed time may be (5 minutes are allowed here)",
				"the length of the pauses and the 40 failures: a third party says so",
			},
		},
		own:    newGitlab,
		signs:  true,
		event:  fromHeader("X-Gitlab-Event"),
		unwrap: unwrapJSON,
		id:     gitlabID,
		// X-Gitlab-Event-UUID is that of what began it all: a push that a
		// webhook's script makes has the same (GitLab tells recursion by it).
		shared: func(d *delivery.Delivery) bool {
			return header(d, "Idempotency-Key") == "" && header(d, webhookID) == ""
		},
	}
}

// gitlabID is the id of a delivery. Beside a signature it is the one that the
// signature covers; GitLab writes the same into both.
func gitlabID(d *delivery.Delivery) string {
	if header(d, webhookSignature) != "" {
		if id := header(d, webhookID); id != "" {
			return id
		}
	}
	return fromHeader("Idempotency-Key", "X-Gitlab-Event-Uuid")(d)
}

// gitlabCheck wants the secret token, or a signature of a signing token: each
// secret is one of the two.
type gitlabCheck struct {
	secret  *secret.Set
	signed  *hmacCheck
	signing bool // every secret is a signing token: the hook has auth.hmac
}

func newGitlab(o own) (check, error) {
	c := &gitlabCheck{secret: o.secret, signing: o.hmac != nil}
	c.signed = standardSignature(o.secret, func(text string) (string, bool) {
		if !c.isSigning(text) {
			return "", false
		}
		return standardKey(text)
	})
	for _, s := range o.secret.Values() {
		if _, ok := standardKey(s.Reveal()); !ok && c.isSigning(s.Reveal()) {
			return nil, &ConfigError{"secret", "a signing token of GitLab is whsec_ and base64; one that is set is not"}
		}
	}
	if _, err := c.signed.configured(o, "GitLab"); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *gitlabCheck) isSigning(text string) bool {
	return c.signing || strings.HasPrefix(text, "whsec_")
}

// kinds reports whether there are signing tokens and secret tokens.
func (c *gitlabCheck) kinds(secrets []secret.Value) (signing, tokens bool) {
	for _, s := range secrets {
		if c.isSigning(s.Reveal()) {
			signing = true
		} else {
			tokens = true
		}
	}
	return signing, tokens
}

func (*gitlabCheck) early() bool { return false }

// before makes the check without the body where the token alone counts.
func (c *gitlabCheck) before(r *Request) error {
	secrets := c.secret.Values()
	if signing, _ := c.kinds(secrets); signing {
		return nil
	}
	_, err := c.verifyToken(r, secrets)
	return err
}

func (c *gitlabCheck) verify(_ context.Context, r *Request) (string, error) {
	secrets := c.secret.Values()
	signing, tokens := c.kinds(secrets)
	_, signature := first(r.Header, webhookSignature)
	// A signature that is there and can be verified is final.
	if signing && (signature || !tokens) {
		return c.signed.verifyWith(r, secrets)
	}
	return c.verifyToken(r, secrets)
}

func (c *gitlabCheck) verifyToken(r *Request, secrets []secret.Value) (string, error) {
	given, ok := first(r.Header, gitlabToken)
	if !ok {
		return "", withheld("header", "there is no header "+gitlabToken)
	}
	found := 0
	for i, s := range secrets {
		if same(given, s.Reveal()) && !c.isSigning(s.Reveal()) && found == 0 {
			found = i + 1
		}
	}
	if found == 0 {
		return "", withheld("header", "the value of header "+gitlabToken+" is not the secret")
	}
	return passed("header "+gitlabToken, found, len(secrets)), nil
}

func (*gitlabCheck) credential(source delivery.Source, name string) bool {
	return headerCheck{header: gitlabToken}.credential(source, name)
}

func (c *gitlabCheck) sign(o *Outgoing) error {
	text, err := newest(c.secret)
	if err != nil {
		return err
	}
	if c.isSigning(text) {
		return c.signed.sign(o)
	}
	o.Header.Set(gitlabToken, text)
	return nil
}

func (c *gitlabCheck) hints(r *Request) []string {
	if _, err := c.verify(context.Background(), r); err == nil {
		return nil
	}
	signing, tokens := c.kinds(c.secret.Values())
	_, signature := first(r.Header, webhookSignature)
	switch {
	case signing && signature:
		return c.signed.hints(r)
	case signing && !tokens:
		return []string{"the secret is a signing token (whsec_…), and the request is not signed: set a signing token at GitLab's webhook, or make its secret token the hook's secret"}
	}
	return newHeader(c.secret, gitlabToken).hints(r)
}

func (c *gitlabCheck) String() string {
	switch signing, tokens := c.kinds(c.secret.Values()); {
	case signing && tokens:
		return c.signed.String() + ", or a secret in header " + gitlabToken
	case signing || c.signing:
		return c.signed.String()
	}
	return "a secret in header " + gitlabToken
}

// gitlabKeys are the outermost keys that the documentation lists besides those in
// samples: its bodies have many more.
func gitlabKeys() []string {
	return []string{
		"after", "assignees", "before", "build_id", "build_name", "build_stage", "build_status", "builds", "changes", "checkout_sha", "commit",
		"commits", "created_at", "deployable_id", "deployment_id", "description", "environment", "event_name", "event_type", "issue", "labels",
		"merge_request", "message", "name", "object_attributes", "object_kind", "owner_email", "owner_name", "path", "path_with_namespace",
		"pipeline_id", "project", "project_id", "push_options", "ref", "ref_protected", "repository", "reviewers", "runner", "sha", "snippet",
		"source_pipeline", "status", "tag", "tag_protected", "total_commits_count", "updated_at", "url", "user", "user_avatar", "user_email",
		"user_id", "user_name", "user_username", "wiki", "work_item",
	}
}
