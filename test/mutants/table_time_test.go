//go:build mutants

package mutants

import "testing"

const (
	pumping  = "internal/daemon/pump.go"
	holing   = "internal/daemon/pump_hole.go"
	dateRows = "internal/daemon/dater_rows.go"
	dateHole = "internal/daemon/dater_hole.go"
	storing  = "internal/daemon/stored.go"
	keeping  = "internal/daemon/timekeeper.go"
	turning  = "internal/daemon/turns.go"
	written  = "clock/clockfile/write.go"
	loaded   = "clock/clockfile/load.go"
	timed    = "sink/times.go"
	sealed   = "sink/seal.go"
)

// dating is how the daemon says when frames were captured, where sessions end,
// and what of it is stored.
func dating() []mutant {
	return []mutant{
		{"a mark is made behind the head", pumping, "	p.turnBefore(end, 0)\n	p.check(p.dates.publish(end))\n	p.w.Commit(frames)\n", "	p.check(p.dates.publish(end))\n	p.w.Commit(frames)\n	p.turnBefore(end, 0)\n"},
		{"a session begins with the packet", holing, "p.dates.turn(at, t)", "p.dates.turn(head, t)"},
		{"a midnight in a hole is forgotten", holing, "	from := p.turnBefore(to, cause)\n", "	from := head\n"},
		{"the sleep of the machine is no hole", holing, "		p.skip(frames, audio.Suspend, 0)\n", ""},
		{"a break that is too short to measure is no hole", holing, "			p.skip(1, audio.Device, 0)\n", ""},
		{"a bend is not known", dateRows, "				d.bent = bentErr(known - t)\n", ""},
		{"the line is not ended where the clock turned", dateRows, "if t := d.time.turned(); t > d.turned {", "if t := d.time.turned(); t > d.turned && t < 0 {"},
		{"anchors are drawn over what the clock may do", dateRows, "	return d.dues(d.pos(known, head))\n", "	return d.dues(head)\n"},
		{"the line turns at once", dateRows, "	most := max(0, at-then) / 1e6 * maxTurn\n", "	most := int64(1 << 60)\n"},
		{"what was captured around a sleep is known", dateHole, "	d.doubt = slept\n", ""},
		{"the offset is kept over a hole", dateHole, "			d.feed.Restart()\n", ""},
		{"a session goes on from nowhere", storing, "cont = &clockfile.Continued{", "_ = &clockfile.Continued{"},
		{"frames over a mark go to the session before", storing, "		if err := d.turn(ctx, m); err != nil {\n			return err\n		}\n		s.From = m.From\n", "		if err := d.turn(ctx, m); err != nil {\n			return err\n		}\n"},
		{"sessions are planned when the sleep is known", keeping, "	if k.plan != nil {\n", "	k.track.Store(k.track.Load().With(r))\n	if k.plan != nil && r.Raw%2 == 3 {\n"},
		{"the turns to come count", turning, "	n := int(t.made.Load())\n	if n == 0 {\n		return first, 0\n	}\n", "	n := len(t.all())\n	if n == 0 {\n		return first, 0\n	}\n"},
		{"times are not those since the session began", written, "p, m := int64(a.Pos-w.mark.From), a.M-w.mark.M", "p, m := int64(a.Pos-w.mark.From), a.M"},
		{"the label in force is not stored", written, "			w.label = a.M - 1\n", "			w.label = a.M\n"},
		{"a segment is stored as an anchor", written, "	if s.Lost == 0 || p == 0 {", "	if s.Lost >= 0 || p == 0 {"},
		{"the row behind the last frame is not stored", written, "		w.row(&b, a, s)\n		if a.Pos >= to {\n			break\n		}\n", "		if a.Pos >= to {\n			break\n		}\n		w.row(&b, a, s)\n"},
		{"a later version is read", loaded, "	if o.V != version {", "	if o.V < version {"},
		{"a line is believed", loaded, "	if err := line.Decode(text, &kind); err != nil {\n		return err\n	}\n", "	if err := json.Unmarshal(text, &kind); err != nil {\n		return err\n	}\n"},
		{"times that could not be stored are lost", timed, "	t.lines, t.begun, t.over = lines, true, over\n	return r.appendTimes(ctx)\n", "	t.lines, t.begun, t.over = lines, true, over\n	err = r.appendTimes(ctx)\n	t.lines = nil\n	return err\n"},
		{"a chunk has its name before its times", sealed, "	if err := r.date(ctx, r.pos, false, 0); err != nil {\n		r.soft = full(err)\n		return err\n	}\n", ""},
		{"the session that follows is not named", sealed, "Next: next, ", ""},
	}
}

// Every mutant of what the daemon does with time is caught.
func TestEveryMutantOfTheDaemonsTimeIsCaught(t *testing.T) {
	catch(t, dating(), []layer{
		{"tests of clockfile", []string{"./clock/clockfile", "-rapid.nofailfile"}},
		{"tests of sink", []string{"-run", "Times|Session", "./sink"}},
		{"tests of the daemon", []string{"-run", "Tile|TimesAre|ARangeOf|StoredTimes|Measured|ADayIs|Turn", "./internal/daemon"}},
	})
}
