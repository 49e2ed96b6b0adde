// Package lint holds the house rules of ingestd as tests: which package may
// import which, who alone may use a library, how long a file may be, and what
// may be said where. Each rule says why it is one. A rule that cannot fail is
// worth nothing, so testdata has a bad tree for each.
//
// The rules read syntax only; they do not build anything.
package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Module is the path that the imports of this project begin with.
const Module = "github.com/ingestd/ingestd"

// A Tree is a checkout, read once.
type Tree struct {
	Fset  *token.FileSet
	Go    []*File           // Go files outside testdata, by path
	Texts map[string]string // every other file that is text, and every Go file
}

// A File is one parsed Go file.
type File struct {
	Path  string // slash-separated, from the root of the tree
	Dir   string // its folder, "." for the root
	Test  bool   // a _test.go file
	Lines int
	AST   *ast.File
}

// skipped are folders that git does not track, or that are not ours.
var skipped = []string{".git", ".tools", "bin", "var", "node_modules"}

const maxText = 1 << 20 // bytes; what is larger is data

// Load reads the tree below root.
func Load(root fs.FS) (*Tree, error) {
	t := &Tree{Fset: token.NewFileSet(), Texts: map[string]string{}}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains(skipped, name):
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		if info, err := d.Info(); err != nil || info.Size() > maxText {
			return err
		}
		return t.add(root, name)
	})
	return t, err
}

func (t *Tree) add(root fs.FS, name string) error {
	data, err := fs.ReadFile(root, name)
	if err != nil || bytes.IndexByte(data, 0) >= 0 {
		return err
	}
	t.Texts[name] = string(data)
	if path.Ext(name) != ".go" || inTestdata(name) {
		return nil
	}
	parsed, err := parser.ParseFile(t.Fset, name, data, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse %s: %w", name, err)
	}
	t.Go = append(t.Go, &File{
		Path: name, Dir: path.Dir(name), Test: strings.HasSuffix(name, "_test.go"),
		Lines: bytes.Count(data, []byte("\n")), AST: parsed,
	})
	return nil
}

func inTestdata(name string) bool {
	return strings.HasPrefix(name, "testdata/") || strings.Contains(name, "/testdata/")
}

// imports yields the import paths of f. Those of the module are cut to the
// folder, such as "sink/files".
func (f *File) imports() []string {
	var all []string
	for _, spec := range f.AST.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		all = append(all, strings.TrimPrefix(p, Module+"/"))
	}
	return all
}

// calls the import path that name stands for in f, or "" if it is not the
// name of a package there.
func (f *File) calls(name string) string {
	for _, spec := range f.AST.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path.Base(p) == name {
			return p
		}
	}
	return ""
}

// selectors calls do with each pkg.Name of f, such as "time.Now", whatever
// the file calls the package.
func (f *File) selectors(do func(selector string)) { f.selectorsOf(f.AST, do) }

// selectorsOf is selectors, of a part of f.
func (f *File) selectorsOf(part ast.Node, do func(selector string)) {
	ast.Inspect(part, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil {
				if p := f.calls(x.Name); p != "" {
					do(p + "." + s.Sel.Name)
				}
			}
		}
		return true
	})
}

// within says whether the slash-separated name lies in, or is, one of the
// folders of a list separated by spaces. "x/*" stands for all below x, and
// "*" for everything.
func within(name, list string) bool {
	for entry := range strings.FieldsSeq(list) {
		below, wild := strings.CutSuffix(entry, "*")
		if name == entry || wild && strings.HasPrefix(name, below) {
			return true
		}
	}
	return false
}
