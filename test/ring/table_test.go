//go:build bench

package ring

import (
	"fmt"
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

// either is a for a short run and b for a full one.
func either[T any](a, b T) T {
	if short() {
		return a
	}
	return b
}

// quantile is the q-th part of sorted x.
func quantile[T any](x []T, q float64) T { return x[min(len(x)-1, int(q*float64(len(x))))] }

func median(x []float64) float64 {
	slices.Sort(x)
	return quantile(x, 0.5)
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

// beside is x and how many times floor it is.
func beside(x, floor float64) string {
	digits := "%s x%.2f"
	if x < floor/10 {
		digits = "%s x%.1g"
	}
	return fmt.Sprintf(digits, short3(x), x/floor)
}

// short3 writes x with three digits or more.
func short3(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.3g", x)
	}
	return fmt.Sprintf("%.0f", x)
}
