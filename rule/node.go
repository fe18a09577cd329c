package rule

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Limits of a rule file, which may come from anywhere.
const (
	maxFile  = 8 << 20 // bytes
	maxNodes = 200_000 // scalars, lists and maps of one document, after aliases are expanded
	maxDepth = 64      // of nesting, in documents and in conditions
)

// nodeKind is the type of a YAML value.
type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeList
	nodeMap
)

var nodeNames = [...]string{"null", "a truth value", "a number", "text", "a list", "a map"}

// A node is a YAML value that knows its line. A map's kids alternate key and value.
type node struct {
	kind nodeKind
	line int32
	str  string
	kids []node
}

func (n *node) scalar() bool { return n.kind < nodeList }

// get returns the value of a map's key, or nil.
func (n *node) get(key string) *node {
	if n == nil || n.kind != nodeMap {
		return nil
	}
	for i := 0; i+1 < len(n.kids); i += 2 {
		if n.kids[i].str == key {
			return &n.kids[i+1]
		}
	}
	return nil
}

// text returns the text of a map's scalar, or "".
func (n *node) text(key string) string {
	if v := n.get(key); v != nil && v.scalar() {
		return v.str
	}
	return ""
}

// texts returns the scalars of a map's list, or of a lone scalar.
func (n *node) texts(key string) []string {
	v := n.get(key)
	if v == nil || v.kind == nodeMap || v.kind == nodeNull {
		return nil
	}
	if v.scalar() {
		return []string{v.str}
	}
	var out []string
	for i := range v.kids {
		if v.kids[i].scalar() {
			out = append(out, v.kids[i].str)
		}
	}
	return out
}

// A document is one YAML document of a file.
type document struct {
	file string
	root node
	hash uint64 // of the content; 0: not computed yet
}

// split cuts src at its document markers, so that one broken document does not hide the others.
// The second result is the number of lines before each.
func split(src []byte) (docs [][]byte, before []int) {
	start, startLine, line := 0, 0, 0
	for at := 0; at <= len(src); {
		end := bytes.IndexByte(src[at:], '\n')
		next := at + end + 1
		if end < 0 {
			end, next = len(src)-at, len(src)+1
		}
		l := bytes.TrimRight(src[at:at+end], " \t\r")
		if bytes.Equal(l, []byte("---")) || bytes.HasPrefix(l, []byte("--- #")) || bytes.Equal(l, []byte("...")) {
			docs, before = append(docs, src[start:at]), append(before, startLine)
			start, startLine = min(next, len(src)), line+1
		}
		at = next
		line++
	}
	return append(docs, src[start:]), append(before, startLine)
}

var yamlLine = regexp.MustCompile(`^yaml: (?:unmarshal errors:\s*)?(?:line (\d+): )?`)

// readYAML parses all documents of a file; empty ones are left out.
func readYAML(file string, src []byte) (docs []document, problems []Problem) {
	if len(src) > maxFile {
		return nil, []Problem{{File: file, Msg: fmt.Sprintf("file has %d bytes, more than the limit of %d", len(src), maxFile)}}
	}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	chunks, before := split(src)
	for i, chunk := range chunks {
		y, err := decodeYAML(chunk)
		if err != nil {
			line := before[i] + 1
			msg := err.Error()
			if m := yamlLine.FindStringSubmatch(msg); m != nil {
				if n, e := strconv.Atoi(m[1]); e == nil {
					line = before[i] + n
				}
				msg = msg[len(m[0]):]
			}
			problems = append(problems, Problem{File: file, Line: line, Msg: "not YAML: " + msg})
			continue
		}
		if y == nil {
			continue
		}
		c := converter{file: file, before: before[i]}
		root, err := c.convert(y, 0)
		problems = append(problems, c.problems...)
		if err != nil {
			problems = append(problems, Problem{File: file, Line: before[i] + y.Line, Msg: err.Error()})
			continue
		}
		if root.kind != nodeNull {
			docs = append(docs, document{file: file, root: root})
		}
	}
	return docs, problems
}

// decodeYAML returns nil for an empty document.
func decodeYAML(src []byte) (n *yaml.Node, err error) {
	// The YAML library has had panics on odd input; a rule file must not end the program.
	defer func() {
		if r := recover(); r != nil {
			n, err = nil, errors.New("unreadable")
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

type converter struct {
	file     string
	before   int
	count    int
	problems []Problem
}

var (
	errDeep = fmt.Errorf("nested deeper than %d levels", maxDepth)
	errMany = fmt.Errorf("more than %d values in one document", maxNodes)
)

func (c *converter) convert(y *yaml.Node, depth int) (node, error) {
	if y.Kind == yaml.AliasNode {
		y = y.Alias
	}
	if c.count++; c.count > maxNodes {
		return node{}, errMany
	}
	if depth > maxDepth {
		return node{}, errDeep
	}
	n := node{line: int32(c.before + y.Line)}
	switch y.Kind {
	case yaml.SequenceNode:
		n.kind = nodeList
	case yaml.MappingNode:
		n.kind = nodeMap
		return c.convertMap(y, n, depth)
	default:
		n.str = y.Value
		switch y.ShortTag() {
		case "!!null":
			n.kind, n.str = nodeNull, ""
		case "!!bool":
			n.kind = nodeBool
		case "!!int", "!!float":
			n.kind = nodeNumber
		default:
			n.kind = nodeString
		}
		return n, nil
	}
	n.kids = make([]node, 0, len(y.Content))
	for _, k := range y.Content {
		kid, err := c.convert(k, depth+1)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, kid)
	}
	return n, nil
}

func (c *converter) convertMap(y *yaml.Node, n node, depth int) (node, error) {
	n.kids = make([]node, 0, len(y.Content))
	var merged []node
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, err := c.convert(y.Content[i], depth+1)
		if err != nil {
			return node{}, err
		}
		val, err := c.convert(y.Content[i+1], depth+1)
		if err != nil {
			return node{}, err
		}
		if y.Content[i].Tag == "!!merge" {
			if val.kind == nodeList {
				for _, k := range val.kids {
					merged = append(merged, k.kids...)
				}
			} else {
				merged = append(merged, val.kids...)
			}
			continue
		}
		if !key.scalar() {
			c.problem(key.line, "a key must be text")
			continue
		}
		if old := n.get(key.str); old != nil {
			c.problem(key.line, fmt.Sprintf("key %q is there twice, first near line %d", key.str, old.line))
			continue
		}
		n.kids = append(n.kids, key, val)
	}
	for i := 0; i+1 < len(merged); i += 2 {
		if n.get(merged[i].str) == nil {
			n.kids = append(n.kids, merged[i], merged[i+1])
		}
	}
	return n, nil
}

func (c *converter) problem(line int32, msg string) {
	c.problems = append(c.problems, Problem{File: c.file, Line: int(line), Msg: msg})
}
