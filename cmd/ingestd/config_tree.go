package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Limits of one configuration file. The library's search for what is defined
// twice takes time with the square of maxKeys.
const (
	maxConfig = 1 << 20 // bytes
	maxKeys   = 10_000  // keys and heads of tables
	maxDepth  = 16      // parts of a key
)

// kind is what stands at a node of the tree.
type kind uint8

const (
	kindText    kind = iota + 1
	kindInteger      // as written, underscores and prefixes included
	kindDecimal
	kindBoolean
	kindMoment // a time with an offset, as written
	kindLocal  // a date or time without one
	kindList
	kindTable
	kindWord // from the environment or the command line: any scalar
)

// String is what a user calls a value of the kind.
func (k kind) String() string {
	switch k {
	case kindInteger, kindDecimal:
		return "a number"
	case kindBoolean:
		return "true or false"
	case kindMoment, kindLocal:
		return "a time"
	case kindList:
		return "a list"
	case kindTable:
		return "a table"
	}
	return "text"
}

// node is a value that was written somewhere.
type node struct {
	kind   kind
	at     place            // of the value; of a table: its head
	key    place            // of the key
	text   string           // of a scalar
	names  []string         // of a table, in the order written
	fields map[string]*node // of a table
	items  []*node          // of a list
}

func newTable(at place) *node {
	return &node{kind: kindTable, at: at, key: at, fields: map[string]*node{}}
}

// put sets a field.
func (n *node) put(name string, v *node) {
	if _, known := n.fields[name]; !known {
		n.names = append(n.names, name)
	}
	n.fields[name] = v
}

// parseTree reads a file into a tree in which each key and value knows its
// place. It stops at the first error of syntax.
func parseTree(doc *document) (*node, *fault) {
	doc.data = bytes.TrimPrefix(doc.data, []byte("\uFEFF")) // Windows editors
	if len(doc.data) > maxConfig {
		return nil, &fault{place{from: doc.name}, "is longer than 1 MiB; a configuration is not."}
	}
	b := &treeBuilder{doc: doc, root: newTable(place{doc: doc})}
	b.Reset(doc.data)
	into := b.root
	for b.NextExpression() && b.fault == nil {
		switch e := b.Expression(); e.Kind {
		case unstable.Table:
			into = b.open(e.Key(), false)
		case unstable.ArrayTable:
			into = b.open(e.Key(), true)
		case unstable.KeyValue:
			b.set(into, e)
		}
	}
	if b.fault != nil {
		return nil, b.fault
	}
	var syntax *unstable.ParserError
	if errors.As(b.Error(), &syntax) {
		r := b.Range(syntax.Highlight)
		return nil, &fault{b.place(int(r.Offset), int(r.Offset+r.Length)), syntax.Message + "." + quotesHint(syntax.Message)}
	}
	return b.root, b.duplicates()
}

// quotesHint is for the commonest slip: text that stands without quotes.
func quotesHint(message string) string {
	if strings.HasPrefix(message, "expected newline") || strings.HasPrefix(message, "unexpected character") || strings.HasPrefix(message, "expected keyword") {
		return " Text stands in quotes."
	}
	return ""
}

// treeBuilder makes the tree out of the parser's expressions. What is defined
// twice it takes as it comes: duplicates finds it afterwards.
type treeBuilder struct {
	unstable.Parser
	doc   *document
	root  *node
	keys  int
	fault *fault
}

func (b *treeBuilder) place(from, to int) place {
	return place{doc: b.doc, offset: from, width: to - from}
}

// duplicates lets the decoder look for what a tree cannot show: keys and
// tables that are defined twice, numbers and dates that do not exist.
func (b *treeBuilder) duplicates() *fault {
	var into map[string]any
	err := toml.Unmarshal(b.doc.data, &into)
	if err == nil {
		return nil
	}
	at := place{doc: b.doc}
	var syntax *toml.DecodeError
	if errors.As(err, &syntax) {
		line, column := syntax.Position()
		at.offset = lineStart(b.doc.data, line) + column - 1
		at.width = max(1, len(syntax.Key()))
		if rest, _, _ := bytes.Cut(b.doc.data[min(at.offset, len(b.doc.data)):], []byte("\n")); len(rest) > 0 {
			at.width = len(bytes.TrimRight(rest, " \r\t"))
		}
		at.offset = min(at.offset, len(b.doc.data))
	}
	return &fault{at, strings.TrimPrefix(err.Error(), "toml: ") + "."}
}

func lineStart(data []byte, line int) int {
	offset := 0
	for ; line > 1; line-- {
		offset += bytes.IndexByte(data[offset:], '\n') + 1
	}
	return offset
}

// names collects the parts of a key and the place of all of it.
func (b *treeBuilder) names(it unstable.Iterator) (names []string, at place) {
	from, to := -1, 0
	b.keys++
	for it.Next() {
		r := it.Node().Raw
		if from < 0 {
			from = int(r.Offset)
		}
		to = int(r.Offset + r.Length)
		if names = append(names, string(it.Node().Data)); len(names) > maxDepth {
			b.fault = &fault{b.place(from, to), "this key has too many parts."}
			return names, b.fault.at
		}
	}
	if b.keys > maxKeys {
		b.fault = &fault{b.place(from, to), fmt.Sprintf("this file has more than %d keys.", maxKeys)}
	}
	return names, b.place(from, to)
}

// open finds or makes the table that a head in brackets names.
func (b *treeBuilder) open(key unstable.Iterator, array bool) *node {
	names, at := b.names(key)
	last := len(names) - 1
	into := b.descend(b.root, names[:last], at)
	if !array {
		return b.descend(into, names[last:], at)
	}
	head := newTable(at)
	if l := into.fields[names[last]]; l != nil && l.kind == kindList {
		l.items = append(l.items, head)
	} else {
		into.put(names[last], &node{kind: kindList, at: at, key: at, items: []*node{head}})
	}
	return head
}

// descend finds or makes the table below n; of an array of tables the last.
func (b *treeBuilder) descend(n *node, names []string, at place) *node {
	for _, name := range names {
		next := n.fields[name]
		if next != nil && next.kind == kindList && len(next.items) > 0 {
			next = next.items[len(next.items)-1]
		}
		if next == nil || next.kind != kindTable {
			next = newTable(at)
			n.put(name, next)
		}
		n = next
	}
	return n
}

// set puts the value of a KeyValue expression below n.
func (b *treeBuilder) set(n *node, e *unstable.Node) {
	names, at := b.names(e.Key())
	if b.fault != nil {
		return
	}
	// A list has no place of its own: it is what follows the sign.
	end := int(e.Raw.Offset + e.Raw.Length)
	value := at.offset + at.width
	for value < end-1 && strings.IndexByte(" \t=", b.doc.data[value]) >= 0 {
		value++
	}
	v := b.value(e.Value(), b.place(value, end))
	v.key = at
	last := len(names) - 1
	b.descend(n, names[:last], at).put(names[last], v)
}

var kinds = map[unstable.Kind]kind{
	unstable.String: kindText, unstable.Integer: kindInteger, unstable.Float: kindDecimal, unstable.Bool: kindBoolean, unstable.DateTime: kindMoment,
	unstable.LocalDate: kindLocal, unstable.LocalTime: kindLocal, unstable.LocalDateTime: kindLocal, unstable.Array: kindList, unstable.InlineTable: kindTable,
}

func (b *treeBuilder) value(e *unstable.Node, at place) *node {
	if k := kinds[e.Kind]; e.Raw.Length > 0 && k != kindList && k != kindTable {
		at = b.place(int(e.Raw.Offset), int(e.Raw.Offset+e.Raw.Length))
	}
	n := &node{kind: kinds[e.Kind], at: at, key: at}
	switch n.kind {
	case kindList:
		for it := e.Children(); it.Next(); {
			n.items = append(n.items, b.value(it.Node(), at))
		}
	case kindTable:
		n.fields = map[string]*node{}
		for it := e.Children(); it.Next() && b.fault == nil; {
			b.set(n, it.Node())
		}
	default:
		n.text = string(e.Data)
	}
	return n
}
