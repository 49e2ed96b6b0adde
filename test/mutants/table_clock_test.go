//go:build mutants

package mutants

const (
	paged  = "clock/table.go"
	ledger = "clock/ledger.go"
	keys   = "clock/ledger_keys.go"
	live   = "clock/ledger_live.go"
	utc    = "clock/ledger_utc.go"
	label  = "clock/label.go"
	wall   = "clock/label_wall.go"
)

// telling is the ledger of a stream: positions to time and back, and labels.
func telling() []mutant {
	return []mutant{
		{"positions of a ledger are rounded down", keys, `int64(scaleUp(uint64(m)-uint64(a[rowM])`, `int64(scaleDown(uint64(m)-uint64(a[rowM])`},
		{"times of a ledger are rounded up", keys, `int64(scaleDown(uint64(p-a[rowPos])`, `int64(scaleUp(uint64(p-a[rowPos])`},
		{"a product has 64 bits", paged, "	hi, lo := bits.Mul64(part, num)\n	q, _ := bits.Div64(hi, lo, den)\n", "	q := part * num / den\n"},
		{"a time is of the piece after its own", keys, `return timeIn(k.Row(i-1), k.Row(i), int64(p)), nil`, `return timeIn(k.Row(i), k.Row(min(i+1, k.To-1)), int64(p)), nil`},
		{"a time at a shared end is not that of its row", keys, `case k.Row(i)[rowM] == m || i == 0:`, "case i == 0:\n		return audio.Pos(k.Row(i)[rowPos]), nil\n	case k.Row(i)[rowM] == m && i+1 < k.To:\n		return audio.Pos(k.Row(i)[rowPos] + 1), nil\n	case k.Row(i)[rowM] == m:"},
		{"behind the last anchor it guesses", keys, "	case i == k.To:\n		return 0, behind(k, errors.New", "	case i == k.To && k.To > k.From+1:\n		return timeIn(k.Row(i-2), k.Row(i-1), int64(p)), nil\n	case i == k.To:\n		return 0, behind(k, errors.New"},
		{"the end of a ledger is waited for", keys, "	if k.Over {\n		return end\n	}\n", ""},
		{"what is forgotten is before the first anchor", keys, `case k.Row(i)[rowM] == m || i == 0:`, `case k.Row(i)[rowM] == m || i == k.From:`},
		{"milliseconds before a mark are rounded up", keys, "	if since%k.unit < 0 {\n		units--\n	}\n", ""},
		{"keys far away wrap", keys, `case !fits || hi > 0 || since > math.MaxInt64:`, `case hi > 1<<63:`},
		{"a wish for a key is one for a time", keys, `k.ledger.bell.Await(ctx, m, func`, `k.ledger.bell.Await(ctx, max(m, key), func`},
		{"a wish of a ledger is made after the look", "clock/bell.go", "		rung := b.Wish(key)\n		err := ask()\n", "		err := ask()\n		rung := b.Wish(key)\n"},
		{"an anchor wakes nobody", ledger, "	l.bell.Reached(r[rowM])\n", ""},
		{"the end of a stream wakes nobody", ledger, "	l.rows.Close()\n	l.bell.Ring()\n", "	l.rows.Close()\n"},
		{"a position is taken twice", ledger, `r[rowPos] <= last[rowPos] ||`, `r[rowPos] < last[rowPos] ||`},
		{"a time is taken twice", ledger, `|| r[rowM] <= last[rowM]:`, `|| r[rowM] < last[rowM]:`},
		{"a hole reaches over an anchor", ledger, `case r[rowPos]-lost < last[rowPos]:`, `case r[rowPos]-lost < last[rowPos]-1:`},
		{"an anchor is rewritten by a better one", ledger, "func (l *Ledger) publish(r row) {\n", "func (l *Ledger) publish(r row) {\n	if last := l.rows.Look().Last(); last != nil && !last.isSegment() && !r.isSegment() && r[rowM]-last[rowM] > 1<<40 {\n		last[rowM]++\n	}\n"},
		{"segments are forgotten too early", ledger, `l.segments.Forget(segmentFrom, int64(before))`, `l.segments.Forget(segmentFrom, 1<<62)`},
		{"labels are forgotten too early", ledger, `return k.Row(k.From)[rowM], true`, `return k.Last()[rowM], true`},
		{"marks are not forgotten", ledger, "	l.marks.Forget(markFrom, int64(before))\n", ""},
		{"the newest mark is that before", ledger, "	i := k.upTo(markFrom, int64(p))\n", "	i := k.upTo(markFrom, int64(p)-1)\n"},
		{"a row is counted before it is written", paged, "	kept.list[len(kept.list)-1][n%pageRows] = row\n	t.count.Store(2 * (n + 1))\n", "	t.count.Store(2 * (n + 1))\n	kept.list[len(kept.list)-1][n%pageRows] = row\n"},
		{"one page too many is forgotten", paged, `kept.list[n+1][0][column] < before`, `kept.list[n+1][0][column] <= before`},
		{"the provisional is not marked", live, "		provisional = true\n		m, err", "		m, err"},
		{"the rate of a hole is one", live, `!b.isSegment() && frames`, `frames`},
		{"ten frames tell a rate", live, `frames >= int64(l.config.Rate)/10 {`, `frames > 0 {`},
		{"a live position is rounded down", live, "	if rest > 0 {\n		frames++\n	}\n", "	_ = rest\n"},
		{"a label is applied to what was asked before", keys, "func (k Keys) keyOf(m int64) (int64, bool) {\n", "func (k Keys) keyOf(m int64) (int64, bool) {\n	if a, ok := k.ledger.labels.At(math.MaxInt64); ok && k.first != 0 {\n		k.zero, k.first = a.M, a.UTC\n	}\n"},
		{"a hole has the frame behind it", utc, `a.InHole = int64(p) >= next[rowPos]-hole[segmentLost]`, `a.InHole = int64(p) > next[rowPos]-hole[segmentLost]`},
		{"the frame before a missing anchor is in the hole", utc, `a.InHole = int64(p) >= next[rowPos]-hole[segmentLost]`, `a.InHole = true`},
		{"a hole is the piece behind its segment", utc, "	if next.isSegment() {\n		hole := l.segment(next)\n", "	if r.isSegment() {\n		hole := l.segment(r)\n"},
		{"the better anchor counts", utc, `max(all[PartEstimator], e)`, `min(max(all[PartEstimator], e), max(e, 1))`},
		{"the error of the anchor behind does not count", utc, "		err = l.parts(&a.Parts, next, 0)\n", ""},
		{"missing anchors cost nothing", utc, `missing = min(m-r[rowM], next[rowM]-m)`, `missing = 0`},
		{"missing anchors cost as far as the farther", utc, `missing = min(m-r[rowM], next[rowM]-m)`, `missing = max(m-r[rowM], next[rowM]-m)`},
		{"what a hole has lost is exact", utc, `a.Parts[PartBetween] = l.framesLast(hole[segmentLostErr])`, `_ = hole`},
		{"what is behind the last anchor is certain", utc, `a.Extrapolated = int64(p) > k.Row(i)[rowPos] || !k.Over`, `a.Extrapolated = int64(p) > k.Row(i)[rowPos]`},
		{"a part is not in the sum", utc, `for _, ns := range p {`, `for _, ns := range p[:PartRounding] {`},
		{"the largest part is the last of them", utc, `if p[i] > p[largest] {`, `if p[i] >= p[largest] {`},
		{"half a frame is rounded down", utc, `int64(scaleUp(1, 1e9, 2*uint64(l.config.Rate)))`, `int64(scaleDown(1, 1e9, 2*uint64(l.config.Rate)))`},
		{"errors wrap", utc, `sum = capped(sum, ns)`, `sum += ns`},
		{"the drift counts the label behind", label, "		i, _ := k.Find(labelM, m)\n		return i > k.From && k.Row(i - 1)", "		i := k.upTo(labelM, m)\n		return i >= k.From && k.Row(i)"},
		{"the drift leaves out the label in force", label, `k.Row(i)[labelLoose]-k.Row(i).loose() == f.loose`, `k.Row(i)[labelLoose] == f.loose`},
		{"a label that is not known drifts little", label, `if f.known && f.synced(k, m) {`, `if f.synced(k, m) {`},
		{"ties go to the earlier label", label, `err <= least {`, `err < least {`},
		{"the best label is that of the beginning", label, `max(ref.drift(k, from), ref.drift(k, to))`, `ref.drift(k, from)`},
		{"a beat is a step", label, `size(step) > uint64(leastStep) {`, `size(step) > 0 {`},
		{"a label is in force before its time", label, "	i := k.upTo(labelM, m)\n	if i < k.From {\n		return Label{}", "	i, _ := k.Find(labelM, m)\n	if i = min(i, k.To-1); i < k.From {\n		return Label{}"},
		{"an end that the wall clock did not show was shown", wall, `if r.from <= utc && utc < r.to {`, `if r.from <= utc && utc <= r.to {`},
		{"the first is the last", wall, `m = shown[len(shown)-1].timeOf(utc)`, `m = shown[0].timeOf(utc)`},
		{"what was shown twice needs no choice", wall, `if len(shown) > 1 && policy`, `if len(shown) > 2 && policy`},
		{"what was skipped is where it was last right", wall, `if m = runs[i].begin; policy`, `if m = runs[i].begin + utc - runs[i-1].to; policy`},
		{"the wall clock of no frame counts", wall, `r.begin, r.end = max(first, r.labels[0].M), last`, `r.begin, r.end = r.labels[0].M, last`},
		{"the wall clock goes back at a beat", wall, "			m = min(m, r.labels[i+1].M)\n", "			_ = m\n"},
		{"the spans of a TwiceError are all of their runs", wall, `if to < r.to {`, `if false {`},
	}
}
