package main

import (
	"slices"

	"github.com/ingestd/ingestd/sink"
	"github.com/ingestd/ingestd/source/portaudio"
)

// info is what info.json says of s beside what the daemon knows. What is not
// known now is left out.
func (a *assembler) info(s *sensorConfig) map[string]any {
	labels := s.Labels
	if labels == nil {
		labels = map[string]string{} // {}, never null
	}
	info := map[string]any{
		"station": a.c.Station, "source": s.Source, "device": a.device(s), "labels": labels, "software": "ingestd " + built().Version, "layout_version": sink.Version,
	}
	if c := a.container(s); c != "" {
		info["container"] = c
	}
	if s.Location.Known {
		info["location"] = [2]float64{s.Location.Latitude, s.Location.Longitude}
	}
	return info
}

// device is what can be seen of the device of s without opening it.
func (a *assembler) device(s *sensorConfig) map[string]string {
	device := map[string]string{"selector": s.Device}
	if s.Source != sourcePortAudio {
		return device
	}
	found, known, err := portaudio.Look(s.Device, a.p.sysfs)
	if err != nil || !known {
		return device // it may be away; what is wrong with it is told when it is opened
	}
	for name, value := range map[string]string{"name": found.Name, "usb_id": found.USBID, "usb_path": found.Path, "serial": found.Serial} {
		if value != "" {
			device[name] = value
		}
	}
	return device
}

// container is the codec of all chunks of s, "" if its sinks differ.
func (a *assembler) container(s *sensorConfig) string {
	codec := ""
	for _, r := range a.c.Readers {
		k := a.c.Sinks[r.Sink]
		switch {
		case k == nil || !slices.Contains(a.c.served(r), s):
		case codec != "" && codec != k.Codec:
			return ""
		default:
			codec = k.Codec
		}
	}
	return codec
}
