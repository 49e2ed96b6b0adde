package portaudio

import (
	"fmt"
	"strconv"
	"strings"
)

// selector says which input is meant. See ParseSelector for its text.
type selector struct {
	text    string
	by      string // usb-id, usb-path, name, default
	vendor  string // four hex digits, lower case
	product string
	serial  string // empty: any
	where   string // of usb-path and name
	index   int    // which of the inputs of that device, from 0
}

// maxSelector is the longest text of a selector, in bytes.
const maxSelector = 512

// CheckSelector returns an error unless device is text that Config.Device can
// be.
func CheckSelector(device string) error {
	_, err := parseSelector(device)
	return err
}

// parseSelector reads one of
//
//	usb-id:VVVV:PPPP[:SERIAL][#N]   that product; a serial number may hold colons
//	usb-path:CONTROLLER-PORTS[#N]   whatever is in that socket
//	name:TEXT                       PortAudio's name, or its part before " (hw:"
//	default                         the system's default; it may resample
//
// #N takes another input of a device that has several, from #0.
func parseSelector(text string) (selector, error) {
	s := selector{text: text}
	if len(text) > maxSelector || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return s, fmt.Errorf("device %.80q is too long or holds control characters", text)
	}
	by, rest, _ := strings.Cut(text, ":")
	s.by = by
	if by == "usb-id" || by == "usb-path" {
		rest = s.cutIndex(rest)
	}
	switch {
	case text == "default":
		return s, nil
	case by == "name" && rest != "", by == "usb-path" && rest != "":
		s.where = rest
		return s, nil
	case by == "usb-id":
		parts := strings.SplitN(rest, ":", 3)
		if len(parts) < 2 || !hex4(parts[0]) || !hex4(parts[1]) {
			return s, fmt.Errorf("device %q: after usb-id: come vendor and product as four hex digits each, such as usb-id:2752:0007", text)
		}
		s.vendor, s.product = strings.ToLower(parts[0]), strings.ToLower(parts[1])
		if len(parts) == 3 {
			s.serial = parts[2]
		}
		return s, nil
	}
	return s, fmt.Errorf("device %q is none of usb-id:VVVV:PPPP[:SERIAL], usb-path:SOCKET, name:TEXT, default; `ingestd devices` prints the strings", text)
}

func (s *selector) cutIndex(text string) string {
	if i := strings.LastIndexByte(text, '#'); i >= 0 {
		if n, err := strconv.ParseUint(text[i+1:], 10, 8); err == nil {
			s.index = int(n)
			return text[:i]
		}
	}
	return text
}

func hex4(s string) bool {
	_, err := strconv.ParseUint(s, 16, 16)
	return len(s) == 4 && err == nil
}

// matches says whether c is a device that s means.
func (s selector) matches(c card) bool {
	switch s.by {
	case "usb-id":
		return c.vendor == s.vendor && c.product == s.product && (s.serial == "" || c.serial == s.serial)
	case "usb-path":
		return c.path != "" && c.path == s.where
	}
	return false
}
