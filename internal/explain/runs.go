package explain

import (
	"strings"

	"github.com/pawlhq/pawl/internal/command"
	"github.com/pawlhq/pawl/internal/delivery"
	"github.com/pawlhq/pawl/internal/rule"
	"github.com/pawlhq/pawl/internal/run"
)

// How much is shown of what a run is given beside its arguments.
const (
	maxContent = 1 << 10 // of a file, or of standard input
	maxValue   = 8 << 10 // of an argument or a variable
)

// run tells what a run would be given.
func (q *question) run(r run.Run) Run {
	r.Delivery = q.request.Delivery
	shown := Run{Element: rule.Cut(r.Element, maxValue), Argv: []string{}, Env: []string{}, Files: []File{}, Inherit: q.inherited()}
	if r.Key.Set {
		key := q.masks.text(r.Key.Text)
		shown.Key = &key
	}
	content := delivery.OfRun(r, q.hook.Payload)
	_ = content.Parse() // Ask did, without an error
	built, err := command.Build(q.hook, content)
	if err != nil {
		shown.Problem = q.masks.text(err.Error())
	}
	sizes := make([]int, len(built.Files)) // of what is masked too
	for i := range built.Files {
		sizes[i] = len(built.Files[i].Content)
	}
	built = built.Shown()
	shown.Dir = built.Directory
	for _, argument := range built.Args {
		shown.Argv = append(shown.Argv, rule.Cut(q.masks.text(argument), maxValue))
	}
	for _, item := range built.Env {
		if name, _, _ := strings.Cut(item, "="); !strings.HasPrefix(strings.ToUpper(name), "PAWL_") {
			shown.Env = append(shown.Env, rule.Cut(q.masks.text(item), maxValue))
		}
	}
	shown.Env = append(shown.Env, q.told(r)...)
	for i, file := range built.Files {
		shown.Files = append(shown.Files, File{file.Variable, sizes[i], rule.Cut(q.masks.text(string(file.Content)), maxContent)})
	}
	shown.Stdin = rule.Cut(q.masks.text(string(built.Stdin)), maxContent)
	for _, missing := range built.Missing {
		shown.Missing = append(shown.Missing, missing.Error())
	}
	return shown
}

// told is what Pawl tells each script, as far as it is known before: ids and
// places are made for each run.
func (q *question) told(r run.Run) []string {
	told := []string{"PAWL_HOOK_ID=" + q.hook.ID, "PAWL_ATTEMPT=1"}
	if q.request.ID != "" {
		told = append(told, "PAWL_DELIVERY_ID="+q.request.ID)
	}
	if q.Sender != "" {
		told = append(told, "PAWL_SENDER="+q.Sender)
	}
	if q.Event != "" {
		told = append(told, "PAWL_EVENT="+q.Event)
	}
	return told
}

// inherited says in words what a script inherits of Pawl's environment.
func (q *question) inherited() string {
	of := q.hook.Process.Inherit
	words := "all of Pawl's environment but its PAWL_…"
	if of.Set {
		words = "of Pawl's environment " + strings.Join(of.Names, ", ")
		if len(of.Names) == 0 {
			words = "nothing of Pawl's environment"
		}
	}
	if len(of.Vars) > 0 {
		words += "; set besides: " + strings.Join(of.Vars, " ")
	}
	return words + "; ids and places of the run: PAWL_RUN_ID, PAWL_ARTIFACTS…"
}
