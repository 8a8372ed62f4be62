// Command pawl receives webhooks and runs scripts.
package main

import (
	"os"

	"github.com/pawlhq/pawl/internal/cli"
)

func main() {
	os.Exit(cli.Main())
}
