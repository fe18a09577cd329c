package rule

import (
	"encoding/binary"
	"hash/crc64"
	"io/fs"
	"iter"
	"path"
	"strings"
)

// packMagic starts packed rules and names their version.
const packMagic = "vanguard rules 4\n"

// Pack writes the rule files below fsys in a compact form that Load reads some fifty times faster than YAML. What it
// leaves out is layout and comments; what it adds is, for each
// regular expression, the literals that it requires and its machine.
func Pack(fsys fs.FS) (packed string, problems []Problem, err error) {
	var docs []document
	err = eachFile(fsys, func(name string, src []byte) {
		d, p := readYAML(name, src)
		docs, problems = append(docs, d...), append(problems, p...)
	})
	if err != nil {
		return "", problems, err
	}
	sum, err := sizes(fsys)
	if err != nil {
		return "", problems, err
	}
	rules, p := build(each(docs), nil)
	problems = append(problems, p...)
	b := binary.BigEndian.AppendUint64([]byte(packMagic), sum)
	regexes := map[string]facts{}
	for _, r := range rules {
		if r.det != nil {
			for _, s := range r.det.searches {
				s.regexes(regexes)
			}
		}
	}
	b = binary.AppendUvarint(b, uint64(len(regexes)))
	for _, src := range sortedKeys(regexes) {
		b = appendString(b, src)
		f := regexes[src]
		n := uint64(len(f.lits)) << 1
		if f.empty {
			n |= 1
		}
		b = binary.AppendUvarint(b, n)
		for _, set := range f.lits {
			b = binary.AppendUvarint(b, uint64(len(set)))
			for _, lit := range set {
				b = appendString(b, lit)
			}
		}
		b = binary.AppendUvarint(b, uint64(len(f.must)))
		for _, m := range f.must {
			b = binary.AppendUvarint(binary.AppendUvarint(b, m[0]), m[1])
		}
		var mach []byte
		if m := newMachine(src); m != nil {
			mach = m.append(nil)
		}
		b = appendString(b, string(mach))
	}
	for _, d := range docs {
		b = appendDocument(b, &d)
	}
	return string(b), problems, nil
}

func (s *search) regexes(to map[string]facts) {
	if s.item != nil {
		for _, re := range s.item.res {
			to[re.src] = re.facts
		}
	}
	for _, k := range s.kids {
		k.regexes(to)
	}
}

// Load reads the rule files (*.yaml, *.yml) below fsys. packed is what Pack wrote of the same files, or "": where it
// is in step with them it is read instead, else the YAML is parsed.
func Load(fsys fs.FS, packed string) (rules []*Rule, problems []Problem, err error) {
	if rest, ok := strings.CutPrefix(packed, packMagic); ok && len(rest) >= 8 {
		sum, err := sizes(fsys)
		if err == nil && sum == binary.BigEndian.Uint64([]byte(rest[:8])) {
			u := unpacker{src: rest[8:]}
			regexes := u.regexes()
			rules, problems = build(u.documents(), regexes)
			if !u.bad {
				return rules, problems, nil
			}
			rules, problems = nil, nil
		}
	}
	err = eachFile(fsys, func(name string, src []byte) {
		r, p := Parse(name, src)
		rules, problems = append(rules, r...), append(problems, p...)
	})
	return rules, problems, err
}

// InStep tells whether packed is what Pack would write of the files below fsys.
func InStep(fsys fs.FS, packed string) bool {
	now, _, err := Pack(fsys)
	return err == nil && now == packed
}

// eachFile calls f for every rule file in the order of names.
func eachFile(fsys fs.FS, f func(name string, src []byte)) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !isRuleFile(d) {
			return err
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f(name, src)
		return nil
	})
}

// sizes is a checksum of the names and sizes of the rule files. It tells that files were changed after they were packed, but for changes that keep the
// size, which InStep finds: reading them all would take longer than reading the packed ones.
func sizes(fsys fs.FS) (sum uint64, err error) {
	table := crc64.MakeTable(crc64.ECMA)
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !isRuleFile(d) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sum = crc64.Update(sum, table, binary.BigEndian.AppendUint64([]byte(name), uint64(info.Size())))
		return nil
	})
	return sum, err
}

func isRuleFile(d fs.DirEntry) bool {
	ext := path.Ext(d.Name())
	return !d.IsDir() && (ext == ".yml" || ext == ".yaml")
}

func appendDocument(b []byte, d *document) []byte {
	b = appendString(b, d.file)
	b = binary.BigEndian.AppendUint64(b, contentHash(&d.root))
	return appendNode(b, &d.root)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNode(b []byte, n *node) []byte {
	b = append(b, byte(n.kind))
	b = binary.AppendUvarint(b, uint64(n.line))
	if n.scalar() {
		return appendString(b, n.str)
	}
	b = binary.AppendUvarint(b, uint64(len(n.kids)))
	for i := range n.kids {
		b = appendNode(b, &n.kids[i])
	}
	return b
}

// unpacker reads the compact form; its strings are pieces of src.
type unpacker struct {
	src   string
	bad   bool
	arena []node
	spare []node // the arena of the document before
}

func (u *unpacker) uvarint() int { return int(u.bits(35)) }

// bits reads a number of so many bits at most.
func (u *unpacker) bits(n int) (x uint64) {
	for shift := 0; shift < n && len(u.src) > 0; shift += 7 {
		c := u.src[0]
		u.src = u.src[1:]
		x |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return x
		}
	}
	u.bad = true
	return 0
}

func (u *unpacker) string() string {
	n := u.uvarint()
	if u.bad || n > len(u.src) {
		u.bad = true
		return ""
	}
	s := u.src[:n]
	u.src = u.src[n:]
	return s
}

func (u *unpacker) node(n *node, depth int) {
	if len(u.src) == 0 || depth > maxDepth {
		u.bad = true
		return
	}
	*n = node{kind: nodeKind(u.src[0])}
	u.src = u.src[1:]
	n.line = int32(u.uvarint())
	if n.scalar() {
		n.str = u.string()
		return
	}
	count := u.uvarint()
	if n.kind > nodeMap || count > len(u.src) || (n.kind == nodeMap && count%2 != 0) {
		u.bad = true
		return
	}
	// Slabs: thousands of small slices would cost more than the parsing.
	if cap(u.arena)-len(u.arena) < count {
		u.arena = make([]node, 0, max(1024, count))
	}
	at := len(u.arena)
	u.arena = u.arena[:at+count]
	n.kids = u.arena[at : at+count : at+count]
	for i := range n.kids {
		if u.node(&n.kids[i], depth+1); u.bad {
			return
		}
	}
}

// regexes reads the facts of expressions.
func (u *unpacker) regexes() map[string]facts {
	n := u.uvarint()
	if u.bad || n > len(u.src) {
		u.bad = true
		return nil
	}
	regexes := make(map[string]facts, n)
	for range n {
		src, count := u.string(), u.uvarint()
		if u.bad || count > len(u.src) {
			u.bad = true
			return regexes
		}
		f := facts{empty: count&1 != 0}
		for range count >> 1 {
			n := u.uvarint()
			if u.bad || n > len(u.src) {
				u.bad = true
				return regexes
			}
			set := make([]string, n)
			for i := range set {
				set[i] = u.string()
			}
			f.lits = append(f.lits, set)
		}
		count = u.uvarint()
		if u.bad || count > maxMust {
			u.bad = true
			return regexes
		}
		for range count {
			f.must = append(f.must, byteSet{u.bits(64), u.bits(64)})
		}
		f.mach = u.string()
		regexes[src] = f
	}
	return regexes
}

// documents reads the rest. The nodes of a document are overwritten by those of the second after it, unless it has an action, which later ones may build on.
func (u *unpacker) documents() iter.Seq[*document] {
	return func(yield func(*document) bool) {
		for len(u.src) > 0 && !u.bad {
			d := document{file: u.string()}
			if len(u.src) < 8 {
				u.bad = true
				return
			}
			d.hash = binary.BigEndian.Uint64([]byte(u.src[:8]))
			u.src = u.src[8:]
			u.arena, u.spare = u.spare[:0], u.arena
			if u.node(&d.root, 0); u.bad {
				return
			}
			if d.root.kind != nodeMap || d.root.get("action") != nil {
				u.arena, u.spare = nil, nil
			}
			if !yield(&d) {
				return
			}
		}
	}
}
