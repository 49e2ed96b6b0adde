//go:build mutants

package mutants

import (
	"testing"
)

const (
	estimator = "clock/estimator.go"
	fit       = "clock/estimator_fit.go"
	ask       = "clock/estimator_ask.go"
	watch     = "clock/estimator_watch.go"
	age       = "clock/estimator_age.go"
	track     = "clock/track.go"
	feed      = "clock/feed.go"
	slewSim   = "clock/sim_slew_test.go"
)

// estimating is the estimator of capture times, and how it is fed.
func estimating() []mutant {
	return []mutant{
		{"a second keeps its mean", estimator, "	switch {\n	case above < b.above:\n		b.lowest, b.above, b.second = p, above, b.above", "	n := float64(b.points)\n	b.lowest.x, b.lowest.y = b.lowest.x+(p.x-b.lowest.x)/n, b.lowest.y+(p.y-b.lowest.y)/n\n	switch {\n	case above < b.above:\n		b.above, b.second = above, b.above"},
		{"a hole forgets the slope", estimator, "		e.segment++\n", "		e.segment++\n		e.n, e.line.slope, e.line.slopeErr = 0, 0, e.priorErr\n"},
		{"a hole keeps the offset", estimator, "	if e.empty {\n		return\n	}", "	if true {\n		return\n	}"},
		{"segments share their offset", fit, "all[i].segment == o.segment; i++ {\n			if", "o.segment >= 0; i++ {\n			if"},
		{"a segment counts the minima of the one before", estimator, `e.low, e.own = false, p.x, p, 0`, `e.low = false, p.x, p`},
		{"a bin is a number of packets", estimator, `second != e.second`, `e.open.points >= 47`},
		{"the estimator works on a slewed clock", slewSim, `feed.Add(convert, p.end, b)`, `_ = feed; eRaw.Observe(p.end, b)`},
		{"the time of a suspend is not added", slewSim, `e.Observe(pos, p.at+suspended)`, `e.Observe(pos, p.at)`},
		{"the line is not fitted again", fit, "	mark(all, first.slope)\n", ``},
		{"the error leaves out the scatter", fit, `l.err = 4 * std * (1 + 2/n)`, `l.err = 0*n`},
		{"the error is never wrong because it is huge", fit, `l.err = 4 * std * (1 + 2/n)`, `l.err = 40 * std * (1 + 2/n) + 1e6`},
		{"a hole is measured by the rate of the wrong sign", ask, `ppm*1e-6))`, `-ppm*1e-6))`},
		{"a hole is measured by the nominal rate", ask, `ppm := faster(e.line.slope)`, `ppm := 0.0`},
		{"time before the first point is rounded up", estimator, "	if frames < 0 {\n		s, frames = s-1, frames+e.rate\n	}\n", ``},
		{"nominal time is a float", estimator, "	return s*1e9 + frames*1e9/e.rate", "	return int64((float64(s) + float64(frames)/float64(e.rate)) * 1e9)"},
		{"a first burst is thought on time", ask, `err += float64(e.Late())`, `_ = e`},
		{"the error does not grow with distance", ask, `return s * (l.slopeErr + min(maxWander, wander/2*s))`, `return 0*s`},
		{"a slew never turns", track, "u.ppm, u.noise, u.turned, u.since = ppm, noise, last.Steady(), last.Raw", "u.ppm, u.noise = ppm, noise"},
		{"noise is taken for a turn", track, `> turnPPM+noise+t.noise:`, `> 1:`},
		{"readings measure their own error", track, `d < trackApart ||`, `d < 1 ||`},
		{"what came in suspend is dated before it", track, `b.Raw-a.Raw, b.Mono-a.Mono) + b.Suspended()`, `b.Raw-a.Raw, b.Mono-a.Mono) + a.Suspended()`},
		{"the time in suspend counts for the rate of the clock", track, `	if b.Since(a).Suspend == 0 {`, `	if true {`},
		{"the clock goes on as it did before it turned", track, `t.r[from].Raw > t.since && `, ``},
		{"a packet is dated before it is known what the clock did", feed, `for known < f.n && f.wait[known].mono <= t.Last().Mono {`, `for known < f.n {`},
		{"a packet is dated while the clock turns", feed, `if !t.Bent(w.mono) {`, `if true {`},
		{"the watch takes the rate for exact", watch, `off := math.Abs(ppm) - err`, `off := math.Abs(ppm)`},
		{"the watch takes moves for exact", watch, `min(now.slow, ppm+err), max(now.fast, ppm-err)`, `min(now.slow, ppm), max(now.fast, ppm)`},
		{"the watch never forgets", watch, `e.any && minute-e.minute < 60`, `e.any`},
		{"the watch does not see that the rate came back", watch, "		w.far = false\n", "		w.far = w.far\n"},
		{"a negative age is believed", age, `age < 0 || `, ``},
		{"an age of 3 s is believed", age, `2 * time.Second`, `3 * time.Second`},
		{"an age is added", age, `came - age`, `came + age`},
		{"frames lost in silence stay unseen", fit, `max(math.Sqrt(squares/n), least/4)`, `math.Sqrt(squares/n)`},
		{"a segment learns its slope alone", estimator, `alone  = 16`, `alone  = 1`},
		{"a young line goes through the newest point", estimator, `above < 0 && e.own < fewest`, `e.own < fewest`},
		{"the last bin before a hole counts, however short", estimator, `>= 0.5`, `>= 0`},
		{"the window is two minutes", estimator, `[60]minimum`, `[120]minimum`},
		{"the window is a quarter of a minute", estimator, `[60]minimum`, `[16]minimum`},
		{"the prior rate is ignored", estimator, `slope: slope(o.PriorPPM)`, `slope: 0`},
		{"the lateness of a packet is that of most", ask, `late = max(late, e.open.latest)`, `late /= 50`},
		{"the prior rate is thought exact", estimator, `slopeErr: e.priorErr, height`, `slopeErr: 0, height`},
		{"few minima are thought to tell their scatter", fit, `if e.own < alone { //`, `if e.own < 0 { //`},
		{"a length is as good as if its ends were exact", ask, `ns := float64(err) + `, `ns := `},
		{"a long hole is as well known as a short one", ask, `float64(err) + e.line.away(s)`, `float64(err) + 0*s`},
		{"time may stand still", fit, `max(r.slope, -999_999_999)`, `r.slope`},
	}
}

// Every mutant of the estimator is caught by the tests of clock.
func TestEveryMutantOfTheEstimatorIsCaught(t *testing.T) {
	catch(t, estimating(), []layer{{"tests of clock", []string{"-skip", "Costs|EveryMillisecond", "./clock", "-rapid.nofailfile"}}}) // costs are no fault
}
