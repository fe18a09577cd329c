package vanguard

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// mergedAtOnce is how many series are read side by side. Each keeps its log open and a few blocks of judged lines in memory.
const mergedAtOnce = 16

// A Log is one file of lines to judge.
type Log struct {
	Name string // as reports show it; its last element tells rotated pieces apart
	Year int    // of its dates which name none; 0 stands for the Engine's
}

// Read judges logs: the rotated pieces of one log one after the other, several logs side by side and as one, merged by the times of their
// lines. In what order they are given changes nothing. read writes log i to w; it runs in several goroutines at a time, and what it leaves
// unwritten is not judged. Read returns when all of it was judged.
func (a *Analyzer) Read(logs []Log, read func(i int, w *Source)) {
	names := make([]string, len(logs))
	for i, log := range logs {
		names[i] = log.Name
	}
	for group := range slices.Chunk(SeriesOf(names), mergedAtOnce) {
		names = names[:0]
		for _, series := range group {
			names = append(names, series.Name)
		}
		lanes := a.Together(names...)
		var all sync.WaitGroup
		for k, series := range group {
			lane := func() {
				defer lanes[k].Close()
				for _, i := range series.Pieces {
					src := lanes[k].Source(logs[i].Name, logs[i].Year)
					read(i, src)
					src.Close()
				}
			}
			if len(group) == 1 {
				lane()
			} else {
				all.Go(lane)
			}
		}
		all.Wait()
	}
}

// A Series is a log with its rotated pieces.
type Series struct {
	Name   string
	Pieces []int // places among the names that were given, oldest first
}

// SeriesOf groups logs by what their names say, in the order of the series' names.
func SeriesOf(names []string) []Series {
	var all []Series
	at := map[string]int{}
	ages := make([]age, len(names))
	for i, name := range names {
		ages[i] = ageOf(name)
		k, ok := at[ages[i].log]
		if !ok {
			k = len(all)
			at[ages[i].log] = k
			all = append(all, Series{Name: ages[i].log})
		}
		all[k].Pieces = append(all[k].Pieces, i)
	}
	for _, s := range all {
		slices.SortStableFunc(s.Pieces, func(i, j int) int { return ages[i].compare(ages[j]) })
	}
	slices.SortStableFunc(all, func(a, b Series) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// An age is what a file's name says about when its lines were written.
type age struct {
	log    string // the name without what rotation added
	date   string // digits only; of "access.log-20261122"
	number int    // of "access.log.3": the greater the older
}

// compare orders old before new: dated pieces, then numbered ones, then the live log.
func (a age) compare(b age) int {
	kind := func(x age) int {
		switch {
		case x.date != "":
			return 0
		case x.number > 0:
			return 1
		}
		return 2
	}
	if k := kind(a) - kind(b); k != 0 {
		return k
	}
	if c := strings.Compare(a.date, b.date); c != 0 {
		return c
	}
	return b.number - a.number
}

var (
	compressedExt = regexp.MustCompile(`(?i)\.(gz|zst|bz2)$`)
	numberedLog   = regexp.MustCompile(`^(.+?)[.-](\d{1,3})(\.log|\.json)?$`)
	datedLog      = regexp.MustCompile(`^(.*?)[._-]?((?:19|20)\d{2}-?\d{2}-?\d{2}(?:[-_T]?\d{2}(?:[:-]?\d{2}){0,2})?Z?|1\d{9})(?:[.-](\d{1,3}))?(\D*)$`)
	cloudTrailLog = regexp.MustCompile(`^(.*_CloudTrail_.*_)(\d{8}T\d{4}Z)_()[^.]*(.*)$`)
)

// ageOf reads a file's name as logrotate, Apache's rotatelogs, log4j and CloudTrail write them:
// "access-20261122.log" and "access.log-20261122" are pieces of "access.log".
func ageOf(path string) age {
	at := strings.LastIndexAny(path, `/\`) + 1
	dir, base := path[:at], path[at:]
	base = compressedExt.ReplaceAllString(base, "")
	m := cloudTrailLog.FindStringSubmatch(base)
	if m == nil {
		m = datedLog.FindStringSubmatch(base)
	}
	if m != nil {
		part, _ := strconv.Atoi(m[3]) // of one day: counted upwards
		return age{log: dir + m[1] + m[4], date: nonDigits.ReplaceAllString(m[2], ""), number: -part}
	}
	if m := numberedLog.FindStringSubmatch(base); m != nil {
		n, _ := strconv.Atoi(m[2])
		return age{log: dir + m[1] + m[3], number: n + 1}
	}
	return age{log: dir + base}
}

var nonDigits = regexp.MustCompile(`\D`)
