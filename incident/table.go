package incident

import "hash/maphash"

// A table is a bounded map that forgets the key not touched for longest; of values that are ranked, one of the lowest rank
// that is there, so that a flood of trifles pushes nothing grave out. Values live in slabs, so a full table allocates nothing.
type table[V any] struct {
	seed    maphash.Seed
	index   []uint64    // open addressing: the upper half of the key's hash, and the slot's number plus one; 0 = free
	used    int         // slots in use
	slabs   [][]slot[V] // of slabSize slots
	limit   int
	lists   [ranks]list // by the rank that a value had when it was last about to be forgotten
	evicted int         // keys forgotten because the table was full
}

// A list is doubly linked through slots, -1 ends it.
type list struct{ newest, oldest int32 }

type slot[V any] struct {
	key        string
	prev, next int32
	rank       uint8
	val        V
}

// ranked values say how much is lost with them. A rank never falls.
type ranked interface {
	rank() uint8 // below ranks
}

const ranks = 4

const slabSize = 32 // slots: small beside the table, so that it is hardly larger than what is in it

func (t *table[V]) slot(i int32) *slot[V] { return &t.slabs[i/slabSize][i%slabSize] }

// hash is that of slot i's key. It is needed where the table grows or forgets, and worked out anew: kept, it would take a tenth of the table.
func (t *table[V]) hash(i int32) uint64 { return maphash.String(t.seed, t.slot(i).key) }

func newTable[V any](limit int) *table[V] {
	t := &table[V]{seed: maphash.MakeSeed(), index: make([]uint64, 16), limit: limit}
	for r := range t.lists {
		t.lists[r] = list{-1, -1}
	}
	return t
}

// get returns the value of key, or nil.
func (t *table[V]) get(key []byte) *V {
	i := t.find(key, maphash.Bytes(t.seed, key))
	if i < 0 {
		return nil
	}
	t.touch(i)
	return &t.slot(i).val
}

// find returns the slot of key, or -1.
func (t *table[V]) find(key []byte, hash uint64) int32 {
	mask := uint64(len(t.index) - 1)
	for k := hash & mask; t.index[k] != 0; k = (k + 1) & mask {
		if (t.index[k]^hash)>>32 == 0 {
			if i := int32(uint32(t.index[k])) - 1; t.slot(i).key == string(key) {
				return i
			}
		}
	}
	return -1
}

// enter puts slot i into the index.
func (t *table[V]) enter(i int32, hash uint64) {
	mask := uint64(len(t.index) - 1)
	k := hash & mask
	for t.index[k] != 0 {
		k = (k + 1) & mask
	}
	t.index[k] = hash>>32<<32 | uint64(i+1)
}

// leave takes slot i out of the index, and moves up what stands behind it.
func (t *table[V]) leave(i int32) {
	mask := uint64(len(t.index) - 1)
	free := t.hash(i) & mask
	for uint32(t.index[free]) != uint32(i+1) {
		free = (free + 1) & mask
	}
	for k := (free + 1) & mask; t.index[k] != 0; k = (k + 1) & mask {
		home := t.hash(int32(uint32(t.index[k]))-1) & mask
		if (k-home)&mask >= (k-free)&mask {
			t.index[free], free = t.index[k], k
		}
	}
	t.index[free] = 0
}

// at returns the value of key, made anew (zero, or reset by the caller) if it is not there. The pointer is valid until
// the next call of at.
func (t *table[V]) at(key []byte) (v *V, fresh bool) {
	hash := maphash.Bytes(t.seed, key)
	if i := t.find(key, hash); i >= 0 {
		t.touch(i)
		return &t.slot(i).val, false
	}
	i := int32(t.used)
	if t.used < t.limit {
		if t.used%slabSize == 0 {
			t.slabs = append(t.slabs, make([]slot[V], slabSize))
		}
		if t.used++; 4*t.used > 3*len(t.index) {
			t.index = make([]uint64, 2*len(t.index))
			for old := range i {
				t.enter(old, t.hash(old))
			}
		}
	} else {
		i = t.victim()
		t.unlink(i)
		t.leave(i)
		t.evicted++
	}
	s := t.slot(i)
	*s = slot[V]{key: string(key)}
	t.enter(i, hash)
	t.link(i)
	return &s.val, true
}

// victim finds whom to forget. A value whose rank has grown since it was put into its list moves to the list where it
// belongs, which happens to each but a few times.
func (t *table[V]) victim() int32 {
	for r := range t.lists {
		for i := t.lists[r].oldest; i >= 0; i = t.lists[r].oldest {
			v, ok := any(&t.slot(i).val).(ranked)
			if !ok || int(v.rank()) <= r {
				return i
			}
			t.unlink(i)
			t.slot(i).rank = v.rank()
			t.link(i)
		}
	}
	panic("incident: a full table is empty") // The lists hold all slots.
}

// each visits the values, those of one rank from the oldest touched to the newest.
func (t *table[V]) each(f func(key string, v *V)) {
	for _, l := range t.lists {
		for i := l.oldest; i >= 0; i = t.slot(i).next {
			f(t.slot(i).key, &t.slot(i).val)
		}
	}
}

func (t *table[V]) len() int { return t.used }

func (t *table[V]) touch(i int32) {
	if t.lists[t.slot(i).rank].newest != i {
		t.unlink(i)
		t.link(i)
	}
}

func (t *table[V]) unlink(i int32) {
	s := t.slot(i)
	l := &t.lists[s.rank]
	if s.prev >= 0 {
		t.slot(s.prev).next = s.next
	} else {
		l.oldest = s.next
	}
	if s.next >= 0 {
		t.slot(s.next).prev = s.prev
	} else {
		l.newest = s.prev
	}
}

func (t *table[V]) link(i int32) {
	s := t.slot(i)
	l := &t.lists[s.rank]
	s.prev, s.next = l.newest, -1
	if l.newest >= 0 {
		t.slot(l.newest).next = i
	} else {
		l.oldest = i
	}
	l.newest = i
}
