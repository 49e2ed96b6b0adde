// Package ring measures the ring beside what could stand in its place, and
// compares it with a reference that is too slow to be one.
//
// The reference keeps the bytes in atomic words and its holes in a slice; the
// differential test runs the same programs on both. The benchmark carries the
// build tag bench: it wants the machine for itself, and asserts ratios within
// one run only. `make bench-ring` runs it.
package ring
