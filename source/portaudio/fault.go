package portaudio

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/ingestd/ingestd/audio"
	"github.com/ingestd/ingestd/source"
)

// crashed says whether the error of a wait is that of a process which a
// signal ended. The Go runtime turns some into exit status 2.
func crashed(err error) bool {
	var e *exec.ExitError
	return errors.As(err, &e) && (e.ExitCode() == -1 || e.ExitCode() == 2)
}

// explain makes the Fault of what a capture process said before it ended.
func (s system) explain(to target, f audio.Format, n notice) error {
	words := ""
	if t := brief(n.Text); t != "" {
		words = " (" + t + ")"
	}
	switch n.Class {
	case noDevice:
		return s.unseen(to, n)
	case twins:
		return tooMany(to.selector, s.strings(n.Seen))
	case busy:
		return s.inUse(to)
	case denied:
		file := to.name
		if to.card != nil {
			file = to.card.file(to.input)
		}
		return refused(file, fs.ErrPermission)
	case badRate:
		offers, cure := "", ""
		if len(n.Rates) > 0 {
			offers = "; it offers " + rates(n.Rates)
			cure = fmt.Sprintf(" Set rate = %d.", nearest(n.Rates, f.Rate))
		}
		return source.Faultf(source.Failed, "%s cannot do %d Hz%s. ingestd does not resample.%s", to.name, f.Rate, offers, cure)
	case badChannels:
		return source.Faultf(source.Failed, "%s has %s, not %d. Set channels = %d or fewer.",
			to.name, count(n.Channels, "channel"), f.Channels, n.Channels)
	case badFormat:
		return source.Faultf(source.Failed, "%s cannot do encoding %v%s. Try another one: %s.",
			to.name, f.Encoding, words, strings.Join(audio.Encodings(), ", "))
	}
	return source.Faultf(source.Failed, "%s cannot be captured%s.", to.name, words)
}

// unseen is the Fault of a device that PortAudio does not list.
func (s system) unseen(to target, n notice) error {
	if to.card != nil {
		// It is in /sys, so it is there: PortAudio leaves out what it cannot open.
		err := s.access(s.at(to.card.file(to.input)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return source.Faultf(source.Failed, "%s was unplugged while it was being opened.", to.name)
		case err != nil:
			return refused(to.card.file(to.input), err)
		}
		return s.inUse(to)
	}
	if to.selector.by == "default" {
		return source.Faultf(source.Failed, "there is no default input. Plug in a microphone, or name one: `ingestd devices` prints the strings.")
	}
	seen := "nothing"
	if len(n.Seen) > 0 {
		seen = strings.Join(s.strings(n.Seen), ", ")
	}
	return source.Faultf(source.Failed, "no input matches device %q.\n    Seen now:  %s\n    What another program has open is not listed. Check the cable, then `ingestd devices`.",
		to.selector.text, seen)
}

// inUse is the Fault of a device that somebody else has open.
func (s system) inUse(to target) error {
	who := "another program"
	if to.card != nil {
		if pid, name := s.owner(*to.card, to.input); name != "" {
			who = fmt.Sprintf("pid %d (%s)", pid, name)
		} else if pid != 0 {
			who = fmt.Sprintf("pid %d", pid)
		}
	}
	return source.Faultf(source.Failed, "%s is in use by %s. Stop it there, or use device = \"default\".", to.name, who)
}

// strings turns PortAudio's names into texts for Config.Device: the socket of
// a USB device, else the name.
func (s system) strings(names []string) []string {
	cards, err := s.cards()
	if err != nil {
		cards = nil // the names serve as well
	}
	var texts []string
	for _, name := range names[:min(len(names), 32)] {
		text := "name:" + brief(name)
		if number, _, ok := hardware(name); ok {
			for _, c := range cards {
				if _, path := c.selectors(); path != "" && c.number == number {
					text = path
				}
			}
		}
		texts = append(texts, text)
	}
	return texts
}

// hardware reads the "(hw:N,D)" at the end of PortAudio's name.
func hardware(name string) (card, device int, ok bool) {
	i := strings.LastIndex(name, " (hw:")
	if i < 0 {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(name[i:], " (hw:%d,%d)", &card, &device)
	return card, device, n == 2 && err == nil
}

// rates lists rates for people. Three or more that follow each other among the
// usual ones are written as the first and the last: 48000..384000.
func rates(all []int) string {
	usual := usualRates()
	var texts []string
	for len(all) > 0 {
		n := 1
		if at := slices.Index(usual, all[0]); at >= 0 {
			for n < len(all) && at+n < len(usual) && all[n] == usual[at+n] {
				n++
			}
		}
		if n >= 3 {
			texts = append(texts, fmt.Sprintf("%d..%d", all[0], all[n-1]))
		} else {
			n = 1
			texts = append(texts, strconv.Itoa(all[0]))
		}
		all = all[n:]
	}
	return strings.Join(texts, ", ")
}

// nearest is the rate that is closest to the one asked for.
func nearest(all []int, asked int) int {
	best := all[0]
	for _, r := range all {
		if max(r-asked, asked-r) < max(best-asked, asked-best) {
			best = r
		}
	}
	return best
}
