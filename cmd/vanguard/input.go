package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const stdinName = "-"

// An input is one log to read.
type input struct {
	path  string // "-" for standard input
	size  int64  // as stored; 0 unknown
	year  int    // of the file's last change: the year of dates that name none
	found bool   // in a folder, not named by the user
}

// name is what reports call the log.
func (in input) name() string {
	if in.path == stdinName {
		return "stdin"
	}
	return in.path
}

// expand turns what the user named into logs, rotated ones in the order of time. A place
// that cannot be read is a problem with a message; the rest goes on.
func expand(args []string) (inputs []input, problems []error) {
	seen := map[string]bool{}
	add := func(path string, info fs.FileInfo, found bool) {
		if clean := filepath.Clean(path); !seen[clean] {
			seen[clean] = true
			inputs = append(inputs, input{path, info.Size(), info.ModTime().Year(), found})
		}
	}
	for _, arg := range args {
		if arg == stdinName {
			if !seen[arg] {
				seen[arg] = true
				inputs = append(inputs, input{path: arg})
			}
			continue
		}
		info, err := os.Stat(arg)
		if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[") {
			names, globErr := filepath.Glob(arg)
			if globErr != nil || len(names) == 0 {
				problems = append(problems, fmt.Errorf("%s: no file fits this pattern", arg))
			}
			for _, name := range names {
				if info, err := os.Stat(name); err != nil {
					problems = append(problems, plainError(name, err))
				} else if !info.IsDir() {
					add(name, info, true)
				}
			}
			continue
		}
		switch {
		case err != nil:
			problems = append(problems, plainError(arg, err))
		case !info.IsDir():
			add(arg, info, false)
		default:
			before := len(inputs)
			err := filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
				if err != nil {
					problems = append(problems, plainError(path, err))
					return nil
				}
				hidden := strings.HasPrefix(d.Name(), ".") && path != arg
				if d.IsDir() {
					if hidden {
						return fs.SkipDir
					}
					return nil
				}
				info, err := os.Stat(path) // follows a link to a file, never to a folder
				switch {
				case hidden:
				case err != nil:
					problems = append(problems, plainError(path, err))
				case info.Mode().IsRegular():
					add(path, info, true)
				}
				return nil
			})
			if err != nil {
				problems = append(problems, plainError(arg, err))
			}
			if len(inputs) == before {
				problems = append(problems, fmt.Errorf("%s: no files in this folder", arg))
			}
		}
	}
	inTimeOrder(inputs)
	return inputs, problems
}

// plainError words a file error as "place: what".
func plainError(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// inTimeOrder puts the rotated pieces of one log behind each other, oldest first, at
// the place where the first of them was named.
func inTimeOrder(inputs []input) {
	first := map[string]int{}
	ages := make(map[string]age, len(inputs))
	for i, in := range inputs {
		a := ageOf(in.path)
		ages[in.path] = a
		if _, ok := first[a.log]; !ok {
			first[a.log] = i
		}
	}
	slices.SortStableFunc(inputs, func(x, y input) int {
		a, b := ages[x.path], ages[y.path]
		if a.log != b.log {
			return first[a.log] - first[b.log]
		}
		return a.compare(b)
	})
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
	dir, base := filepath.Split(path)
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
