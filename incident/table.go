package incident

// A table is a bounded map that forgets the key not touched for longest; of values that are ranked, one of the lowest rank
// that is there, so that a flood of trifles pushes nothing grave out. Values live in slabs, so a full table allocates nothing.
type table[V any] struct {
	index   map[string]int32
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

func newTable[V any](limit int) *table[V] {
	t := &table[V]{index: map[string]int32{}, limit: limit}
	for r := range t.lists {
		t.lists[r] = list{-1, -1}
	}
	return t
}

// get returns the value of key, or nil.
func (t *table[V]) get(key []byte) *V {
	i, ok := t.index[string(key)]
	if !ok {
		return nil
	}
	t.touch(i)
	return &t.slot(i).val
}

// at returns the value of key, made anew (zero, or reset by the caller) if it is not there. The pointer is valid until
// the next call of at.
func (t *table[V]) at(key []byte) (v *V, fresh bool) {
	if i, ok := t.index[string(key)]; ok {
		t.touch(i)
		return &t.slot(i).val, false
	}
	i := int32(len(t.index))
	if int(i) < t.limit {
		if i%slabSize == 0 {
			t.slabs = append(t.slabs, make([]slot[V], slabSize))
		}
	} else {
		i = t.victim()
		t.unlink(i)
		delete(t.index, t.slot(i).key)
		t.evicted++
	}
	s := t.slot(i)
	var zero V
	s.key, s.val, s.rank = string(key), zero, 0
	t.index[s.key] = i
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

func (t *table[V]) len() int { return len(t.index) }

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
