package readertest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/reader"
)

// spanIsKnown asks for every position of a short span, for parts of a long
// one, and after each growth again.
func spanIsKnown(k Keys, _ []question) error {
	if k.Span.From < 0 || k.Span.To <= k.Span.From {
		return fmt.Errorf("the span %v holds no position: nothing would be tested", k.Span)
	}
	for more := true; more; more = k.grow() {
		for _, part := range parts(k.Span) {
			if err := partIsKnown(k, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// parts are all of a short span, and the ends and some of the inside of a
// long one.
func parts(s audio.Span) []audio.Span {
	const length, count = 500, 16
	if s.To-s.From <= length*count {
		return []audio.Span{s}
	}
	all := []audio.Span{{From: s.From, To: s.From + length}, {From: s.To - length, To: s.To}}
	for i := range audio.Pos(count) {
		from := s.From + (s.To-s.From-length)/count*i
		all = append(all, audio.Span{From: from, To: from + length})
	}
	return all
}

// partIsKnown proves the law for a part of the span: the positions of a key
// are those from Lower of it to Lower of the next.
func partIsKnown(k Keys, part audio.Span) error {
	first, wrong := k.ask(question{false, int64(k.Span.From)})
	if wrong != nil {
		return wrong
	}
	var last int64
	for p := part.From; p < part.To; p++ {
		at := question{false, int64(p)}
		key, wrong := k.ask(at)
		switch {
		case wrong != nil:
			return wrong
		case key.err != nil:
			return fmt.Errorf("%v: %v, and it should be known", at, key)
		case k.Want != nil && key.is != k.Want(p):
			return fmt.Errorf("%v is %v, want %d", at, key, k.Want(p))
		case p > part.From && key.is < last:
			return fmt.Errorf("%v is %v, less than %d just before", at, key, last)
		}
		if key.is > first.is && (p == part.From || key.is > last) {
			from := question{true, key.is}
			low, wrong := k.ask(from)
			switch {
			case wrong != nil:
				return wrong
			case low.err != nil:
				return fmt.Errorf("%v: %v, but %v is %v", from, low, at, key)
			case p > part.From && low.is != int64(p), low.is > int64(p):
				return fmt.Errorf("%v is %v, but %v is the first that is %v", from, low, at, key)
			}
		}
		last = key.is
	}
	return nil
}

// interview asks some questions and the edges, and then for what lies around
// each answer.
func (k Keys) interview(some []question) (map[question]answer, error) {
	told := map[question]answer{}
	next := append(edges(), some...)
	for range 3 {
		var follow []question
		for _, q := range next {
			if _, ok := told[q]; ok {
				continue
			}
			a, wrong := k.ask(q)
			if wrong != nil {
				return nil, wrong
			}
			if told[q] = a; a.err == nil {
				follow = append(follow, question{!q.lower, a.is},
					question{!q.lower, max(a.is, math.MinInt64+1) - 1}, question{!q.lower, min(a.is, math.MaxInt64-1) + 1})
			}
		}
		next = follow
	}
	return told, nil
}

// lawHolds compares all answers with each other.
func lawHolds(k Keys, some []question) error {
	for more := true; more; more = k.grow() {
		told, err := k.interview(some)
		if err != nil {
			return err
		}
		if err := obey(told); err != nil {
			return err
		}
	}
	return nil
}

// obey returns an error if answers contradict each other.
func obey(told map[question]answer) error {
	var lowers, keys []question
	for q, a := range told {
		if a.err != nil {
			continue
		}
		if q.lower {
			lowers = append(lowers, q)
		} else {
			keys = append(keys, q)
		}
	}
	for _, all := range [][]question{lowers, keys} {
		slices.SortFunc(all, func(a, b question) int { return cmp.Compare(a.of, b.of) })
		for i := 1; i < len(all); i++ {
			if a, b := all[i-1], all[i]; told[a].is > told[b].is {
				return fmt.Errorf("not monotone: %v is %v, %v is %v", a, told[a], b, told[b])
			}
		}
	}
	for _, l := range lowers {
		for _, p := range keys {
			if low, key := told[l].is, told[p].is; (low <= p.of) != (l.of <= key) {
				return fmt.Errorf("%v is %d, but %v is %d", l, low, p, key)
			}
		}
	}
	return nil
}

// stays returns an error if a question that was answered before may not be
// answered so now.
func stays(q question, before, now answer) error {
	switch {
	case now.err == nil && before.err == nil && now.is != before.is:
		return fmt.Errorf("%v was %v and is now %v", q, before, now)
	case before.err != nil && !errors.Is(before.err, reader.ErrNotYet) && now.err == nil:
		return fmt.Errorf("%v was never to be answered (%v), and is now %v", q, before.err, now)
	case before.err == nil && errors.Is(now.err, reader.ErrNotYet):
		return fmt.Errorf("%v was %v, and now it is: %v", q, before, now)
	}
	return nil
}

// sameForEver asks all questions again, each time that more is known.
func sameForEver(k Keys, some []question) error {
	told, err := k.interview(some)
	if err != nil {
		return err
	}
	for more := true; more; {
		more = k.grow()
		for q, before := range told {
			now, wrong := k.ask(q)
			if err := errors.Join(wrong, stays(q, before, now)); err != nil {
				return err
			}
			told[q] = now
		}
	}
	return obey(told)
}

// manyAtOnce asks the same from many goroutines while more becomes known.
func manyAtOnce(k Keys, some []question) error {
	told, err := k.interview(some)
	if err != nil {
		return err
	}
	var wrong [8]error
	var wait sync.WaitGroup
	for i := range wrong {
		wait.Go(func() {
			for range 3 {
				for q, before := range told { // in an order of its own
					now, err := k.ask(q)
					wrong[i] = cmp.Or(wrong[i], err, stays(q, before, now))
				}
			}
		})
	}
	wait.Go(func() {
		for k.grow() {
		}
	})
	wait.Wait()
	return errors.Join(wrong[:]...)
}
