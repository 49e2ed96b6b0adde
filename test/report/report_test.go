package main

import (
	"strings"
	"testing"
)

func TestReportKeepsTheVerdict(t *testing.T) {
	const (
		pass    = `{"Action":"pass","Package":"github.com/ingestd/ingestd/audio","Test":"TestA"}` + "\n"
		pkgPass = `{"Action":"pass","Package":"github.com/ingestd/ingestd/audio","Elapsed":0.1}` + "\n"
		why     = `{"Action":"output","Package":"github.com/ingestd/ingestd/audio","Test":"TestB","Output":"    a_test.go:1: left out: no sox here\n"}` + "\n"
		bare    = `{"Action":"output","Package":"github.com/ingestd/ingestd/audio","Test":"TestB","Output":"    a_test.go:1: slow\n"}` + "\n"
		skip    = `{"Action":"skip","Package":"github.com/ingestd/ingestd/audio","Test":"TestB"}` + "\n"
		fail    = `{"Action":"fail","Package":"github.com/ingestd/ingestd/audio","Test":"TestB"}` + "\n"
		pkgFail = `{"Action":"fail","Package":"github.com/ingestd/ingestd/audio","Elapsed":0.1}` + "\n"
		build   = `{"ImportPath":"x","Action":"build-output","Output":"a.go:1:1: undefined: b\n"}` + "\n" + `{"ImportPath":"x","Action":"build-fail"}` + "\n"
	)
	for _, c := range []struct {
		claim, in string
		args      []string
		code      int
		says      string
	}{
		{"all passed", pass + pkgPass, nil, 0, "ok    audio                       1 passed     0.1 s\n"},
		{"the reason is told", pass + why + skip + pkgPass, nil, 0, "left out: 1: no sox here (audio TestB)\n"},
		{"what is needed may not be left out", pass + why + skip + pkgPass, []string{"-need", "(?i)SOX"}, 1, "it is needed here"},
		{"a skip says why", pass + bare + skip + pkgPass, nil, 1, "without saying"},
		{"a failed test is shown", pass + bare + fail + pkgFail, nil, 1, "slow"},
		{"a package fails without a test", pass + pkgFail, nil, 1, "FAIL  audio"},
		{"a build fails", build, nil, 1, "undefined: b"},
		{"a panic takes its test along", bare + pkgFail, nil, 1, "FAIL  audio TestB"},
		{"words of the go command are kept, and nothing is not success", "no such thing\n", nil, 1, "no such thing\nFAIL  no test ran\n"},
		{"bad pattern", "", []string{"-need", "("}, 2, ""},
	} {
		var out, errs strings.Builder
		if code := run(c.args, strings.NewReader(c.in), &out, &errs); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit %d, want %d; said\n%s%s", c.claim, code, c.code, &out, &errs)
		}
	}
}
