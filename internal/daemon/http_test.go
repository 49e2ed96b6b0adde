package daemon

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingestd/ingestd/sink/mem"
)

// A pipes is a listener without a network.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newPipes() *pipes {
	p := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Net: "pipe"} }

func (p *pipes) Close() error {
	p.close()
	return nil
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// dial returns a connection once it was accepted.
func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// get asks for a path as a client does.
func (p *pipes) get(t *testing.T, path string) (code int, header http.Header, body string) {
	t.Helper()
	conn, err := p.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(text)
}

func TestOnlyThisMachinesNamesAreServed(t *testing.T) {
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "served") })
	tcp, unix := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}, &net.UnixAddr{Name: "/run/ingestd/http.sock", Net: "unix"}
	for _, c := range []struct {
		addr   net.Addr
		host   string
		served bool
	}{
		{tcp, "127.0.0.1:8080", true}, {tcp, "127.0.0.1", true}, {tcp, "127.9.9.9:1", true},
		{tcp, "localhost:8080", true}, {tcp, "localhost", true},
		{tcp, "[::1]:8080", true}, {tcp, "[::1]", true}, {tcp, "[::ffff:127.0.0.1]:8080", true},
		{tcp, "", false}, {tcp, "evil.example", false}, {tcp, "evil.example:8080", false},
		{tcp, "localhost.evil.example:8080", false}, {tcp, "127.0.0.1.evil.example", false},
		{tcp, "192.168.1.7:8080", false}, {tcp, "0.0.0.0:8080", false}, {tcp, "[::]:8080", false}, {tcp, "2130706433", false},
		{unix, "evil.example", true}, // nobody resolves a name to a socket in the file system
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
		r.Host = c.host
		guard(c.addr, next).ServeHTTP(w, r)
		if served := w.Code == http.StatusOK && w.Body.String() == "served"; served != c.served || !served && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("host %q at %v: %d %q", c.host, c.addr, w.Code, w.Body)
		}
	}
}

// secure is what every answer says, those that refuse too.
func secure() map[string]string {
	return map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Referrer-Policy":              "no-referrer",
		"Cache-Control":                "no-store",
		"Content-Security-Policy":      "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
		"Access-Control-Allow-Origin":  "",
	}
}

func TestEveryRouteIsGuarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := newPipes()
		b.config.HTTP = p
		b.sensor("mic", mono, time.Second, nil)
		b.reader("disk", mem.New(), time.Second, byBytes)
		b.watch(6*time.Second, 4*time.Second, func(*Daemon, time.Duration) {
			for path, want := range map[string]int{"/metrics": 200, "/livez": 200, "/healthz": 200, "/readyz": 200, "/readyz?verbose": 200, "/": 404, "/debug/pprof/": 404} {
				code, header, body := p.get(t, path)
				if code != want {
					t.Errorf("%s: %d\n%s", path, code, body)
				}
				for name, value := range secure() {
					if header.Get(name) != value {
						t.Errorf("%s: %s: %q, want %q", path, name, header.Get(name), value)
					}
				}
			}
		})
		if got := b.scrape()[`http_requests_total{code="200",route="/readyz"}`]; got != 2 {
			t.Errorf("%v requests of /readyz were counted", got)
		}
	})
}

func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		p := newPipes()
		b.config.HTTP = p
		d, err := New(t.Context(), b.config)
		if err != nil {
			t.Fatal(err)
		}
		stop := d.startServing(t.Context())
		var conns []net.Conn
		for range maxConns {
			c, err := p.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
		}
		accepted := make(chan net.Conn)
		var wait sync.WaitGroup
		defer wait.Wait()
		wait.Go(func() {
			c, err := p.dial(t.Context())
			if err != nil {
				t.Error(err)
			}
			accepted <- c
		})
		synctest.Wait()
		select {
		case c := <-accepted:
			t.Errorf("one more than %d connections was accepted", maxConns)
			conns = append(conns, c)
		default:
			conns[0].Close()
			conns = append(conns, <-accepted)
		}
		for _, c := range conns {
			c.Close()
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestWhoSaysNothingIsHungUpOn holds connections that a server without time
// limits would keep for ever.
func TestWhoSaysNothingIsHungUpOn(t *testing.T) {
	for _, c := range []struct {
		says string
		most time.Duration
	}{
		{"", headerTimeout},
		{"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ", headerTimeout},
		{"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", idleTimeout},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			p := newPipes()
			b.config.HTTP = p
			d, err := New(t.Context(), b.config)
			if err != nil {
				t.Fatal(err)
			}
			stop := d.startServing(t.Context())
			conn, err := p.dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if _, err := io.WriteString(conn, c.says); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > c.most+time.Second {
				t.Errorf("%q: hung up after %v", c.says, took)
			}
			conn.Close()
			if err := stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
