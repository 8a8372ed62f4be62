// Package database opens and keeps one SQLite database file.
package database

import (
	_ "github.com/klauspost/compress/zstd" // bodies and output
	_ "modernc.org/sqlite"                 // the driver
)
