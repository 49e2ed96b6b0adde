package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Bounds of the search for who listens: a machine may have any number of
// sockets and processes.
const (
	maxSockets     = 1 << 16
	maxDescriptors = 1 << 20
)

// listenerOf names the process that listens on a TCP port of this machine, as
// far as this user may see it: "pid 4242 (ingestd)". "" if it is not known.
func listenerOf(port int) string {
	links := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		listening(table, port, links)
	}
	if len(links) == 0 {
		return ""
	}
	open, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, fd := range open[:min(len(open), maxDescriptors)] {
		if to, err := os.Readlink(fd); err != nil || !links[to] {
			continue
		}
		dir := filepath.Dir(filepath.Dir(fd))
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			return "pid " + filepath.Base(dir)
		}
		return fmt.Sprintf("pid %s (%s)", filepath.Base(dir), strings.Map(printable, strings.TrimSpace(string(name))))
	}
	return ""
}

// listening adds the sockets of one table that listen on port, as the links
// below /proc/PID/fd name them.
func listening(table string, port int, links map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 0; n < maxSockets && lines.Scan(); n++ {
		// sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
		const listens = "0A"
		w := strings.Fields(lines.Text())
		if len(w) > 9 && w[3] == listens && strings.HasSuffix(w[1], fmt.Sprintf(":%04X", port)) {
			links["socket:["+w[9]+"]"] = true
		}
	}
}
