package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is the version that the source says it is; a build from a tagged
// module says its tag.
const release = "0.1.0"

// newVersion makes the command that prints the version.
func (a *app) newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

func (a *app) printVersion() error {
	_, err := fmt.Fprintf(a.stdout, "pawl version %s%s %s/%s %s\n", release, commit(), runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}

// commit is what the build knows of its source, "" where it knows nothing.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, modified := "", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && len(setting.Value) >= 12:
			revision = " (" + setting.Value[:12]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = ", modified"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + modified + ")"
}
