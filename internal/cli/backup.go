package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
)

// newBackup makes the command that copies the journal of a running Pawl.
func (a *app) newBackup() *cobra.Command {
	var i instance
	command := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the journal of a running Pawl",
		Long: `Copy the journal of a running Pawl, as it is at one moment, to a new file. Pawl
goes on meanwhile. The file is written by Pawl's own user, for that user alone;
runs' artifacts are not in it.

To restore: stop Pawl, put the file in the place of journal.db in the data
directory, remove journal.db-wal and journal.db-shm beside it, and start Pawl.

Exit statuses: 0 copied; 1 not; 2 wrong flags.`,
		Args: wantOne("FILE"),
		RunE: func(command *cobra.Command, args []string) error {
			c, err := a.connect(command.Context(), &i)
			if err != nil {
				return err
			}
			return a.runBackup(command.Context(), c, args[0])
		},
	}
	i.addTo(command)
	return command
}

func (a *app) runBackup(ctx context.Context, c *client, file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	var answer struct {
		Path string `json:"path"`
	}
	if err := c.send(ctx, "/backup", map[string]string{"path": path}, &answer); err != nil {
		return err
	}
	fmt.Fprintln(a.stdout, answer.Path)
	return nil
}
