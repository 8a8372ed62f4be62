package cli

import (
	"github.com/spf13/cobra"

	"github.com/pawlhq/pawl/internal/hook"
)

// newSchema makes the command that prints the JSON Schema of hook files.
func (a *app) newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print a JSON Schema of hook files, for editors",
		Long: `Print a JSON Schema (draft 2020-12) of hook files. Editors complete keys, show what
they mean, and mark mistakes with it, in YAML and in JSON.

    pawl schema >hooks.schema.json

Then begin a hook file with this line, which the YAML language server (VS Code,
Neovim, Emacs, Helix…) reads; the path is meant from the hook file:

    # yaml-language-server: $schema=hooks.schema.json

pawl check says more: a schema cannot look at secrets, scripts and expressions.

Exit statuses: 0; 2 wrong flags.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(hook.Schema())
			return err
		},
	}
}
