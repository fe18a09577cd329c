package incident

// A table is a bounded map that forgets the key not touched for longest. Values live in one slab, so a full table
// allocates nothing.
type table[V any] struct {
	index   map[string]int32
	slots   []slot[V]
	limit   int
	newest  int32 // doubly linked list through slots, -1 ends it
	oldest  int32
	evicted int // keys forgotten because the table was full
}

type slot[V any] struct {
	key        string
	prev, next int32
	val        V
}

func newTable[V any](limit int) *table[V] {
	return &table[V]{index: map[string]int32{}, limit: limit, newest: -1, oldest: -1}
}

// get returns the value of key, or nil.
func (t *table[V]) get(key []byte) *V {
	i, ok := t.index[string(key)]
	if !ok {
		return nil
	}
	t.touch(i)
	return &t.slots[i].val
}

// at returns the value of key, made anew (zero, or reset by the caller) if it is not there. The pointer is valid until
// the next call of at.
func (t *table[V]) at(key []byte) (v *V, fresh bool) {
	if i, ok := t.index[string(key)]; ok {
		t.touch(i)
		return &t.slots[i].val, false
	}
	var i int32
	if len(t.slots) < t.limit {
		i = int32(len(t.slots))
		t.slots = append(t.slots, slot[V]{})
	} else {
		i = t.oldest
		t.unlink(i)
		delete(t.index, t.slots[i].key)
		t.evicted++
	}
	s := &t.slots[i]
	var zero V
	s.key, s.val = string(key), zero
	t.index[s.key] = i
	t.link(i)
	return &s.val, true
}

// each visits the values from the oldest touched to the newest.
func (t *table[V]) each(f func(key string, v *V)) {
	for i := t.oldest; i >= 0; i = t.slots[i].next {
		f(t.slots[i].key, &t.slots[i].val)
	}
}

func (t *table[V]) len() int { return len(t.index) }

func (t *table[V]) touch(i int32) {
	if t.newest != i {
		t.unlink(i)
		t.link(i)
	}
}

func (t *table[V]) unlink(i int32) {
	s := &t.slots[i]
	if s.prev >= 0 {
		t.slots[s.prev].next = s.next
	} else {
		t.oldest = s.next
	}
	if s.next >= 0 {
		t.slots[s.next].prev = s.prev
	} else {
		t.newest = s.prev
	}
}

func (t *table[V]) link(i int32) {
	s := &t.slots[i]
	s.prev, s.next = t.newest, -1
	if t.newest >= 0 {
		t.slots[t.newest].next = i
	} else {
		t.oldest = i
	}
	t.newest = i
}
