// Command report reads the output of `go test -json` and prints what a person
// wants to know: a line for each package, all that a failed test said, and at
// the end what was left out and why.
//
//	go test -json ./... | report [-need REGEXP]
//
// A test is left out by t.Skip("left out: …"). One that is skipped without
// saying so has failed, and so has one whose reason matches REGEXP. The exit
// code is 1 if anything failed, or if no test ran.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("report", flag.ContinueOnError)
	flags.SetOutput(stderr)
	need := flags.String("need", "", "`REGEXP` of reasons for which nothing may be left out")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	r := report{out: stdout, said: map[test][]string{}, leftOut: map[string][]test{}, inPackage: map[string]int{}}
	if *need != "" {
		re, err := regexp.Compile(*need)
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 2
		}
		r.need = re
	}
	if err := r.read(stdin); err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	return r.close()
}

// event is a line of `go test -json`, see `go doc test2json`.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build-output and build-fail
	Elapsed                       float64
}

type test struct{ pkg, name string }

type report struct {
	out            io.Writer
	need           *regexp.Regexp
	said           map[test][]string
	leftOut        map[string][]test // by reason
	passed, failed int
	inPackage      map[string]int // tests that passed, by package
}

const maxLine = 16 << 20 // bytes

func (r *report) read(in io.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(r.out, lines.Text()) // not of a test: the go command's own words
			continue
		}
		r.take(e)
	}
	return lines.Err()
}

func (r *report) take(e event) {
	t := test{strings.TrimPrefix(e.Package, "github.com/ingestd/ingestd/"), e.Test}
	switch e.Action {
	case "output":
		r.said[t] = append(r.said[t], e.Output)
		return
	case "build-output":
		fmt.Fprint(r.out, e.Output)
		return
	case "build-fail":
		r.failed++
		return
	case "pass", "skip", "fail":
	default:
		return
	}
	switch {
	case e.Test == "":
		r.packageEnds(t, e)
	case e.Action == "pass":
		r.passed++
		r.inPackage[t.pkg]++
	case e.Action == "skip":
		r.skipped(t)
	case e.Action == "fail":
		r.failed++
		r.tell(t)
	}
	delete(r.said, t)
}

func (r *report) tell(t test) {
	fmt.Fprintf(r.out, "FAIL  %s %s\n", t.pkg, t.name)
	for _, line := range r.said[t] {
		fmt.Fprint(r.out, "      ", line)
	}
}

// skipped notes why t was left out.
func (r *report) skipped(t test) {
	_, reason, ok := strings.Cut(strings.Join(r.said[t], ""), "left out: ")
	reason, _, _ = strings.Cut(reason, "\n")
	switch {
	case !ok:
		r.said[t] = append(r.said[t], "skipped without saying what it was left out for\n")
	case r.need != nil && r.need.MatchString(reason):
		r.said[t] = append(r.said[t], "left out, and it is needed here\n")
	default:
		r.leftOut[reason] = append(r.leftOut[reason], t)
		return
	}
	r.failed++
	r.tell(t)
}

func (r *report) packageEnds(t test, e event) {
	word := "ok"
	if e.Action == "fail" {
		word = "FAIL"
		r.failed++ // also where no single test has: a panic, a TestMain, a time-out
		for _, line := range r.said[t] {
			fmt.Fprint(r.out, "      ", line)
		}
	}
	if r.inPackage[t.pkg] > 0 || e.Action == "fail" {
		fmt.Fprintf(r.out, "%-5s %-24s %4d passed %7.1f s\n", word, t.pkg, r.inPackage[t.pkg], e.Elapsed)
	}
	for s := range r.said { // a test that a panic took along never ended
		if s.pkg == t.pkg && s.name != "" && e.Action == "fail" {
			r.tell(s)
		}
		if s.pkg == t.pkg {
			delete(r.said, s)
		}
	}
}

// close prints the end of the report and returns the exit code.
func (r *report) close() int {
	for _, reason := range slices.Sorted(maps.Keys(r.leftOut)) {
		tests := r.leftOut[reason]
		slices.SortFunc(tests, func(a, b test) int { return strings.Compare(a.pkg+a.name, b.pkg+b.name) })
		fmt.Fprintf(r.out, "left out: %d: %s (%s %s%s)\n", len(tests), reason, tests[0].pkg, tests[0].name, more(len(tests)-1))
	}
	if r.passed == 0 && r.failed == 0 {
		fmt.Fprintln(r.out, "FAIL  no test ran")
		return 1
	}
	if r.failed > 0 {
		return 1
	}
	return 0
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
