package main

// merger lays one tree over another. Tables merge key by key; [[sensor]] is
// matched by id and [[reader]] by name; anything else replaces.
type merger struct{ *report }

// matchedBy names the key by which the tables of a list at the top are one.
func matchedBy(name string) string {
	switch name {
	case "sensor":
		return "id"
	case "reader":
		return "name"
	}
	return ""
}

// merge puts what over says into base. Neither is shared afterwards with
// anything that still changes.
func (m merger) merge(base, over *node, top bool) {
	for _, name := range over.names {
		below, above := base.fields[name], over.fields[name]
		by := ""
		if top {
			by = matchedBy(name)
		}
		switch {
		case by != "" && above.kind == kindList:
			if below == nil || below.kind != kindList {
				below = &node{kind: kindList, at: above.at, key: above.key}
				base.put(name, below)
			}
			m.match(below, above, name, by)
		case below == nil || below.kind != kindTable && above.kind != kindTable:
			base.put(name, above)
		case below.kind != above.kind:
			m.faultf(above.key, "%q is %v here, but %v at %v. Keep one of them.", name, above.kind, below.kind, below.at)
		default:
			m.merge(below, above, false)
		}
	}
}

// match merges the tables of two lists that carry the same name.
func (m merger) match(base, over *node, list, by string) {
	known := map[string]*node{}
	for _, item := range base.items {
		if name := item.fields[by]; name != nil && name.kind == kindText {
			known[name.text] = item
		}
	}
	here := map[string]*node{}
	for _, item := range over.items {
		name := item.fields[by]
		if name == nil || name.kind != kindText {
			base.items = append(base.items, item) // its fault is found when it is read
			continue
		}
		if first := here[name.text]; first != nil {
			m.faultf(name.at, "%s %q of [[%s]] is used before, at %v. Each needs its own.", by, name.text, list, first.at)
			continue
		}
		here[name.text] = name
		if known[name.text] != nil {
			m.merge(known[name.text], item, false)
		} else {
			base.items = append(base.items, item)
		}
	}
}
