package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/helixvanguard/vanguard"
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
	names := make([]string, len(inputs))
	for i, in := range inputs {
		names[i] = in.path
	}
	series := vanguard.SeriesOf(names)
	slices.SortFunc(series, func(a, b vanguard.Series) int { return slices.Min(a.Pieces) - slices.Min(b.Pieces) })
	given := slices.Clone(inputs)
	inputs = inputs[:0]
	for _, log := range series {
		for _, i := range log.Pieces {
			inputs = append(inputs, given[i])
		}
	}
}
