//go:build !day

package daemon

// dayRates are low, so that a day has few frames. With the tag day they are real.
var dayRates = []int{100, 160, 441, 1000}
