// Package bench measures the real program beside what it is compared with, in
// one run, and asserts ratios. Its tests carry the build tag bench: they want
// the machine for themselves. `make bench` runs them.
package bench
