package incident

import "slices"

// maxBuckets bounds a timeline; past it neighbouring buckets are joined.
const maxBuckets = 96

// A Timeline counts events over event time in at most maxBuckets buckets of equal
// width. The width is a power of two of seconds and buckets start at multiples of it, so the order of events does not matter.
type Timeline struct {
	Width   int64    // seconds of one bucket
	Buckets []Bucket // in order of time; empty stretches are absent
}

// A Bucket is one stretch of a Timeline.
type Bucket struct {
	Start   int64 // seconds since 1970, a multiple of the Timeline's Width
	Events  int
	Suspect int // events with a Signal that is shown
}

func (t *Timeline) add(nanos int64, suspect bool) {
	i := len(t.Buckets) - 1
	if i < 0 || nanos < t.Buckets[i].Start*1e9 || nanos >= (t.Buckets[i].Start+t.Width)*1e9 { // Fast path - logs are nearly in order: the last bucket fits.
		sec := floorDiv(nanos, 1e9)
		if t.Width == 0 {
			t.Width = 1
		}
		start := floorDiv(sec, t.Width) * t.Width
		var found bool
		i, found = slices.BinarySearchFunc(t.Buckets, start, func(b Bucket, s int64) int { return int(min(max(b.Start-s, -1), 1)) })
		if !found {
			t.Buckets = slices.Insert(t.Buckets, i, Bucket{Start: start})
			if span := t.Buckets[len(t.Buckets)-1].Start - t.Buckets[0].Start; span/t.Width >= maxBuckets {
				t.widen()
				t.add(nanos, suspect)
				return
			}
		}
	}
	t.Buckets[i].Events++
	if suspect {
		t.Buckets[i].Suspect++
	}
}

// widen doubles the width until the whole range fits.
func (t *Timeline) widen() {
	for (t.Buckets[len(t.Buckets)-1].Start-t.Buckets[0].Start)/t.Width >= maxBuckets {
		t.Width *= 2
		out := t.Buckets[:0]
		for _, b := range t.Buckets {
			b.Start = floorDiv(b.Start, t.Width) * t.Width
			if n := len(out); n > 0 && out[n-1].Start == b.Start {
				out[n-1].Events += b.Events
				out[n-1].Suspect += b.Suspect
				continue
			}
			out = append(out, b)
		}
		t.Buckets = out
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
