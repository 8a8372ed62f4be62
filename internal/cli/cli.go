// Package cli joins the other packages into the command pawl.
package cli

// Main runs pawl.
func Main() int { return 0 }
