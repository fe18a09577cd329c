// Command gen writes the logs that the benchmarks read, the same bytes on every machine.
//
//	gen access  > access.log          1,000,000 nginx combined lines, about 250 MB, 97 % benign, 40,000 clients
//	gen clients > clients.log         10,000,000 lines, each from another client
//	gen cloudtrail -dir DIR           300,000 CloudTrail events in gzipped files as S3 holds them
package main

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
)

const seed = 20261123

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: gen access|clients|cloudtrail [-n N] [-clients N] [-dir DIR] [-files N]")
		os.Exit(2)
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	n := flags.Int("n", 0, "lines or events")
	clients := flags.Int("clients", 42_000, "clients to draw from; some never come")
	dir := flags.String("dir", "data/cloudtrail", "folder for CloudTrail files")
	files := flags.Int("files", 6, "CloudTrail files")
	flags.Parse(os.Args[2:])

	r := rand.New(rand.NewPCG(seed, 1))
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	var err error
	switch os.Args[1] {
	case "access":
		err = newSite(r, *clients).write(out, or(*n, 1_000_000))
	case "clients":
		err = newSite(r, or(*n, 10_000_000)).writeOnceEach(out)
	case "cloudtrail":
		err = writeCloudTrail(r, *dir, or(*n, 300_000), *files)
	default:
		err = fmt.Errorf("%s: unknown; want access, clients or cloudtrail", os.Args[1])
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
