package main

import (
	"math"
	"sync"

	"github.com/helixvanguard/vanguard/neural"
)

// An example is what the learner sees of a row: the pieces of text in it that may carry an attack.
type example struct {
	pieces []piece
	attack bool
	class  int     // of the attack; -1 if the label names none that has a class
	weight float32 // how much it counts
}

type piece struct {
	kind neural.Kind
	text []byte
}

// settings of one training run.
type settings struct {
	name    string // of the head
	seed    uint64
	epochs  int
	logRows int
	rare    int      // rows of the table that fewer examples meet say nothing
	drop    float64  // share of n-grams that an example loses each time
	rate    float64  // learning rate of the table
	words   []string // the vocabulary of a head that reads messages
	classes []string
}

// The work of one batch is cut into a fixed number of parts, whatever the number of cores: sums
// are then always made in the same order, and the same data and seed give the same bytes.
const (
	shards    = 4
	batchSize = 256
)

const dense = int(neural.NumKinds)*(1+neural.Hidden) + neural.Hidden*neural.Lanes + (1+neural.MaxClasses)*(neural.Hidden+1)

// layer is the part of the network above the table, as one vector that is easy to add up.
type layer [dense]float32

func (l *layer) bias(kind neural.Kind) *float32 { return &l[kind] }
func (l *layer) inBias(kind neural.Kind) []float32 {
	at := int(neural.NumKinds) + int(kind)*neural.Hidden
	return l[at : at+neural.Hidden]
}
func (l *layer) in(i int) []float32 {
	at := int(neural.NumKinds)*(1+neural.Hidden) + i*neural.Lanes
	return l[at : at+neural.Lanes]
}
func (l *layer) out(k int) (weights []float32, bias *float32) {
	at := int(neural.NumKinds)*(1+neural.Hidden) + neural.Hidden*neural.Lanes + k*(neural.Hidden+1)
	return l[at : at+neural.Hidden], &l[at+neural.Hidden]
}

// net is the network while it learns.
type net struct {
	set   settings
	words *neural.Vocabulary
	table []float32 // rows of Lanes
	seen  []float32 // per row: squares of its gradients, summed
	mute  []bool    // per row: too rare to learn from; nil if none is
	layer *layer
	moved *layer // squares of the layer's gradients
}

func newNet(set settings) *net {
	n := &net{set: set, table: make([]float32, neural.Lanes<<set.logRows), seen: make([]float32, 1<<set.logRows), layer: new(layer), moved: new(layer)}
	if set.words != nil {
		n.words = neural.NewVocabulary(set.words)
	}
	r := random(set.seed)
	for i := range n.table {
		if i%neural.Lanes != 0 {
			n.table[i] = float32(r.float()-0.5) * 0.2
		}
	}
	for i := range neural.Hidden {
		for j := range n.layer.in(i) {
			if j > 0 {
				n.layer.in(i)[j] = float32(r.float()-0.5) * 0.8
			}
		}
	}
	for k := range 1 + neural.MaxClasses {
		w, _ := n.layer.out(k)
		for i := range w {
			w[i] = float32(r.float()-0.5) * 0.8
		}
	}
	return n
}

// state is one forward pass.
type state struct {
	hashes []uint32
	norm   float32
	sum    [neural.Lanes]float32
	hidden [neural.Hidden]float32
	linear float32
	deep   float32
	logits [neural.MaxClasses]float32
}

// forward runs hashes through the network.
func (n *net) forward(s *state, kind neural.Kind, hashes []uint32) {
	s.hashes = hashes
	s.sum = [neural.Lanes]float32{}
	shift := 32 - n.set.logRows
	for _, h := range hashes {
		at := int(h>>shift) * neural.Lanes
		row := n.table[at : at+neural.Lanes : at+neural.Lanes]
		for j := range s.sum {
			s.sum[j] += row[j]
		}
	}
	s.norm = 1 / float32(math.Sqrt(float64(max(len(hashes), 1))))
	for j := range s.sum {
		s.sum[j] *= s.norm
	}
	s.linear = s.sum[0] + *n.layer.bias(kind)
	b := n.layer.inBias(kind)
	for i := range s.hidden {
		v := b[i]
		for j, w := range n.layer.in(i) {
			v += float32(w * s.sum[j])
		}
		s.hidden[i] = max(v, 0)
	}
	s.deep = n.output(s, 0)
	for k := range n.set.classes {
		s.logits[k] = n.output(s, 1+k)
	}
}

func (n *net) output(s *state, k int) float32 {
	w, b := n.layer.out(k)
	v := *b
	for i := range s.hidden {
		v += float32(w[i] * s.hidden[i])
	}
	return v
}

// backward adds the gradients of the layer to g, and returns those of each row that took part.
func (n *net) backward(s *state, kind neural.Kind, e *example, weight float32, g *layer) (row [neural.Lanes]float32) {
	target := float32(0)
	if e.attack {
		target = 1
	}
	dLinear := weight * (sigmoid(s.linear) - target)
	dDeep := weight * (sigmoid(s.deep) - target)
	var dHidden [neural.Hidden]float32
	up := func(k int, d float32) {
		if d == 0 {
			return
		}
		w, _ := n.layer.out(k)
		gw, gb := g.out(k)
		*gb += d
		for i := range s.hidden {
			gw[i] += float32(d * s.hidden[i])
			dHidden[i] += float32(d * w[i])
		}
	}
	up(0, dDeep)
	if e.attack && e.class >= 0 {
		p := softmax(s.logits[:len(n.set.classes)])
		for k, v := range p {
			if k == e.class {
				v--
			}
			up(1+k, 0.5*weight*v)
		}
	}
	*g.bias(kind) += dLinear
	row[0] = dLinear
	b := g.inBias(kind)
	for i, d := range dHidden {
		if s.hidden[i] <= 0 || d == 0 {
			continue
		}
		b[i] += d
		gin, in := g.in(i), n.layer.in(i)
		for j := 1; j < neural.Lanes; j++ {
			gin[j] += float32(d * s.sum[j])
			row[j] += float32(d * in[j])
		}
	}
	for j := range row {
		row[j] *= s.norm
	}
	return row
}

func sigmoid(z float32) float32 { return float32(1 / (1 + exp(-float64(z)))) }

func softmax(z []float32) []float32 {
	top := z[0]
	for _, v := range z {
		top = max(top, v)
	}
	p := make([]float32, len(z))
	sum := float32(0)
	for i, v := range z {
		p[i] = float32(exp(float64(v - top)))
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// exp is e^x by its series: math.Exp is written in assembly on some processors, and rounds otherwise there.
func exp(x float64) float64 {
	x = max(min(x, 60), -60)
	k := math.Floor(x*math.Log2E + 0.5)
	r := x - float64(k*math.Ln2)
	term, sum := 1.0, 1.0
	for i := 1; i < 14; i++ {
		term = float64(term * r / float64(i))
		sum += term
	}
	return math.Ldexp(sum, int(k))
}

// update is what one piece changes in the table.
type update struct {
	hashes []uint32
	row    [neural.Lanes]float32
}

// train runs the epochs over examples, in an order that the seed decides.
func train(set settings, examples []example, progress func(epoch int, loss float64)) *net {
	n := newNet(set)
	n.muteRare(examples)
	order := make([]int, len(examples))
	for i := range order {
		order[i] = i
	}
	r := random(set.seed ^ 0x5bd1e995)
	var (
		grads   [shards]layer
		losses  [shards]float64
		updates [shards][]update
		scratch [shards]neural.Scratch
	)
	for epoch := range set.epochs {
		for i := len(order) - 1; i > 0; i-- {
			j := r.below(i + 1)
			order[i], order[j] = order[j], order[i]
		}
		rate := float32(set.rate) * (1 - float32(epoch)/float32(set.epochs+1))
		total := 0.0
		for from := 0; from < len(order); from += batchSize {
			batch := order[from:min(from+batchSize, len(order))]
			var wg sync.WaitGroup
			for sh := range shards {
				wg.Go(func() {
					grads[sh], losses[sh], updates[sh] = layer{}, 0, updates[sh][:0]
					for i := sh; i < len(batch); i += shards {
						losses[sh] += n.learn(&examples[batch[i]], uint64(batch[i])*1000003+uint64(epoch), &scratch[sh], &grads[sh], &updates[sh])
					}
				})
			}
			wg.Wait()
			for sh := range shards {
				wg.Go(func() { n.applyRows(&updates, uint32(sh), rate) })
			}
			for sh := range shards {
				total += losses[sh]
			}
			n.applyLayer(&grads, rate)
			wg.Wait()
		}
		progress(epoch, total/float64(len(order)))
	}
	return n
}

// muteRare empties the rows that few examples meet: what they would learn is chance, and an n-gram that was never met must not
// speak in the name of those that it shares a row with.
func (n *net) muteRare(examples []example) {
	if n.set.rare == 0 {
		return
	}
	var scratch neural.Scratch
	met, last := make([]int, 1<<n.set.logRows), make([]int, 1<<n.set.logRows)
	shift := 32 - n.set.logRows
	for i := range examples {
		for _, p := range examples[i].pieces {
			for _, h := range scratch.Hashes(n.words, p.text) {
				if row := h >> shift; last[row] != i+1 {
					last[row] = i + 1
					met[row]++
				}
			}
		}
	}
	n.mute = make([]bool, len(met))
	for row, times := range met {
		if n.mute[row] = times < n.set.rare; n.mute[row] {
			clear(n.table[row*neural.Lanes : (row+1)*neural.Lanes])
		}
	}
}

// learn takes one example: a benign one by all its pieces, an attack by the most suspect, as nobody knows which one is the guilty.
func (n *net) learn(e *example, seed uint64, scratch *neural.Scratch, g *layer, updates *[]update) (loss float64) {
	r := random(n.set.seed ^ seed)
	var s, best state
	at := -1
	var kept []uint32
	for i, p := range e.pieces {
		all := scratch.Hashes(n.words, p.text)
		if len(all) == 0 {
			continue
		}
		hashes := make([]uint32, 0, len(all))
		for _, h := range all {
			if r.float() >= n.set.drop {
				hashes = append(hashes, h)
			}
		}
		if len(hashes) == 0 {
			hashes = append(hashes, all[0])
		}
		n.forward(&s, p.kind, hashes)
		if !e.attack {
			loss += n.take(&s, p.kind, e, e.weight/float32(len(e.pieces)), g, updates)
		} else if at < 0 || s.linear+s.deep > best.linear+best.deep {
			best, at, kept = s, i, hashes
		}
	}
	if at >= 0 {
		best.hashes = kept
		loss += n.take(&best, e.pieces[at].kind, e, e.weight, g, updates)
	}
	return loss
}

func (n *net) take(s *state, kind neural.Kind, e *example, weight float32, g *layer, updates *[]update) float64 {
	*updates = append(*updates, update{s.hashes, n.backward(s, kind, e, weight, g)})
	p := float64(sigmoid((s.linear + s.deep) / 2))
	if !e.attack {
		p = 1 - p
	}
	return float64(weight) * -math.Log(max(p, 1e-9))
}

// applyRows changes the rows of one residue; every update is seen in the same order by each.
func (n *net) applyRows(updates *[shards][]update, residue uint32, rate float32) {
	shift := 32 - n.set.logRows
	for sh := range updates {
		for i := range updates[sh] {
			u := &updates[sh][i]
			square := float32(0)
			for _, v := range u.row {
				square += float32(v * v)
			}
			square /= neural.Lanes
			for _, h := range u.hashes {
				row := h >> shift
				if row%shards != residue || n.mute != nil && n.mute[row] {
					continue
				}
				n.seen[row] += square
				step := rate / float32(math.Sqrt(float64(n.seen[row])+1e-8))
				at := int(row) * neural.Lanes
				w := n.table[at : at+neural.Lanes : at+neural.Lanes]
				for j := range w {
					w[j] -= float32(step * u.row[j])
				}
			}
		}
	}
}

func (n *net) applyLayer(grads *[shards]layer, rate float32) {
	for i := range n.layer {
		g := grads[0][i] + grads[1][i] + grads[2][i] + grads[3][i]
		if g == 0 {
			continue
		}
		g /= batchSize
		n.moved[i] += float32(g * g)
		n.layer[i] -= float32(0.4 * rate * g / float32(math.Sqrt(float64(n.moved[i])+1e-8)))
	}
}

// random is splitmix64: the same numbers everywhere.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) float() float64  { return float64(r.next()>>11) / (1 << 53) }
func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

// parameters rounds the network to a head: int8 for the table, each lane by its own scale.
func (n *net) parameters() *neural.Parameters {
	p := &neural.Parameters{Name: n.set.name, Classes: n.set.classes, Words: n.set.words, LogRows: n.set.logRows, Table: make([]int8, len(n.table))}
	var scale [neural.Lanes]float64
	for j := range neural.Lanes {
		// The scale that loses least is below the largest weight: a few are far out, and are cut.
		sum, count := 0.0, 0
		for at := j; at < len(n.table); at += neural.Lanes {
			if n.seen[at/neural.Lanes] > 0 {
				sum += float64(n.table[at]) * float64(n.table[at])
				count++
			}
		}
		scale[j] = max(math.Sqrt(sum/float64(max(count, 1))), 1e-9) * 6 / 127
	}
	for at := range n.table {
		if n.seen[at/neural.Lanes] == 0 {
			continue // never met: it says nothing
		}
		p.Table[at] = int8(math.Round(max(min(float64(n.table[at])/scale[at%neural.Lanes], 127), -127)))
	}
	p.Linear = scale[0]
	for kind := range neural.NumKinds {
		p.Bias[kind] = float64(*n.layer.bias(kind))
		for i, v := range n.layer.inBias(kind) {
			p.InBias[kind][i] = float64(v)
		}
	}
	for i := range neural.Hidden {
		for j, w := range n.layer.in(i) {
			if j > 0 {
				p.In[i][j] = float64(w) * scale[j]
			}
		}
	}
	for k := range 1 + len(n.set.classes) {
		w, b := n.layer.out(k)
		for i := range w {
			p.Out[k][i] = float64(w[i])
		}
		p.OutBias[k] = float64(*b)
	}
	return p
}
