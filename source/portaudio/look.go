package portaudio

// Found is an input that is plugged in, as the system tells of it.
type Found struct {
	Name   string // for people
	USBID  string // the text usb-id:… that means it; empty: none does
	Path   string // the text usb-path:… of its socket
	Serial string // the serial number that it says it has; empty: none
	File   string // the device file of the input now; the next start may give it another
}

// Look finds the input that device means, without opening anything. It is not
// known where only PortAudio could say, which opens all that it finds: for
// name:TEXT and the default. sysfs is as in Config. Its errors are Faults.
func Look(device, sysfs string) (found Found, known bool, err error) {
	sel, err := parseSelector(device)
	if err != nil || sel.by == "name" || sel.by == "default" {
		return Found{}, false, err
	}
	s := newSystem(sysfs)
	s.access = func(string) error { return nil } // who looks need not be who records
	to, err := s.find(sel)
	if err != nil {
		return Found{}, false, err
	}
	id, path := to.card.selectors()
	return Found{Name: to.card.name, USBID: id, Path: path, Serial: to.card.serial, File: to.card.file(to.input)}, true, nil
}
