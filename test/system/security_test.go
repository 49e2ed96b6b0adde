package system

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// asked is what the daemon answers to a request.
func (p *process) asked(method, path, host string) *http.Response {
	p.t.Helper()
	p.get("/livez") // finds the address
	r, err := http.NewRequest(method, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Host = host
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		p.t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

// served is a daemon with a sensor of a name that can be looked for.
func served(t *testing.T) *process {
	t.Helper()
	p := start(t, freePort+ramps(8000, "bedroom")+disk(t.TempDir(), "1s", "1s"))
	p.see("recording")
	return p
}

// TestSecurity_L4: on loopback every user of the machine can ask; the log says
// so.
func TestSecurity_L4(t *testing.T) {
	t.Parallel()
	p := served(t)
	p.see(`http: everybody on this machine can read metrics and health here.*"listen":"127\.0\.0\.1:`)
	p.stop()
}

// TestSecurity_B2: a page whose name was made to resolve to this machine reads
// nothing.
func TestSecurity_B2(t *testing.T) {
	t.Parallel()
	p := served(t)
	p.get("/livez")
	port := p.url[strings.LastIndex(p.url, ":"):]
	for host, status := range map[string]int{
		"127.0.0.1" + port: 200, "localhost" + port: 200, "localhost": 200, "[::1]" + port: 200, "127.1.2.3": 200, "[::ffff:127.0.0.1]": 200,
		"evil.example": 421, "evil.example" + port: 421, "evil.example.": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "evil.example:localhost": 421,
		"192.168.1.5": 421, "0.0.0.0": 421, "[::]": 421, "[fe80::1]": 421, "localhost.": 421, "notlocalhost": 421, "127.0.0.1@evil.example": 421,
	} {
		for _, path := range []string{"/metrics", "/livez", "/readyz?verbose", "/nothing"} {
			want := status
			if path == "/nothing" && status == 200 {
				want = 404
			}
			if got := p.asked("GET", path, host).StatusCode; got != want && !(want == 421 && got == 400) {
				t.Errorf("%s for %q: status %d, want %d", path, host, got, want)
			}
		}
	}
	p.stop()
}

// TestSecurity_B3: every answer keeps pages of others away, faults included, and
// lets none in.
func TestSecurity_B3(t *testing.T) {
	t.Parallel()
	p := served(t)
	for what, answer := range map[string]*http.Response{
		"metrics": p.asked("GET", "/metrics", "localhost"), "not found": p.asked("GET", "/x", "localhost"), "not allowed": p.asked("POST", "/metrics", "localhost"), "not here": p.asked("GET", "/livez", "evil.example"),
	} {
		for name, want := range map[string]string{
			"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'", "Access-Control-Allow-Origin": "",
		} {
			if got := answer.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", what, name, got, want)
			}
		}
	}
	p.stop()
}

// TestSecurity_R4: health answers in a word, and names nothing unless asked.
func TestSecurity_R4(t *testing.T) {
	t.Parallel()
	p := served(t)
	for path, words := range map[string][]string{"/livez": {"ok\n"}, "/healthz": {"ok\n"}, "/readyz": {"ok\n", "not ready\n"}} {
		if _, body := p.get(path); !strings.Contains(fmt.Sprintf("%q", words), fmt.Sprintf("%q", body)) {
			t.Errorf("%s answers %q", path, body)
		}
	}
	if _, body := p.get("/readyz?verbose"); !strings.Contains(body, "bedroom") {
		t.Errorf("verbose it answers %q", body)
	}
	p.stop()
}
