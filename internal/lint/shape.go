package lint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

const (
	maxMethods = 5
	maxFile    = 400 // lines
	maxFunc    = 80  // lines
)

// badPackages are names that say nothing about what a package holds.
const badPackages = "util utils common types manager base helper helpers misc shared"

// badTypes are endings that say nothing about what a type is.
var badTypes = []string{"manager", "service", "handler", "engine"}

func shapeRules(e Excused) []Rule {
	return []Rule{{
		Name:  "length",
		Why:   "a file or function this long holds two ideas; look for the seam, or list it with a reason",
		Check: length(e.Long),
	}, {
		Name:  "interfaces",
		Why:   "an interface of more than five methods is one that nobody implements a second time",
		Check: interfaces,
	}, {
		Name:  "names",
		Why:   "a bag of odds and ends grows, and a type that manages or handles does not say what it is",
		Check: names,
	}, {
		Name:  "package comments",
		Why:   "the first thing that a newcomer reads is what a package is for",
		Check: packageComments,
	}, {
		Name:  "init",
		Why:   "what happens before main can be neither seen, ordered, tested nor left out",
		Check: inits,
	}, {
		Name:  "package variables",
		Why:   "two of anything must fit into one process, and tests must not see each other; sentinel errors and tables that nobody changes are no state",
		Check: packageVariables,
	}}
}

// length is the rule with that list of what may be longer.
func length(long map[string]string) func(*Tree, func(string, ...any)) {
	return func(t *Tree, say func(string, ...any)) {
		used := map[string]bool{}
		check := func(name string, lines, limit int, what string) {
			if _, listed := long[name]; listed && lines > limit {
				used[name] = true
			} else if lines > limit {
				say("%s: %s of %d lines, the limit is %d", name, what, lines, limit)
			}
		}
		for _, f := range t.Go {
			check(f.Path, f.Lines, maxFile, "file")
			for _, d := range f.AST.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					lines := t.Fset.Position(fn.End()).Line - t.Fset.Position(fn.Pos()).Line + 1
					check(f.Path+": "+fn.Name.Name, lines, maxFunc, "function")
				}
			}
		}
		unused(long, used, "being long", say)
	}
}

// unused says which entries of a list of exceptions are needed no longer.
func unused(list map[string]string, used map[string]bool, what string, say func(string, ...any)) {
	for name := range list {
		if !used[name] {
			say("%s is excused for %s, and need not be: strike it from the list of internal/lint", name, what)
		}
	}
}

func interfaces(t *Tree, say func(string, ...any)) {
	own := map[string]*ast.InterfaceType{} // "dir.Name"
	t.types(func(f *File, s *ast.TypeSpec) {
		if it, ok := s.Type.(*ast.InterfaceType); ok {
			own[f.Dir+"."+s.Name.Name] = it
		}
	})
	t.types(func(f *File, s *ast.TypeSpec) {
		if it, ok := s.Type.(*ast.InterfaceType); ok {
			if n := methods(it, f.Dir, own, 0); n > maxMethods {
				say("%s: interface %s has %d methods, the limit is %d", f.Path, s.Name.Name, n, maxMethods)
			}
		}
	})
}

// methods counts the methods of it, those of embedded interfaces of the same
// package included. One of another package counts one for each of Read,
// Write, Seek and Close in its name, and at least one.
func methods(it *ast.InterfaceType, dir string, own map[string]*ast.InterfaceType, depth int) int {
	n := 0
	for _, m := range it.Methods.List {
		switch e := m.Type.(type) {
		case *ast.FuncType:
			n += len(m.Names)
		case *ast.Ident:
			if inner := own[dir+"."+e.Name]; inner != nil && depth < 8 {
				n += methods(inner, dir, own, depth+1)
			} else if e.Name == "error" {
				n++
			}
		case *ast.SelectorExpr:
			k := 0
			for _, verb := range []string{"Read", "Write", "Seek", "Close"} {
				k += strings.Count(e.Sel.Name, verb)
			}
			n += max(k, 1)
		}
	}
	return n
}

func names(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		if f.Dir == "." {
			say("%s: there is no Go file in the root", f.Path)
		}
		if within(f.AST.Name.Name, badPackages) {
			say("%s: package %s does not say what it holds", f.Path, f.AST.Name.Name)
		}
	}
	t.types(func(f *File, s *ast.TypeSpec) {
		name := strings.ToLower(s.Name.Name)
		if slices.ContainsFunc(badTypes, func(end string) bool { return strings.HasSuffix(name, end) }) {
			say("%s: type %s does not say what it is", f.Path, s.Name.Name)
		}
	})
}

func packageComments(t *Tree, say func(string, ...any)) {
	commented := map[string]bool{}
	for _, f := range t.Go {
		if !f.Test {
			commented[f.Dir] = commented[f.Dir] || f.AST.Doc != nil
		}
	}
	for dir, ok := range commented {
		if !ok {
			say("%s: no file says what the package is for", dir)
		}
	}
}

func inits(t *Tree, say func(string, ...any)) {
	for _, f := range t.Go {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				say("%s: func init", f.Path)
			}
		}
	}
}

// types calls do with each type that a file of the tree declares, those
// declared in functions included.
func (t *Tree) types(do func(*File, *ast.TypeSpec)) {
	for _, f := range t.Go {
		ast.Inspect(f.AST, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok {
				do(f, s)
			}
			return true
		})
	}
}

// packageVariables finds what is assigned to after its declaration, and what
// is made to be changed: a lock, an atomic, a pool. Tests are left out.
func packageVariables(t *Tree, say func(string, ...any)) {
	vars := map[string]bool{} // "dir.name"
	for _, f := range t.Go {
		f.variables(func(spec *ast.ValueSpec, name string) {
			vars[f.Dir+"."+name] = true
			if lib := f.stateful(spec); lib != "" {
				say("%s: package variable %s is a %s", f.Path, name, lib)
			}
		})
	}
	for _, f := range t.Go {
		if f.Test {
			continue
		}
		changed := func(e ast.Expr) {
			if x := root(e); x != nil && vars[f.Dir+"."+x.Name] && f.isPackageVar(x) {
				say("%s: package variable %s is changed", f.Path, x.Name)
			}
		}
		ast.Inspect(f.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						changed(e)
					}
				}
			case *ast.IncDecStmt:
				changed(n.X)
			case *ast.UnaryExpr:
				if x, ok := n.X.(*ast.Ident); ok && n.Op == token.AND { // &table[i] only looks
					changed(x)
				}
			}
			return true
		})
	}
}

// variables calls do for each variable that f declares at its top, tests
// aside.
func (f *File) variables(do func(spec *ast.ValueSpec, name string)) {
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR || f.Test {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*ast.ValueSpec)
			for _, name := range spec.Names {
				if name.Name != "_" {
					do(spec, name.Name)
				}
			}
		}
	}
}

// stateful names the type of spec if it is one of sync or sync/atomic.
func (f *File) stateful(spec *ast.ValueSpec) string {
	if s, ok := spec.Type.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			if p := f.calls(x.Name); p == "sync" || p == "sync/atomic" {
				return p + "." + s.Sel.Name
			}
		}
	}
	return ""
}

// isPackageVar says whether x, whose name is that of a package variable, is
// not shadowed by something in a function. The parser links an identifier to
// its declaration in the same file; one in another file stays unlinked.
func (f *File) isPackageVar(x *ast.Ident) bool {
	if x.Obj == nil {
		return true
	}
	return f.AST.Scope.Lookup(x.Name) == x.Obj
}

// root is the identifier that an expression such as a.b[c] begins with, or
// nil.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}
