//go:build !unix

package lint

import "io/fs"

// writers cannot be told from a mode here.
func writers(fs.FileInfo) (who, change string) { return "", "" }

// readable cannot be told from a mode here.
func readable(fs.FileInfo) string { return "" }
