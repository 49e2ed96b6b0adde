package lint

import (
	"fmt"
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
)

const claimsPage = "docs/adr/0014-claims-by-name.md"

// rows is how many there are of each letter.
var (
	seedRows     = map[string]int{"S": 24, "C": 15, "P": 20, "D": 13, "R": 17, "O": 12, "A": 13}
	securityRows = map[string]int{"L": 4, "R": 5, "B": 6, "T": 3, "P": 5, "C": 5, "I": 5, "M": 3, "S": 6}
)

// TestEveryClaimHasATestOrAReason compares the tests of the tree with the page
// that tells of the claims that have none.
func TestEveryClaimHasATestOrAReason(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{} // "Seed_S4"
	for _, f := range tree.Go {
		for _, d := range f.AST.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && f.Test {
				if name, ok := strings.CutPrefix(fn.Name.Name, "Test"); ok {
					tested[name] = true
				}
			}
		}
	}
	abilities, security, found := strings.Cut(tree.Texts[claimsPage], "## Requirements of security")
	if !found {
		t.Fatalf("%s has no two lists", claimsPage)
	}
	for _, m := range misjudged("Seed_", seedRows, tested, abilities) {
		t.Error(m)
	}
	for _, m := range misjudged("Security_", securityRows, tested, security) {
		t.Error(m)
	}
}

var claimLine = regexp.MustCompile(`(?m)^\| ([A-Z]\d+) \| ([^|]+) \| ([^|]+) \|$`)

// misjudged returns what is wrong with a list of claims.
func misjudged(prefix string, rows map[string]int, tested map[string]bool, list string) (wrong []string) {
	told := map[string]bool{}
	for _, m := range claimLine.FindAllStringSubmatch(list, -1) {
		if told[m[1]] {
			wrong = append(wrong, fmt.Sprintf("%s%s is told twice", prefix, m[1]))
		}
		told[m[1]] = true
	}
	for letter, n := range rows {
		for i := range n {
			row := fmt.Sprint(letter, i+1)
			switch {
			case tested[prefix+row] && told[row]:
				wrong = append(wrong, fmt.Sprintf("Test%s%s is there, and %s says that it is not", prefix, row, claimsPage))
			case !tested[prefix+row] && !told[row]:
				wrong = append(wrong, fmt.Sprintf("there is neither a Test%s%s nor a line in %s", prefix, row, claimsPage))
			}
			delete(told, row)
		}
	}
	for row := range told {
		wrong = append(wrong, fmt.Sprintf("%s%s is no claim", prefix, row))
	}
	return wrong
}

func TestClaimsThatAreMisjudgedAreSeen(t *testing.T) {
	tested := map[string]bool{"Seed_S1": true, "Seed_S2": true}
	for list, want := range map[string]int{
		"| S3 | a | b |\n": 0, "": 1, "| S2 | a | b |\n| S3 | a | b |\n": 1, "| S3 | a | b |\n| S4 | a | b |\n": 1, "| S3 | a | b |\n| S3 | a | b |\n": 1, "| S3 | a |\n": 1,
	} {
		if got := misjudged("Seed_", map[string]int{"S": 3}, tested, list); len(got) != want {
			t.Errorf("%q: %q, want %d", list, got, want)
		}
	}
}
