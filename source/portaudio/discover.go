package portaudio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// card is a sound card that can capture. Its number follows the order of
// probing: it is never stored.
type card struct {
	number  int
	inputs  []int  // ALSA devices that capture, ascending
	vendor  string // of a USB device: four hex digits, lower case; else empty
	product string
	serial  string
	path    string // of a USB device: CONTROLLER-PORTS
	name    string
}

// system is where devices are looked for. Not in /proc/asound, which the
// service's sandbox hides, and not by PortAudio's index, which moves.
type system struct {
	root   string                  // "/", or a tree of a test
	access func(path string) error // whether the device file may be opened
}

func (s system) at(parts ...string) string {
	return filepath.Join(append([]string{s.root}, parts...)...)
}

// maxCards bounds what is believed of /sys; the kernel's own limit is lower.
const maxCards = 256

// cards lists the cards that capture, by number.
func (s system) cards() ([]card, error) {
	entries, err := os.ReadDir(s.at("sys/class/sound"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list sound cards: %w", err)
	}
	var found []card
	for _, e := range entries {
		var number, device int
		if n, err := fmt.Sscanf(e.Name(), "pcmC%dD%dc", &number, &device); n != 2 || err != nil ||
			e.Name() != fmt.Sprintf("pcmC%dD%dc", number, device) {
			continue
		}
		i := slices.IndexFunc(found, func(c card) bool { return c.number == number })
		if i < 0 {
			if len(found) == maxCards {
				break
			}
			i = len(found)
			found = append(found, s.card(number))
		}
		found[i].inputs = append(found[i].inputs, device)
	}
	slices.SortFunc(found, func(a, b card) int { return a.number - b.number })
	for _, c := range found {
		slices.Sort(c.inputs)
	}
	return found, nil
}

// card reads what /sys says about a card. What it does not say stays empty.
func (s system) card(number int) card {
	dir := s.at("sys/class/sound", "card"+strconv.Itoa(number))
	c := card{number: number, name: text(filepath.Join(dir, "id"))}
	if c.name == "" {
		c.name = "card " + strconv.Itoa(number)
	}
	device, err := filepath.EvalSymlinks(filepath.Join(dir, "device"))
	if err != nil {
		return c
	}
	usb := filepath.Dir(device) // the card hangs below one interface of it
	vendor, product := strings.ToLower(text(filepath.Join(usb, "idVendor"))), strings.ToLower(text(filepath.Join(usb, "idProduct")))
	if !hex4(vendor) || !hex4(product) {
		return c
	}
	c.vendor, c.product, c.serial = vendor, product, text(filepath.Join(usb, "serial"))
	if name := text(filepath.Join(usb, "product")); name != "" {
		c.name = name
	}
	c.path = socket(usb)
	return c
}

// socket is the text of usb-path for a USB device: what lies above usbN, and
// the ports from there.
func socket(usb string) string {
	ports := text(filepath.Join(usb, "devpath"))
	for dir := usb; ports != "" && filepath.Dir(dir) != dir; dir = filepath.Dir(dir) {
		if n, ok := strings.CutPrefix(filepath.Base(dir), "usb"); ok {
			if _, err := strconv.Atoi(n); err == nil {
				return filepath.Base(filepath.Dir(dir)) + "-" + ports
			}
		}
	}
	return ""
}

// text reads a short attribute file. A device chooses these strings: control
// characters go, and it is cut at 128 bytes.
func text(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 128))
	if err != nil {
		return ""
	}
	return printable(string(b))
}

// printable is s without what could break a line or colour a terminal.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}

// brief is s as it may stand in a message.
func brief(s string) string { return printable(s[:min(len(s), 300)]) }

// selectors are the strings that name the card, the best first: none if only
// PortAudio's name can.
func (c card) selectors() (id, path string) {
	if c.vendor == "" {
		return "", ""
	}
	id = "usb-id:" + c.vendor + ":" + c.product
	if c.serial != "" {
		id += ":" + c.serial
	}
	if c.path != "" {
		path = "usb-path:" + c.path
	}
	return id, path
}

// file is the device file of an input of the card.
func (c card) file(input int) string {
	return fmt.Sprintf("/dev/snd/pcmC%dD%dc", c.number, input)
}

// owner is who has an input open: pid and name of the process, 0 and "" if
// nobody has or if it cannot be seen.
func (s system) owner(c card, input int) (pid int, name string) {
	status := s.at("proc/asound", "card"+strconv.Itoa(c.number), fmt.Sprintf("pcm%dc", input), "sub0/status")
	b, err := os.ReadFile(status)
	if err != nil {
		return 0, ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "owner_pid" {
			if pid, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return 0, ""
			}
			return pid, text(s.at("proc", strconv.Itoa(pid), "comm"))
		}
	}
	return 0, ""
}
