// Command ingestd records sensors' sound for years into files that any tool
// can read, and says exactly what it missed.
package main

import "os"

func main() {
	os.Exit(run(os.Args, os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
