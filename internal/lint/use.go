package lint

import (
	"go/ast"
	"strings"
)

// clockReaders are the functions of package time that read or wait for the
// machine's clock.
const (
	clockReaders = "time.Now time.Since time.Until"
	clockWaiters = "time.Sleep time.After time.Tick time.NewTimer time.NewTicker time.AfterFunc"
)

// timeless packages know positions only; they never ask what time it is.
const timeless = "buffer reader sink sink/* audio audio/*"

func useRules(e Excused) []Rule {
	return []Rule{{
		Name:  "exit",
		Why:   "only the program may end the process or write to its terminal; a library returns an error",
		Check: exits,
	}, {
		Name:  "time",
		Why:   "what reads the clock by itself cannot be tested with another clock, and a clock that steps must not move a position",
		Check: reads(e.Time),
	}, {
		Name:  "sleep",
		Why:   "a test that sleeps is slow when it passes and wrong when the machine is slow; wait for the condition, or pass a clock",
		Check: sleeps,
	}, {
		Name:  "goroutines",
		Why:   "who starts a goroutine waits for it; that can be seen only where they are few, so those that touch audio start in internal/daemon",
		Check: goroutines,
	}, {
		Name:  "certificates",
		Why:   "a connection that believes everybody protects from nobody",
		Check: certificates,
	}, {
		Name:  "programs",
		Why:   "no setting, name or byte from outside may ever start a program; that is plain to see where only the capture process is started",
		Check: programs,
	}}
}

func isProgram(f *File) bool { return f.Test || within(f.Dir, "cmd/* test/*") }

func exits(t *Tree, say func(string, ...any)) {
	const forbidden = "os.Exit syscall.Exit fmt.Print fmt.Printf fmt.Println"
	for _, f := range t.Go {
		if isProgram(f) {
			continue
		}
		f.selectors(func(s string) {
			if within(s, forbidden) {
				say("%s uses %s, which only cmd may", f.Path, s)
			}
		})
	}
}

// reads is the rule with that list of functions that may read the time.
func reads(mayReadTime map[string]string) func(*Tree, func(string, ...any)) {
	return func(t *Tree, say func(string, ...any)) {
		used := map[string]bool{}
		for _, f := range t.Go {
			if f.Test || f.Dir == "clock" || within(f.Dir, "test/*") || strings.HasSuffix(f.Dir, "test") {
				continue
			}
			for _, spec := range f.AST.Imports {
				if spec.Name != nil && spec.Name.Name == "." && spec.Path.Value == `"time"` {
					say("%s imports time as if it were its own: nobody sees what it reads", f.Path)
				}
			}
			for _, d := range f.AST.Decls {
				who := f.Path
				if fn, ok := d.(*ast.FuncDecl); ok {
					who += ": " + fn.Name.Name
				}
				f.selectorsOf(d, func(s string) {
					switch {
					case within(f.Dir, timeless) && within(s, clockReaders+" "+clockWaiters):
						say("%s uses %s: %s knows positions, not time", f.Path, s, f.Dir)
					case !within(s, clockReaders+" time.Sleep"):
					case mayReadTime[who] != "":
						used[who] = true
					default:
						say("%s uses %s: take a clock.Clock", f.Path, s)
					}
				})
			}
		}
		unused(mayReadTime, used, "reading the time", say)
	}
}

func sleeps(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		if f.Test || strings.HasSuffix(f.Dir, "test") || within(f.Dir, "test/*") {
			f.selectors(func(s string) {
				if s == "time.Sleep" {
					say("%s uses time.Sleep in a test", f.Path)
				}
			})
		}
	}
}

// goroutines finds go statements and calls of x.Go(f), which is how a
// sync.WaitGroup starts one.
func goroutines(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		if f.Test || strings.HasSuffix(f.Dir, "test") || within(f.Dir, "internal/daemon cmd/* test/* source/portaudio") {
			continue
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				say("%s starts a goroutine", f.Path)
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Go" && len(n.Args) == 1 {
					say("%s starts a goroutine", f.Path)
				}
			}
			return true
		})
	}
}

// starters start a program, beside os/exec, which is a library with a home.
const starters = "os.StartProcess syscall.Exec syscall.ForkExec syscall.StartProcess syscall.SYS_EXECVE syscall.SYS_EXECVEAT " +
	"golang.org/x/sys/unix.Exec golang.org/x/sys/unix.SYS_EXECVE golang.org/x/sys/unix.SYS_EXECVEAT plugin.Open"

func programs(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		if mayUse(f, only["os/exec"]) {
			continue
		}
		f.selectors(func(s string) {
			if within(s, starters) {
				say("%s uses %s: only %s may start a program", f.Path, s, only["os/exec"])
			}
		})
	}
}

func certificates(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if x, ok := n.(*ast.Ident); ok && x.Name == "InsecureSkipVerify" {
				say("%s mentions %s", f.Path, x.Name)
			}
			return true
		})
	}
}
