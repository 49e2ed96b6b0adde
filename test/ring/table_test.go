//go:build bench

package ring

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"golang.org/x/sys/unix"
)

// tries is how often a bar may be missed: others use the machine as well.
const tries = 3

// short says whether the figures may be rough.
func short() bool { return os.Getenv("INGESTD_BENCH") == "short" }

// slack is what a bar is moved by: a short run beside other work only shows
// what got much worse.
func slack() float64 { return either(2.0, 1.0) }

// either is a for a short run and b for a full one.
func either[T any](a, b T) T {
	if short() {
		return a
	}
	return b
}

// quantile is the q-th part of sorted x.
func quantile[T any](x []T, q float64) T { return x[min(len(x)-1, int(q*float64(len(x))))] }

// median of nothing is NaN.
func median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	return quantile(slices.Sorted(slices.Values(x)), 0.5)
}

// threadTime is the CPU time that this thread has used, in ns. The caller has
// locked itself to its thread.
func threadTime(t testing.TB) int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

// table is rows of cells, the first row the heads of the columns.
type table [][]string

func (a *table) row(cells ...string) { *a = append(*a, cells) }

// log writes the table below what it shows.
func (a *table) log(t testing.TB, format string, args ...any) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "\n"+format+"\n%s, GOMAXPROCS %d\n", append(args, runtime.Version(), runtime.GOMAXPROCS(0))...)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, row := range *a {
		fmt.Fprintln(w, strings.Join(row, "\t")+"\t")
	}
	w.Flush()
	t.Log(b.String())
}

// beside is the median of x, and how many times that of floor it is.
func beside(x, floor []float64) string { return cell(median(x), times(x, floor)) }

// times is the median of the ratios round by round: what disturbs one round
// disturbs both.
func times(x, floor []float64) float64 {
	ratios := make([]float64, len(x))
	for i := range x {
		ratios[i] = x[i] / floor[i]
	}
	return median(ratios)
}

func cell(ns, ratio float64) string {
	if math.IsNaN(ns) {
		return "-"
	}
	digits := "%s x%.2f"
	if ratio < 0.1 {
		digits = "%s x%.1g"
	}
	return fmt.Sprintf(digits, short3(ns), ratio)
}

// short3 writes x with three digits or more.
func short3(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.3g", x)
	}
	return fmt.Sprintf("%.0f", x)
}
