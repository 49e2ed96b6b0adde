package portaudio

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"slices"
	"strings"

	"github.com/ingestd/ingestd/source"
)

// target is the input that a selector came to.
type target struct {
	selector selector
	name     string // for messages
	card     *card  // nil: PortAudio finds it by its name
	input    int
}

// find resolves what the selector means now. Its errors are Faults.
func (s system) find(sel selector) (target, error) {
	switch sel.by {
	case "default":
		return target{selector: sel, name: "the default input"}, nil
	case "name":
		return target{selector: sel, name: printable(sel.where)}, nil
	}
	cards, err := s.cards()
	if err != nil {
		return target{}, source.Faultf(source.Failed, "%w", err)
	}
	var found []card
	for _, c := range cards {
		if sel.matches(c) {
			found = append(found, c)
		}
	}
	switch {
	case len(found) == 0:
		return target{}, source.Faultf(source.Failed, "%s", absent(sel, cards))
	case len(found) > 1:
		var paths []string
		for _, c := range found {
			_, path := c.selectors()
			paths = append(paths, path)
		}
		return target{}, tooMany(sel, paths)
	case sel.index >= len(found[0].inputs):
		return target{}, source.Faultf(source.Failed, "%s has %s: device %q names none of them.",
			found[0].name, count(len(found[0].inputs), "input"), sel.text)
	}
	c := found[0]
	t := target{selector: sel, name: c.name, card: &c, input: c.inputs[sel.index]}
	if err := s.access(s.at(c.file(t.input))); err != nil {
		return target{}, refused(c.file(t.input), err)
	}
	return t, nil
}

// tooMany is the message for a selector that several inputs match.
func tooMany(sel selector, strs []string) error {
	return source.Faultf(source.Failed, "device %q matches %d inputs: %s. Use one of these strings.",
		sel.text, len(strs), strings.Join(strs, ", "))
}

// refused is the message for a device file that may not be opened.
func refused(file string, err error) error {
	if errors.Is(err, fs.ErrNotExist) { // the kernel has it
		return source.Faultf(source.Failed, "%s: it is not in this process's /dev. Give it the device (DeviceAllow= of a unit, --device of a container).", file)
	}
	name, member := "NAME", false
	if u, err := user.Current(); err == nil {
		name, member = u.Username, u.Uid == "0" || inAudio(u)
	}
	return source.Faultf(source.Failed, "%s: %w. %s", file, err, admission(name, member))
}

// admission is what lets a user open a sound card. member: being in group
// audio is not what is missing.
func admission(name string, member bool) string {
	if member {
		return fmt.Sprintf("The user %s may, but this process may not: give it the device (DeviceAllow= of a unit, --device of a container).", name)
	}
	return fmt.Sprintf("The user %s is not in group audio: sudo usermod -aG audio %[1]s", name)
}

func inAudio(u *user.User) bool {
	audio, err := user.LookupGroup("audio")
	if err != nil {
		return false
	}
	groups, err := u.GroupIds()
	return err == nil && slices.Contains(groups, audio.Gid)
}

// absent is the message for a device that is not plugged in.
func absent(sel selector, cards []card) string {
	var b strings.Builder
	fmt.Fprintf(&b, "no input matches device %q.\n    Seen now:  ", sel.text)
	vendor := false
	if len(cards) == 0 {
		b.WriteString("nothing")
	}
	for i, c := range cards {
		if i > 0 {
			b.WriteString(", ")
		}
		if id, _ := c.selectors(); id != "" {
			b.WriteString(id + " ")
		}
		fmt.Fprintf(&b, "%q", c.name)
		vendor = vendor || sel.vendor != "" && c.vendor == sel.vendor
	}
	switch {
	case sel.by == "usb-path":
		b.WriteString("\n    Nothing is in that socket.")
	case vendor:
		fmt.Fprintf(&b, "\n    What is there of vendor %s is another product or has another serial number.", sel.vendor)
	default:
		fmt.Fprintf(&b, "\n    Nothing of vendor %s is plugged in.", sel.vendor)
	}
	b.WriteString(" Check the cable, then `ingestd devices`.")
	return b.String()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
