//go:build day

package daemon

var dayRates = []int{8000, 16000, 22050, 48000}
