// Package neural is the classifier's arithmetic: text in, probabilities out. It works on bytes and knows nothing of logs.
//
// A head is a bag of hashed n-grams (bytes, token shapes or words, see features.go): each selects a row of int8
// weights, the rows are added up, and a small layer of hidden units beside a linear term turns the sum into a
// logit and into the most likely class. Everything after training is integer arithmetic, so the numbers are the same
// on every processor and in WebAssembly, and weights are used where they lie: loading copies nothing.
//
// The probability is that of an attack among the texts that the head was calibrated on (see models/).
package neural

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
)

// Shape of a head. Rows hold Lanes weights of one byte, biased by 128: the first is the linear term, the rest feed the hidden units.
const (
	Lanes      = 24
	Hidden     = 32
	MaxClasses = 16
	MaxCount   = 4096 // n-grams of one text that count

	inputBits  = 4  // fraction bits of the normalised sum
	weightBits = 20 // fraction bits of the dense weights
	LogitBits  = 12 // fraction bits of a logit

	curveStep  = 1 << (LogitBits - 2) // logits between two points of the calibration curve: a quarter
	curveHalf  = 40                   // points on each side of 0: logits from -10 to 10
	CurveSize  = 2*curveHalf + 1
	Certain    = 1 << 16 // a probability of 1
	magic      = "VANGUARDNET2"
	hashSize   = 16
	maxLogRows = 22
	maxSlots   = 1 << 16 // of a vocabulary
)

// A Head is one trained network. It is immutable and may be shared.
type Head struct {
	Name    string
	Classes []string
	Limit   int // the probability, of Certain, from which a text is called suspect

	table   []byte // rows of Lanes bytes
	words   *Vocabulary
	shift   uint  // hash bits to drop
	linear  int64 // logit, with 16 more fraction bits, of one normalised unit of lane 0
	bias    [NumKinds]int64
	in      [Hidden][Lanes]int32
	inBias  [NumKinds][Hidden]int64
	out     [1 + MaxClasses][Hidden]int32
	outBias [1 + MaxClasses]int64
	curve   [CurveSize]int32
}

// A Model holds the heads of one weights file.
type Model struct {
	Name string
	Hash string // of the file, in hexadecimal
	Web  *Head  // benign, or one of the web attacks
	Text *Head  // what an application's message tells; nil if the file has none
}

// scales[n] is 2^16 * 2^inputBits / sqrt(n): integer, so that no processor rounds it differently.
var scales = func() (s [MaxCount + 1]int64) {
	for n := 1; n <= MaxCount; n++ {
		s[n] = int64(isqrt(uint64(1) << (2 * (16 + inputBits)) / uint64(n)))
	}
	return s
}()

func isqrt(v uint64) uint64 {
	r := uint64(0)
	for bit := uint64(1) << 31; bit > 0; bit >>= 1 {
		if (r|bit)*(r|bit) <= v {
			r |= bit
		}
	}
	return r
}

// A Score is what a head says of one text.
type Score struct {
	Logit int32 // in 1<<LogitBits
	P     int32 // calibrated probability, of Certain
	Class uint8 // index into Head.Classes: the most likely kind, if it is one at all
}

// A Scratch is the memory to score with. The zero value is ready; one goroutine at a time.
type Scratch struct {
	fold  []byte
	token []uint32
	rows  []uint32
}

// Score judges text, which is of the given kind and canonical: lower case, no encodings. It allocates nothing once s is warm.
func (h *Head) Score(s *Scratch, kind Kind, text []byte) Score {
	return h.judge(kind, s.Hashes(h.words, text))
}

// The names of the heads.
const (
	WebHead  = "web"
	TextHead = "message"
)

// Sum adds up the rows that the hashes select.
func (h *Head) sum(hashes []uint32) (sum [Lanes]int64) {
	const half = 0x00ff00ff00ff00ff
	for len(hashes) > 0 {
		// Fast path - eight lanes a word, 16 bits each: 256 rows of bytes cannot overflow them.
		part := hashes[:min(len(hashes), 256)]
		hashes = hashes[len(part):]
		var a0, a1, b0, b1, c0, c1 uint64
		for _, f := range part {
			at := int(f>>h.shift) * Lanes
			row := h.table[at : at+Lanes : at+Lanes]
			a, b, c := binary.LittleEndian.Uint64(row), binary.LittleEndian.Uint64(row[8:]), binary.LittleEndian.Uint64(row[16:])
			a0 += a & half
			a1 += a >> 8 & half
			b0 += b & half
			b1 += b >> 8 & half
			c0 += c & half
			c1 += c >> 8 & half
		}
		for i := range 4 {
			sum[2*i] += int64(a0 >> (16 * i) & 0xffff)
			sum[2*i+1] += int64(a1 >> (16 * i) & 0xffff)
			sum[8+2*i] += int64(b0 >> (16 * i) & 0xffff)
			sum[8+2*i+1] += int64(b1 >> (16 * i) & 0xffff)
			sum[16+2*i] += int64(c0 >> (16 * i) & 0xffff)
			sum[16+2*i+1] += int64(c1 >> (16 * i) & 0xffff)
		}
		for i := range sum {
			sum[i] -= 128 * int64(len(part))
		}
	}
	return sum
}

func (h *Head) judge(kind Kind, hashes []uint32) Score {
	hashes = hashes[:min(len(hashes), MaxCount)]
	if len(hashes) == 0 {
		return Score{Logit: -10 << LogitBits}
	}
	sum := h.sum(hashes)
	scale := scales[len(hashes)]
	for i := range sum {
		sum[i] = sum[i] * scale >> 16
	}
	linear := h.bias[kind] + sum[0]*h.linear>>16
	var hidden [Hidden]int64
	for i := range hidden {
		v := h.inBias[kind][i]
		for j, w := range h.in[i] {
			v += sum[j] * int64(w)
		}
		hidden[i] = max(v>>(weightBits+inputBits-8), 0) // eight fraction bits
	}
	deep := h.output(0, &hidden)
	best, class := int64(0), 0
	for k := range h.Classes {
		if v := h.output(1+k, &hidden); k == 0 || v > best {
			best, class = v, k
		}
	}
	const most = 10<<LogitBits - 1
	z := min(max((linear+deep)/2, -most), most)
	return Score{Logit: int32(z), P: h.probability(z), Class: uint8(class)}
}

func (h *Head) output(k int, hidden *[Hidden]int64) int64 {
	v := h.outBias[k]
	for i, w := range h.out[k] {
		v += hidden[i] * int64(w)
	}
	return v >> (8 + weightBits - LogitBits)
}

// probability reads the calibration curve, straight between its points.
func (h *Head) probability(z int64) int32 {
	at := z + curveHalf*curveStep
	i := at / curveStep
	lo, hi := int64(h.curve[i]), int64(h.curve[i+1])
	return int32(lo + (hi-lo)*(at%curveStep)/curveStep)
}

// Parameters are a head as it is trained, in real numbers; Encode makes a file of them.
type Parameters struct {
	Name    string
	Classes []string
	Words   []string // the vocabulary of a head that reads messages; nil for one that reads payloads
	LogRows int
	Table   []int8 // 1<<LogRows rows of Lanes
	Linear  float64
	Bias    [NumKinds]float64
	In      [Hidden][Lanes]float64 // weights on one unit of a lane; lane 0 counts nothing
	InBias  [NumKinds][Hidden]float64
	Out     [1 + MaxClasses][Hidden]float64
	OutBias [1 + MaxClasses]float64
	Curve   [CurveSize]float64 // calibrated probability at logits -10, -9.75 ... 10
	Limit   float64
}

// CurveLogit is the logit at point i of a calibration curve.
func CurveLogit(i int) float64 { return float64(i-curveHalf) / 4 }

func fixed(v float64, bits int) int64 {
	v *= float64(int64(1) << bits)
	if v < 0 {
		return -int64(-v + 0.5)
	}
	return int64(v + 0.5)
}

// Encode writes a weights file: the magic, a hash over what follows, the model's name, the heads, then their tables.
func Encode(name string, hash func([]byte) []byte, heads ...*Parameters) []byte {
	le := binary.LittleEndian
	text := func(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }
	var body []byte
	body = append(text(body, name), byte(len(heads)))
	for _, p := range heads {
		body = append(text(body, p.Name), byte(p.LogRows), byte(len(p.Classes)))
		for _, c := range p.Classes {
			body = text(body, c)
		}
		vocabulary := NewVocabulary(p.Words)
		body = le.AppendUint32(body, uint32(len(vocabulary.slots)))
		for _, w := range vocabulary.slots {
			body = le.AppendUint32(body, w)
		}
		body = le.AppendUint32(body, uint32(fixed(p.Limit, 16)))
		body = le.AppendUint64(body, uint64(fixed(p.Linear, LogitBits+16-inputBits)))
		for k := range NumKinds {
			body = le.AppendUint64(body, uint64(fixed(p.Bias[k], LogitBits)))
			for i := range Hidden {
				body = le.AppendUint64(body, uint64(fixed(p.InBias[k][i], weightBits+inputBits)))
			}
		}
		for i := range Hidden {
			for j := range Lanes {
				body = le.AppendUint32(body, uint32(fixed(p.In[i][j], weightBits)))
			}
		}
		for k := range 1 + len(p.Classes) {
			body = le.AppendUint64(body, uint64(fixed(p.OutBias[k], 8+weightBits)))
			for i := range Hidden {
				body = le.AppendUint32(body, uint32(fixed(p.Out[k][i], weightBits)))
			}
		}
		for i := range CurveSize {
			body = le.AppendUint32(body, uint32(fixed(p.Curve[i], 16)))
		}
	}
	for _, p := range heads {
		for _, w := range p.Table {
			body = append(body, byte(int(w)+128))
		}
	}
	return append(append([]byte(magic), hash(body)[:hashSize]...), body...)
}

// NewHead is p as Load would give it.
func NewHead(p *Parameters) (*Head, error) {
	file := Encode("", func([]byte) []byte { return make([]byte, hashSize) }, p)
	_, heads, err := parse(file)
	if err != nil {
		return nil, err
	}
	return heads[0], nil
}

// errCut says that a weights file ends too early.
var errCut = errors.New("the weights file is cut off")

// reader takes values off the front of a file.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.err = errCut
		return make([]byte, max(n, 0)&0xff|8)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() int    { return int(r.take(1)[0]) }
func (r *reader) int32() int32 { return int32(binary.LittleEndian.Uint32(r.take(4))) }
func (r *reader) int64() int64 { return int64(binary.LittleEndian.Uint64(r.take(8))) }
func (r *reader) text() string { return string(r.take(r.byte())) }

// Load reads a weights file as Encode writes it. The Model uses file's bytes as long as it lives. The error tells a file
// that is none, or is cut off; whether the bytes are the ones that were trained, only Model.Hash can tell.
func Load(file []byte) (*Model, error) {
	m, heads, err := parse(file)
	if err != nil {
		return nil, err
	}
	for _, h := range heads {
		switch h.Name {
		case WebHead:
			m.Web = h
		case TextHead:
			m.Text = h
		}
	}
	if m.Web == nil {
		return nil, fmt.Errorf("the weights file has no head %q", WebHead)
	}
	return m, nil
}

func parse(file []byte) (*Model, []*Head, error) {
	if len(file) < len(magic)+hashSize || string(file[:len(magic)]) != magic {
		return nil, nil, fmt.Errorf("no weights file of this version: it does not begin with %q", magic)
	}
	file = file[len(magic):]
	m := &Model{Hash: hex.EncodeToString(file[:hashSize])}
	r := &reader{b: file[hashSize:]}
	m.Name = r.text()
	var heads []*Head
	for range r.byte() {
		h := &Head{Name: r.text()}
		log := r.byte()
		if r.err == nil && (log < 1 || log > maxLogRows) {
			return nil, nil, fmt.Errorf("head %q has 2^%d rows; at most 2^%d are possible", h.Name, log, maxLogRows)
		}
		h.shift = uint(32 - log)
		classes := r.byte()
		if classes > MaxClasses {
			return nil, nil, fmt.Errorf("head %q has %d classes; at most %d are possible", h.Name, classes, MaxClasses)
		}
		for range classes {
			h.Classes = append(h.Classes, r.text())
		}
		if slots := int(r.int32()); slots < 0 || slots > maxSlots || slots&(slots-1) != 0 {
			return nil, nil, fmt.Errorf("head %q has a vocabulary of %d slots", h.Name, slots)
		} else if slots > 0 {
			h.words = &Vocabulary{make([]uint32, slots)}
			for i := range h.words.slots {
				h.words.slots[i] = uint32(r.int32())
			}
		}
		h.Limit = int(r.int32())
		h.linear = r.int64()
		for k := range NumKinds {
			h.bias[k] = r.int64()
			for i := range Hidden {
				h.inBias[k][i] = r.int64()
			}
		}
		for i := range Hidden {
			for j := range Lanes {
				h.in[i][j] = r.int32()
			}
		}
		for k := range 1 + classes {
			h.outBias[k] = r.int64()
			for i := range Hidden {
				h.out[k][i] = r.int32()
			}
		}
		for i := range CurveSize {
			h.curve[i] = r.int32()
		}
		if r.err != nil {
			return nil, nil, r.err
		}
		heads = append(heads, h)
	}
	for _, h := range heads {
		h.table = r.take(Lanes << (32 - h.shift))
	}
	return m, heads, r.err
}
