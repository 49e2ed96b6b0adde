package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
	"golang.org/x/net/netutil"
)

// Bounds of what a client may do to the server.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10
	maxConns      = 256
	closeTimeout  = 2 * time.Second
	livePatience  = 10 * time.Second // the supervisor comes round every second
)

// startServing serves metrics and health until the function it returns is
// called, which waits for the end.
func (d *Daemon) startServing(ctx context.Context) (stop func() error) {
	d.turned.at.Store(d.c.Clock.Monotonic()) // it lives before it first looks round
	if d.c.HTTP == nil {
		return func() error { return nil }
	}
	counts := newRequestCounter(d.c.Registry)
	mux := http.NewServeMux()
	route := func(pattern string, h http.Handler) { mux.Handle("GET "+pattern, counts.count(pattern, h)) }
	route("/metrics", promhttp.HandlerFor(d.c.Registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	route("/livez", http.HandlerFunc(d.livez))
	route("/healthz", http.HandlerFunc(d.livez))
	route("/readyz", http.HandlerFunc(d.readyz))
	srv := &http.Server{
		Handler:           guard(d.c.HTTP.Addr(), mux),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       zap.NewStdLog(d.c.Log.WithOptions(zap.IncreaseLevel(zap.ErrorLevel))),
	}
	var wg sync.WaitGroup
	var failed error
	wg.Go(func() {
		if err := srv.Serve(netutil.LimitListener(d.c.HTTP, maxConns)); !errors.Is(err, http.ErrServerClosed) {
			failed = fmt.Errorf("serve http on %v: %w", d.c.HTTP.Addr(), err)
			d.c.Log.Error(failed.Error())
		}
	})
	return func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			srv.Close()
		}
		wg.Wait()
		return failed
	}
}

// guard answers only to the names that the server is known by, so that a
// foreign page whose name resolves to this machine reads nothing.
func guard(addr net.Addr, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'")
		if addr.Network() != "unix" && !local(r.Host) {
			http.Error(w, "this host name is not served here", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local says whether a Host header names the loopback interface.
func local(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (d *Daemon) livez(w http.ResponseWriter, _ *http.Request) {
	if d.c.Clock.Monotonic()-d.turned.at.Load() > int64(livePatience) {
		http.Error(w, "stuck", http.StatusServiceUnavailable)
		return
	}
	io.WriteString(w, "ok\n")
}

// readyz is green when every sensor delivers and everything is stored.
func (d *Daemon) readyz(w http.ResponseWriter, r *http.Request) {
	ready, lines := d.ready()
	status, word := http.StatusOK, "ok"
	if !ready {
		status, word = http.StatusServiceUnavailable, "not ready"
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	if _, verbose := r.URL.Query()["verbose"]; verbose {
		for _, line := range lines {
			io.WriteString(w, line+"\n")
		}
	}
	io.WriteString(w, word+"\n")
}

func (d *Daemon) ready() (ready bool, lines []string) {
	ready = true
	say := func(ok bool, text string) {
		mark := "[+] "
		if !ok {
			mark, ready = "[-] ", false
		}
		lines = append(lines, mark+text)
	}
	now := d.c.Clock.Monotonic()
	for _, st := range d.streams {
		say(!st.away(now), st.line(now))
	}
	for _, dr := range d.drains {
		text := dr.sink.Name + ": " + dr.reader.Name + " stores " + dr.from.ID
		f := dr.failing.Load()
		if f != nil {
			text = dr.sink.Name + ": " + dr.reader.Name + " does not store " + dr.from.ID + ": " + firstLine(*f)
		}
		say(f == nil, text)
	}
	for _, p := range d.passers {
		if p.stalled(now) {
			say(false, p.sink.Name+": the disk takes longer than "+slowPass.String()+" to make durable what was written")
		}
	}
	return ready, lines
}

// line is what the sensor does and, if it delivers nothing and should, since
// when and why.
func (s *stream) line(now int64) string {
	state, since, fault := s.State(), s.since.Load(), s.fault.Load()
	text := s.ID + " " + state.String()
	if state == Starting || state == Retrying {
		text += " for " + max(0, time.Duration(now-since)).Truncate(time.Second).String()
	}
	if state == Off {
		text += ": nobody reads it"
	}
	if fault != nil && state != Recording {
		text += ": " + firstLine(*fault)
	}
	return text
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// statusRecorder remembers the status that a request was answered with.
type statusRecorder struct {
	http.ResponseWriter
	code int
}

func (s *statusRecorder) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (s *statusRecorder) label() string { return strconv.Itoa(s.code) }
