// Command coraza replays the requests of an access log through the Coraza web
// application firewall with the OWASP Core Rule Set, and prints how long that took.
//
//	coraza access.log 20000
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	coreruleset "github.com/corazawaf/coraza-coreruleset/v4"
	"github.com/corazawaf/coraza/v3"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: coraza LOG LINES")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "coraza:", err)
		os.Exit(1)
	}
}

func run(path, limit string) error {
	n, err := strconv.Atoi(limit)
	if err != nil {
		return err
	}
	waf, err := coraza.NewWAF(coraza.NewWAFConfig().WithRootFS(coreruleset.FS).WithDirectives(`
		Include @coraza.conf-recommended
		Include @crs-setup.conf.example
		Include @owasp_crs/*.conf
		SecRuleEngine DetectionOnly
		SecAuditEngine Off`))
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	var bytes, count, flagged int
	begin := time.Now()
	for count < n && lines.Scan() {
		line := lines.Text()
		bytes += len(line) + 1
		count++
		address, _, _ := strings.Cut(line, " ")
		part := strings.Split(line, `"`) // prefix, request, status and size, referer, space, agent
		request := strings.Fields(part[1])
		if len(part) < 6 || len(request) != 3 {
			continue
		}
		tx := waf.NewTransaction()
		tx.ProcessConnection(address, 12345, "192.0.2.1", 443)
		tx.ProcessURI(request[1], request[0], request[2])
		tx.AddRequestHeader("Host", "www.example.com")
		tx.AddRequestHeader("Accept", "*/*")
		tx.AddRequestHeader("User-Agent", part[5])
		if part[3] != "-" {
			tx.AddRequestHeader("Referer", part[3])
		}
		tx.ProcessRequestHeaders()
		if _, err := tx.ProcessRequestBody(); err != nil {
			return err
		}
		for _, m := range tx.MatchedRules() {
			if id := m.Rule().ID(); id == 949110 || id == 949111 { // the anomaly score reached its limit
				flagged++
				break
			}
		}
		if err := tx.Close(); err != nil {
			return err
		}
	}
	took := time.Since(begin)
	fmt.Printf("lines=%d bytes=%d seconds=%.3f flagged=%d\n", count, bytes, took.Seconds(), flagged)
	return lines.Err()
}
