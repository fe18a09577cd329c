package vanguard

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	byUser = `{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/jo","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"jo"}`
	byCode = `{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/infra/jo","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/infra","userName":"infra"}}}`
	byHand = "aws-cli/2.31.3 md/awscrt#0.28.1"
	byTool = "APN/1.0 HashiCorp/1.0 Terraform/1.9.5 aws-sdk-go-v2/1.30"
)

// A behaviour is what somebody does to an AWS account, call by call; see testdata/aws-behaviours.txt.
type behaviour struct {
	name    string
	threats []string
	modes   map[string]int // how often
	calls   [][3]string    // service, name, request
}

func readBehaviours(t *testing.T) (all []behaviour) {
	t.Helper()
	text, err := os.ReadFile("testdata/aws-behaviours.txt")
	if err != nil {
		t.Fatal(err)
	}
	times := func(s string) (string, int) {
		word, n, _ := strings.Cut(s, "*")
		count, _ := strconv.Atoi(n)
		return word, max(count, 1)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || line[0] == '#':
		case line[0] != ' ':
			b := behaviour{name: f[0], threats: strings.Split(f[1], ","), modes: map[string]int{}}
			for _, m := range f[2:] {
				word, n := times(m)
				b.modes[word] = n
			}
			all = append(all, b)
		default:
			name, n := times(f[1])
			request := "null"
			if len(f) > 2 {
				request = strings.Join(f[2:], " ")
			}
			b := &all[len(all)-1]
			for i := range n {
				b.calls = append(b.calls, [3]string{f[0], name, strings.ReplaceAll(request, "#", strconv.Itoa(i))})
			}
		}
	}
	return all
}

// log writes the calls n times, one each gap seconds.
func (b *behaviour) log(who, agent, refused string, n, gap int) string {
	var out strings.Builder
	for i := range n * len(b.calls) {
		c := b.calls[i%len(b.calls)]
		s := i * gap
		fmt.Fprintf(&out, `{"eventVersion":"1.09","userIdentity":%s,"eventTime":"2026-11-23T%02d:%02d:%02dZ","eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.23","userAgent":"%s",%s"requestParameters":%s,"responseElements":null,"eventType":"AwsApiCall","recipientAccountId":"111122223333"}`+"\n",
			who, 3+s/3600, s/60%60, s%60, c[0], c[1], agent, refused, c[2])
	}
	return out.String()
}

// judge judges a log of that name.
func judge(t *testing.T, e *Engine, name, log string) *Report {
	t.Helper()
	a := e.Analyzer()
	src := a.Source(name)
	if _, err := src.Write([]byte(log)); err != nil {
		t.Fatal(err)
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	return a.Report()
}

// TestBehaviours: what is done to an AWS account by hand is found and has the right name, whether it was allowed or denied; the same
// calls by infrastructure as code stay quiet, or are noise where they take a guard away; nothing that was denied has worked.
func TestBehaviours(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	judge := func(log string) *Report { return judge(t, e, "cloudtrail.json", log) }
	all := readBehaviours(t)
	if len(all) < 100 {
		t.Fatalf("%d behaviours", len(all))
	}
	named := func(b *behaviour, r *Report) bool {
		return slices.ContainsFunc(r.Findings, func(f Finding) bool { return slices.Contains(b.threats, f.Threat) })
	}
	for _, b := range all {
		if b.modes["allowed"] > 0 {
			if r := judge(b.log(byUser, byHand, "", 1, 4)); !named(&b, r) {
				t.Errorf("%s, allowed: %s, no finding of %v", b.name, r.Verdict, b.threats)
			}
		}
		if n := b.modes["denied"]; n > 0 {
			const no = `"errorCode":"AccessDenied","errorMessage":"not authorized",`
			r := judge(b.log(byUser, byHand, no, n, 20))
			if !named(&b, r) {
				t.Errorf("%s, denied: %s, no finding of %v", b.name, r.Verdict, b.threats)
			}
			for _, f := range r.Findings {
				if strings.Contains(f.Outcome, "succeeded") {
					t.Errorf("%s, denied: %s %s", b.name, f.Threat, f.Outcome)
				}
			}
		}
		if b.modes["deployed"] > 0 {
			if r := judge(b.log(byCode, byTool, "", 1, 4)); r.Verdict != LooksNormal {
				t.Errorf("%s, deployed: %s", b.name, r.Verdict)
			}
		}
		if b.modes["told"] > 0 {
			if r := judge(b.log(byCode, byTool, "", 1, 4)); r.Verdict != Probed && r.Verdict != LooksNormal {
				t.Errorf("%s, deployed: %s", b.name, r.Verdict)
			}
		}
	}
}

// TestClaimedTool: an agent that says Terraform excuses a key that lasts only where the key also looked after many things, and then
// nothing that takes guards away.
func TestClaimedTool(t *testing.T) {
	e, err := NewEngine(Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	looks := behaviour{}
	for _, c := range [][2]string{{"iam", "GetRole"}, {"ec2", "DescribeVpcs"}, {"s3", "GetBucketVersioning"}, {"rds", "ListTagsForResource"}, {"logs", "DescribeLogGroups"}, {"lambda", "GetFunction20150331v2"}, {"ec2", "DescribeSubnets"}} {
		looks.calls = append(looks.calls, [3]string{c[0], c[1], "{}"})
	}
	before := looks.log(byUser, byTool, "", 1, 0)
	attach := behaviour{calls: [][3]string{{"iam", "AttachRolePolicy", `{"roleName":"ops","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`}}}
	stop := behaviour{calls: [][3]string{{"cloudtrail", "StopLogging", `{"name":"main"}`}}}
	for _, c := range []struct {
		what, log string
		want      Verdict
	}{
		{"by hand", attach.log(byUser, byHand, "", 1, 0), UnderAttack},
		{"says that it is a tool", attach.log(byUser, byTool, "", 1, 0), UnderAttack},
		{"works like one", before + attach.log(byUser, byTool, "", 1, 0), Probed},
		{"works like one, but this was by hand", before + attach.log(byUser, byHand, "", 1, 0), UnderAttack},
		{"works like one, and blinds the account", before + stop.log(byUser, byTool, "", 1, 0), CompromiseLikely},
	} {
		if got := judge(t, e, "cloudtrail.json", c.log).Verdict; got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}
