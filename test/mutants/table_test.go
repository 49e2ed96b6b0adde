//go:build mutants

package mutants

import "slices"

// A mutant is a bug: in file, what stands there once becomes with.
type mutant struct {
	name string
	file string
	what string
	with string
}

const (
	ring   = "buffer/ring.go"
	writer = "buffer/writer.go"
	place  = "buffer/place.go"
	view   = "buffer/view.go"
	ranges = "buffer/range.go"
	holes  = "buffer/holes.go"
	wait   = "buffer/wait.go"
	bounds = "buffer/bounds.go"
)

func table() []mutant {
	return slices.Concat(pinning(), reading(), losing(), skipping(), waiting(), following(), translating())
}

// pinning is blocks, slots, pins and places. That the head is stored before the
// bytes is no mutant: the bytes are the caller's, between Reserve and Commit.
func pinning() []mutant {
	return []mutant{
		{"the reader does not look at the slot again", ring, `slot.Load() != word {`, `false {`},
		{"the reader looks again before it pins", ring,
			"	r.pins[id].Add(1)\n	r.chaos.at(\"V\")\n	if slot.Load() != word { // the second look\n		r.unpin(id)\n		return 0, false\n	}\n",
			"	if slot.Load() != word {\n		return 0, false\n	}\n	r.chaos.at(\"V\")\n	r.pins[id].Add(1)\n"},
		{"a pin that is given up stays", ring, "		r.unpin(id)\n		return 0, false", "		return 0, false"},
		{"the reader looks only at the memory's number again", ring, `slot.Load() != word {`, `idOf(slot.Load()) != id {`},
		{"the reader takes the slot's block for its own", ring, "	if blockOf(word) != block {\n		return 0, false\n	}\n	return r.hold", "	return r.hold"},
		{"the writer does not look at the pins", writer, `if w.ring.pins[id].Load() == 0 {`, `if true {`},
		{"a retired block is written again at once", writer, "		w.push(idOf(old))\n	}\n	if w.slot++; w.slot == len(r.slots) {\n		w.slot = 0\n	}\n	w.taken = false\n", "		w.cur, w.taken = idOf(old), true\n	} else {\n		w.taken = false\n	}\n	if w.slot++; w.slot == len(r.slots) {\n		w.slot = 0\n	}\n"},
		{"a retired block is not queued", writer, "		w.push(idOf(old))\n", ""},
		{"a block that is held is dropped from the queue", writer, "		w.push(id)\n	}\n	panic", "	}\n	panic"},
		{"one spare block too few", ring, `int64(c.MaxReaders)*int64(c.MaxPins+1) + 1`, `int64(c.MaxReaders)*int64(c.MaxPins+1)`},
		{"no spare block for a copy under way", ring, `int64(c.MaxReaders)*int64(c.MaxPins+1) + 1`, `int64(c.MaxReaders)*int64(c.MaxPins) + 1`},
		{"the head moves before the slot", writer,
			"		w.swing()\n	}\n	w.room", "		defer w.swing()\n	}\n	w.room"},
		{"the slot is swung by Reserve", writer, "		w.cur, w.taken = w.take(), true\n", "		w.cur = w.take()\n		w.swing()\n		w.taken = true\n"},
		{"a second Reserve takes a second block", writer, `if off == 0 && !w.taken {`, `if off == 0 {`},
		{"Commit gives up the rest of the room", writer, "	w.room -= int64(frames)\n", "	w.room = 0\n"},
		{"a block too long is filled", writer, `min(int64(frames), r.blockMask+1-off)`, `min(int64(frames), r.blockMask+2-off)`},
		{"one reader too many has a place", "buffer/demand.go", `if d.places >= most {`, `if d.places > most {`},
		{"the last reader to go is not told of", "buffer/demand.go", "	if d.places--; d.places == 0 {\n		d.tell()\n	}\n", "	d.places--\n"},
		{"the first reader is not told of", "buffer/demand.go", "	if d.places++; d.places == 1 {\n		d.tell()\n	}\n", "	d.places++\n"},
		{"a reader closed twice counts twice", place, "	if p.over {\n		return\n	}\n	p.over = true", "	p.over = true"},
		{"Close keeps the views", place, "			one.release()\n", ""},
		{"Release forgets a block", view, `for _, id := range l.ids {`, `for _, id := range l.ids[:max(0, len(l.ids)-1)] {`},
		{"Release twice releases what came after", view, `if v.loan != nil && v.loan.turn == v.turn {`, `if v.loan != nil {`},
		{"a reader borrows without a bound", view, `if blocks > int64(r.maxPins-p.pinned) {`, `if blocks > int64(r.maxPins) {`},
	}
}

// reading is what is read.
func reading() []mutant {
	return []mutant{
		{"a copy reads past the head", place, `return int64(at) - s.skipped(), min(head, audio.Pos(s.next)), audio.Hole{}`, `return int64(at) - s.skipped(), audio.Pos(s.next), audio.Hole{}`},
		{"a slice reads past the head", view, `case want.To <= end:`, `case want.To <= end+1:`},
		{"a copy ends at its first block", place, `for frames < int(some) {`, `for frames == 0 {`},
		{"a copy takes the frames of the block before", place, "	off := int(stored & r.blockMask)\n	some := min(frames", "	off := int((stored - 1) & r.blockMask)\n	some := min(frames"},
		{"a piece of a range is one frame short", ranges, `n := min(g.span.Len(), r.blockMask+1-g.stored&r.blockMask)`, `n := min(g.span.Len(), max(1, r.blockMask-g.stored&r.blockMask))`},
		{"a piece outlives its turn of the loop", ranges, "		v.Release()\n		if !more {", "		if !more {"},
		{"the loss of a walk begins a block late", ranges, "		return View{}, g.place.gone(g.span)\n", "		return View{}, g.place.gone(audio.Span{From: g.span.From + audio.Pos(n), To: max(g.span.To, g.span.From+audio.Pos(n)+1)})\n"},
		{"a range outlives its reader", ranges, "	if g.place.over {\n		return View{}, ErrReaderClosed\n	}\n", ""},
	}
}

// losing is bounds and losses.
func losing() []mutant {
	return []mutant{
		{"the bounds do not look at the slot", bounds, `if !r.holds(block) {`, `if false {`},
		{"the oldest block is one too old", bounds, `r.count+1)`, `r.count)`},
		{"a loss is one block short", place, `to = max(to, r.Bounds().From)`, `to = max(to, r.Bounds().From-audio.Pos(r.blockMask)-1)`},
		{"an overrun runs through a hole", place, `To: min(to, audio.Pos(s.next))}`, `To: to}`},
		{"a lost range is clipped", place, "		lost.To, lost.Cause = audio.Pos(s.to), s.cause\n", "		lost.To, lost.Cause = min(want.To, audio.Pos(s.to)), s.cause\n"},
		{"the future wins over the past", view, "	case !r.holds(stored >> r.blockShift):\n		return 0, p.gone(want)\n	case want.To <= end:\n		return stored, nil\n	case end == head:", "	case want.To > end && end == head:\n		return 0, &FutureError{want, head}\n	case !r.holds(stored >> r.blockShift):\n		return 0, p.gone(want)\n	case want.To <= end:\n		return stored, nil\n	case end == head:"},
		{"a growing hole is sound to the bounds", bounds, `return min(int64(at), s.from) - s.before + max(0, int64(at)-s.to)`, `return int64(at) - s.skipped()`},
		{"the oldest frame is that of the hole", bounds, `return audio.Pos(stored + s.skipped())`, `return audio.Pos(stored + s.before)`},
	}
}

// skipping is holes and their log.
func skipping() []mutant {
	return []mutant{
		{"the head moves before the hole is counted", writer, "		w.ring.log.add(w.head, w.stored, frames, cause)\n	}\n	w.grows, w.cause = true, cause\n	w.publish(frames)\n", "		defer w.ring.log.add(w.head, w.stored, frames, cause)\n	}\n	w.grows, w.cause = true, cause\n	w.publish(frames)\n"},
		{"the head moves before the hole grows", writer, "		w.ring.log.grow(w.head + frames)\n", "		defer w.ring.log.grow(w.head + frames)\n"},
		{"a hole is counted before it is written", holes, "	e := l.at(n)\n	l.chaos.at(\"K1\")\n", "	e := l.at(n)\n	l.n.Store(n + 1)\n	l.chaos.at(\"K1\")\n"},
		{"no second look at the count", holes, `return i >= l.n.Load()-int64(len(l.entries))+1`, `return true`},
		{"all entries of the log are used", holes, `first := max(0, count-int64(len(l.entries))+1)`, `first := max(0, count-int64(len(l.entries)))`},
		{"the second look allows one entry too many", holes, `return i >= l.n.Load()-int64(len(l.entries))+1`, `return i >= l.n.Load()-int64(len(l.entries))`},
		{"the count is loaded before the head", place, "	r.chaos.at(\"R1\")\n	head := r.Head() // first of all\n	if at >= head || frames < 1 {\n		return 0, 0, nil\n	}\n	stored, end, lost := p.locate(at, head)\n", "	stored, end, lost := p.locate(at, noHole)\n	r.chaos.at(\"R1\")\n	head := r.Head()\n	if at >= head || frames < 1 {\n		return 0, 0, nil\n	}\n	end = min(end, head)\n"},
		{"the end of a hole belongs to it", place, `case s.known && int64(at) < s.to:`, `case s.known && int64(at) <= s.to:`},
		{"the beginning of a hole does not belong to it", holes, `if l.begin(probe, stored) <= key {`, `if l.begin(probe, stored) < key {`},
		{"what a place remembers outlives new holes", place, `if log.n.Load() == p.count && at >= p.since {`, `if p.count >= 0 && at >= p.since {`},
		{"a place remembers a stretch that a hole follows", place, `if s.next == noHole {`, `if audio.Pos(s.next) >= head {`},
		{"what is forgotten is read as if no hole had been", holes, `s.forgotten = !s.known && first > 0`, `s.forgotten = false`},
		{"what was skipped before a hole includes it", holes, `e.before.Store(head - stored)`, `e.before.Store(head - stored + m)`},
		{"a view runs past a hole", view, `case want.To <= end:`, `case want.To <= head:`},
		{"a hole grows over sound", writer, "	w.stored += int64(frames)\n	w.grows = false\n", "	w.stored += int64(frames)\n"},
		{"a hole grows over another cause", writer, `if w.grows && w.cause == cause {`, `if w.grows {`},
		{"a hole grows by its whole length again", writer, `w.ring.log.grow(w.head + frames)`, `w.ring.log.grow(w.head + 2*frames)`},
		{"a hole gives up the room that was reserved", writer, "	w.grows, w.cause = true, cause\n	w.publish(frames)", "	w.grows, w.cause = true, cause\n	w.room, w.taken = 0, false\n	w.publish(frames)"},
		{"a hole may be an overrun", writer, `|| cause == audio.Overrun {`, `{`},
	}
}

// waiting is going to sleep and waking.
func waiting() []mutant {
	return []mutant{
		{"rearm does not look again", wait, `if r.head.Load() < least {`, `if true {`},
		{"the writer looks who waits before it moves the head", writer, "	r.chaos.at(\"H\")\n	r.head.Store(w.head)\n	r.chaos.at(\"notify\")\n	r.waits.notify(w.head)\n", "	due := w.head >= r.waits.least.Load()\n	r.chaos.at(\"H\")\n	r.head.Store(w.head)\n	r.chaos.at(\"notify\")\n	if due {\n		r.waits.wake()\n	}\n"},
		{"notify wakes one frame late", wait, `if head >= w.least.Load() {`, `if head > w.least.Load() {`},
		{"a frame too few completes a wish", wait, `if closed || one.head <= head {`, `if closed || one.head <= head+1 {`},
		{"a waiter that gives up stays in the list", wait, "			w.list = append(w.list[:i], w.list[i+1:]...)\n", ""},
		{"who gives up does not arm for the others", wait, "			w.list = append(w.list[:i], w.list[i+1:]...)\n			r.rearm()\n", "			w.list = append(w.list[:i], w.list[i+1:]...)\n			w.least.Store(math.MaxInt64)\n"},
		{"the leader tells nobody", wait, "			r.lead()\n", "			r.waits.mu.Lock()\n			for i := range r.waits.list {\n				if r.waits.list[i].tell == p.tell {\n					r.waits.list = append(r.waits.list[:i], r.waits.list[i+1:]...)\n					break\n				}\n			}\n			r.waits.mu.Unlock()\n			return nil\n"},
		{"the end wakes nobody", writer, "	r.chaos.at(\"wake\")\n	r.waits.wake()\n", ""},
		{"the end is not seen by who is woken", wait, `if closed || one.head <= head {`, `if closed && false || one.head <= head {`},
		{"a tick wakes who is not due", wait, "	if len(r.waits.list) > 0 {\n		r.rearm()\n	}\n", "	for _, one := range r.waits.list {\n		one.tell <- struct{}{}\n	}\n	r.waits.list = r.waits.list[:0]\n"},
		{"the writer wakes though a timer does", wait, "		if w.by == ByTimer {\n			return\n		}\n", ""},
		{"who waits for any stays in the other lists", "buffer/any.go", "			if k != told && !", "			if k == told && !"},
		{"who waits for any leads nobody", "buffer/any.go", "			wishes[i/3].Place.ring.lead()\n", ""},
		{"a token is left behind", wait, "			<-p.tell // it was told at the same time\n", ""},
	}
}

// following is cursors, policies and windows.
func following() []mutant {
	return []mutant{
		{"the end is looked for behind the frames", "reader/reader.go", "		over := r.ring.Closed() // before the frames, or the last of them are missed\n		got, err := take(want.From)\n", "		got, err := take(want.From)\n		over := r.ring.Closed()\n"},
		{"a reader passes over a frame behind a loss", "reader/reader.go", `r.cursor.Store(int64(lost.Lost.To))`, `r.cursor.Store(int64(lost.Lost.To) + 1)`},
		{"what the policy gives up is not told", "reader/reader.go", `return r.place.Overrun(audio.Span{From: lost.Lost.From, To: want.To}, r.resume)`, `return lost`},
		{"a margin counts positions", "reader/options.go", `return min(b.To, r.PosOf(from+int64(give*float64(r.Stored(b.To)-from))))`, `_ = from
			return b.From + audio.Pos(give*float64(b.Len()))`},
		{"a fork begins anew", "reader/reader.go", `o.begin = func(*buffer.Ring) audio.Pos { return pos }`, `_ = pos`},
		{"a window in a hole is left out", "reader/query.go", "			end = e.Lost.From\n", "			r.cursor.Store(int64(e.Lost.To))\n			end = e.Lost.To + end - want.From\n"},
		{"a peek moves the cursor", "reader/reader.go", "	frames, err = r.Peek(ctx, p)\n	r.move(int64(frames), err)\n	return frames, err\n", "	return r.Peek(ctx, p)\n"},
		{"the last none are all", "reader/slice.go", `return r.Slice(head-audio.Pos(frames), head)`, `return r.Slice((head-audio.Pos(frames))%head, head)`},
		{"an index from the head is one off", "reader/slice.go", `return head + audio.Pos(i.n), nil`, `return head + audio.Pos(i.n) + 1, nil`},
		{"a left-out end is the frame before the head", "reader/slice.go", `j.from(bounds.To, bounds.To)`, `j.from(bounds.To-1, bounds.To)`},
		{"Gather gives up with its first reader", "reader/query.go", "		if len(wishes) == 0 || ctx.Err() != nil {\n", "		if len(wishes) < len(rs) || ctx.Err() != nil {\n"},
		{"Gather does not ask once more at the end", "reader/query.go", "		_ = buffer.WaitAny(ctx, wishes) // if the context ends, all are asked once more\n", "		if buffer.WaitAny(ctx, wishes[:1]) != nil {\n			break\n		}\n"},
		{"a query waits for an index that the stream ended before", "reader/query.go", `errors.Is(err, ErrNotYet) && over:`, `false:`},
		{"a query waits for all before it tells a loss", "reader/query.go", `Head: min(span.To, most)`, `Head: max(span.To, min(span.To, most))`},
		{"only-new waits itself into a loss", "reader/query.go", `min(end, ahead(r.Pos(), max(1, r.ring.Capacity()/2)))`, `end`},
		{"the rest before the end is left out", "reader/query.go", `v.Span().To <= held) {`, `true) {`},
		{"a window is given again as a rest", "reader/query.go", `v.Span().To <= held) {`, `false) {`},
	}
}

// translating is keys, intervals and merging.
func translating() []mutant {
	return []mutant{
		{"keys are rounded up", "reader/keytrans.go", `scale(int64(p-a.Mark), a.Num, a.Den, false)`, `scale(int64(p-a.Mark), a.Num, a.Den, true)`},
		{"positions are rounded down", "reader/keytrans.go", `scale(off, a.Den, a.Num, true)`, `scale(off, a.Den, a.Num, false)`},
		{"keys before the mark are rounded to it", "reader/keytrans.go", `size, up = -size, !up`, `size = -size`},
		{"a key that is too large wraps", "reader/keytrans.go", "	if hi >= uint64(den) {\n		return 0, false\n	}\n", "	hi %= uint64(den)\n"},
		{"touching is overlapping", "reader/interval.go", `return edge{ends, bt + 1}, edge{starts, tt}, nil`, `return edge{ends, bt}, edge{starts, tt}, nil`},
		{"an end at the end is outside", "reader/interval.go", `return edge{starts, bt}, edge{ends, tt + 1}, nil`, `return edge{starts, bt}, edge{ends, tt}, nil`},
		{"by end is by start", "reader/interval.go", `return edge{ends, bt + 1}, edge{ends, tt + 1}, nil`, `return edge{starts, bt}, edge{starts, tt}, nil`},
		{"covering is overlapping", "reader/interval.go", `return edge{ends, tt}, edge{starts, bt + 1}, nil`, `return edge{ends, bt + 1}, edge{starts, tt}, nil`},
		{"the item before the first has an end", "reader/interval.go", `return max(0, p-1), err`, `return p, err`},
		{"a length is taken from the wrong end", "reader/interval.go", `return shifted{keys, -length}, keys`, `return keys, shifted{keys, length}`},
		{"an instant lasts two", "reader/interval.go", `return keys, shifted{keys, 1}`, `return keys, shifted{keys, 2}`},
		{"patience has no end", "reader/merge_order.go", `if m.options.Patience > 0 {`, `if false {`},
		{"a wait for shifted keys is not shifted", "reader/interval.go", `return awaitKey(ctx, s.KeyTrans, key-s.by)`, `return awaitKey(ctx, s.KeyTrans, key)`},
		{"an index that ended is an error", "reader/query.go", `case errors.Is(err, io.EOF), errors.Is`, `case errors.Is`},
		{"the last entry of an open ledger has an end", "reader/ledger.go", `case i == s.To && !s.Over:`, `case false:`},
		{"a ledger takes a position twice", "reader/ledger.go", `(int64(p) <= last[partPos] || key`, `(int64(p) < last[partPos] || key`},
		{"a ledger takes a key that goes back", "reader/ledger.go", `|| key < last[partKey]) {`, `) {`},
		{"an append wakes before it is published", "reader/ledger.go", "	l.entries.Append(entry{partPos: int64(p), partKey: key})\n	l.bell.Reached(key)\n", "	l.bell.Reached(key)\n	l.entries.Append(entry{partPos: int64(p), partKey: key})\n"},
		{"a ledger forgets the first entry of a key", "reader/ledger.go", `case i == s.From && s.From > 0: // one`, `case false: // one`},
		{"an append wakes nobody", "reader/ledger.go", "	l.bell.Reached(key)\n", ""},
		{"the end of a ledger wakes nobody", "reader/ledger.go", "	l.bell.Ring()\n", ""},
		{"a wish is made after the look", "clock/bell.go", "		rung := b.Wish(key)\n		err := ask()\n", "		err := ask()\n		rung := b.Wish(key)\n"},
		{"the last key lies behind its ledger", "clock/table.go", `case want > most:`, `case want >= most:`},
		{"a gallop stops one too early", "clock/table.go", `k.at(column, below+stride) >= want {`, `k.at(column, below+stride) > want {`},
		{"inner and outer keys change places", "reader/compose.go", `return composed{outer, inner}`, `return composed{inner, outer}`},
		{"a negative key is a position", "reader/compose.go", `if middle < 0 {`, `if middle < -1<<62 {`},
		{"a tie goes to the later reader", "reader/merge_order.go", `r.window == o.window && r.index < o.index`, `r.window == o.window && r.index > o.index`},
		{"an item runs past another reader's frame", "reader/merge_order.go", `		until = m.next(s)`, `		until = highest`},
		{"the front of a merge stands still", "reader/merge_order.go", `		m.front = m.rank(s, s.key)`, `		_ = m.rank(s, s.key)`},
		{"a negative key is in the window after its own", "reader/merge_order.go", "		window--\n", ""},
		{"a reader that came back stays set aside", "reader/merge_order.go", `s.known, s.aside = false, false`, `s.known = false`},
		{"a merge keeps the view of an item", "reader/merge.go", "			item.View.Release()\n", ""},
		{"a query whose frames are to come is over", "reader/query.go", "	case !over:\n		// No", "	case false:\n		// No"},
	}
}
