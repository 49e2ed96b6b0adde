//go:build !linux

package clock

// BootID names the machine's boot; "": it has no name here.
func BootID() string { return "" }
