// Package configs holds the configuration file that comes with ingestd: every
// key with a comment, and what is commented out with its default. The command
// writes it for users, and packages install it.
package configs

import _ "embed"

//go:embed ingestd.toml
var packaged string

// Packaged is the file as it is installed.
func Packaged() string { return packaged }
