package deploy

import (
	"strings"
	"testing"
)

// setting is one line of the unit, and what is lost without it.
type setting struct{ line, reason string }

// unitLines is the whole unit, section by section, in its order. A line that
// is taken out, added or changed is to be taken out, added or changed here,
// with its reason.
func unitLines() []setting {
	return []setting{
		{"[Unit]", ""},
		{"Description=ingestd, records the sound of sensors", "people read it in the status"},
		{"Documentation=https://github.com/ingestd/ingestd", "people find more"},
		{"Wants=network-online.target", "a store on the network is there at the start"},
		{"After=sound.target time-sync.target network-online.target", "a session that is named before the clock was set has a wrong name for ever; before the devices are there, it begins with a hole"},
		{"StartLimitIntervalSec=0", "five restarts within ten seconds would be the last"},
		{"[Service]", ""},
		{"Type=notify", "started means that every sensor is read"},
		{"NotifyAccess=main", "a capture process cannot say that all is well"},
		{"ExecStart=/usr/bin/ingestd run --config /etc/ingestd/ingestd.toml", "the daemon"},
		{"WatchdogSec=30s", "a daemon whose sound has stopped moving is restarted"},
		{"TimeoutStartSec=60s", "finding the last session of a large store takes a while"},
		{"TimeoutStopSec=30s", "the last chunk of each sensor is stored on a slow disk; the daemon plans its end by it"},
		{"KillMode=mixed", "the daemon ends its capture processes in order, and none survives it"},
		{"Restart=always", "a recorder that ended well records nothing either"},
		{"RestartSec=100ms", "nothing is recorded in the pause"},
		{"RestartPreventExitStatus=78", "what only a person can mend is told once, not ten times a second"},
		{"OOMPolicy=continue", "a capture process that is killed for memory would take the daemon along"},
		{"OOMScoreAdjust=-500", "the recorder is what the machine is for"},
		{"User=ingestd", "not root"},
		{"SupplementaryGroups=audio", "sound devices belong to that group"},
		{"ConfigurationDirectory=ingestd", "/etc/ingestd"},
		{"StateDirectory=ingestd", "/var/lib/ingestd, which it may write"},
		{"StateDirectoryMode=0750", "recordings are not for everybody's eyes"},
		{"RuntimeDirectory=ingestd", "the ALSA configurations of the capture processes"},
		{"UMask=0027", "nor is what a library makes"},
		{"LimitNOFILE=65536", "many sensors, each with pipes and open chunks"},
		{"LimitMEMLOCK=64M", "rings may be kept out of the swap"},
		{"LimitCORE=0", "no sound in a core file"},
		{"ProtectSystem=strict", "writes nowhere but its own folders"},
		{"ProtectHome=yes", "reads nobody's home"},
		{"PrivateTmp=yes", "no file of another in its way"},
		{"PrivateMounts=yes", "mounts nothing for others"},
		{"DevicePolicy=closed", "no device but those below"},
		{"DeviceAllow=char-alsa rw", "without it every microphone is refused"},
		{"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6", "no raw packets, no netlink"},
		{"IPAddressDeny=any", "talks to nobody"},
		{"IPAddressAllow=localhost", "but this host"},
		{"ProtectProc=invisible", "sees no process of others"},
		{"ProcSubset=pid", "nor the state of the kernel"},
		{"NoNewPrivileges=yes", "no set-user-id program gives it more"},
		{"PrivateUsers=yes", "is nobody to the rest of the host"},
		{"CapabilityBoundingSet=", "none can be gained"},
		{"AmbientCapabilities=", "none is handed down"},
		{"RestrictSUIDSGID=yes", "makes no file that gives others its rights"},
		{"RestrictNamespaces=yes", "does not leave by a namespace"},
		{"RestrictRealtime=yes", "does not hog a core"},
		{"KeyringMode=private", "sees no key of others"},
		{"RemoveIPC=yes", "leaves nothing behind"},
		{"ProtectKernelTunables=yes", "changes nothing of the kernel"},
		{"ProtectKernelModules=yes", "loads nothing into it"},
		{"ProtectKernelLogs=yes", "reads none of its log"},
		{"ProtectControlGroups=yes", "does not lift its own limits"},
		{"ProtectHostname=yes", "nor the name of the host"},
		{"LockPersonality=yes", "no old way of running programs"},
		{"MemoryDenyWriteExecute=yes", "data does not become a program"},
		{"SystemCallArchitectures=native", "no second set of calls beside the filter"},
		{"SystemCallFilter=@system-service", "the calls of an ordinary service"},
		{"SystemCallFilter=~@privileged @resources", "less those that it has no use for"},
		{"ProtectClock=no", "yes refuses adjtimex, whatever the filter says, and then nobody knows whether the clock is synchronised"},
		{"SystemCallFilter=adjtimex clock_adjtime", "the two calls that read the state of the clock; to set it by them takes a capability"},
		{"SystemCallErrorNumber=EPERM", "a refused call is an error; the sound goes on"},
		{"[Install]", ""},
		{"WantedBy=multi-user.target", "records from the start of the machine"},
	}
}

// differences compares a unit with the list, line by line.
func differences(text string) []string {
	var got []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			got = append(got, line)
		}
	}
	var all []string
	for i, want := range unitLines() {
		switch {
		case i >= len(got):
			all = append(all, "lacks "+want.line+": "+want.reason)
		case got[i] != want.line:
			return append(all, "has "+got[i]+" where "+want.line+" is expected: "+want.reason)
		}
	}
	for _, line := range got[min(len(unitLines()), len(got)):] {
		all = append(all, "has "+line+", of which nobody has said what it is for")
	}
	return all
}

func TestUnitHasEachLineAndNoOther(t *testing.T) {
	text := read(t, "ingestd.service")
	for _, d := range differences(text) {
		t.Error("the unit " + d)
	}
	for i, want := range unitLines() {
		if (want.reason == "") != strings.HasPrefix(want.line, "[") {
			t.Errorf("%s has no reason", want.line)
		}
		without := strings.Replace(text, "\n"+want.line+"\n", "\n", 1)
		if without == text || len(differences(without)) == 0 {
			t.Errorf("a unit without line %d, %s, passes", i, want.line)
		}
	}
	if len(differences(text+"PrivateDevices=yes\n")) == 0 {
		t.Error("a line too many passes")
	}
}
