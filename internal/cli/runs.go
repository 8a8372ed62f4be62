package cli

import (
	_ "github.com/jedib0t/go-pretty/v6/progress" // bulk commands
	_ "github.com/jedib0t/go-pretty/v6/table"    // lists
)
