package vanguard

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// together is everything that a reader could see of several logs that are judged as one. They are written in pieces of random size,
// in the order of names.
func together(t *testing.T, opt Options, logs map[string]string, names []string, seed uint64) *Report {
	t.Helper()
	opt.Year = 2026
	a, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	lanes := a.Together(names...)
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			src := lanes[i].Source(name, 0)
			for rest := logs[name]; len(rest) > 0; {
				n := min(1+r.IntN(300_000), len(rest))
				src.Write([]byte(rest[:n]))
				rest = rest[n:]
			}
			src.Close()
			lanes[i].Close()
		})
	}
	all.Wait()
	return a.Report()
}

// threeLogs tell one story: nginx sees an address look around and break a login, the application (whose clock is 40 seconds behind) hands out an
// administrator's session, and CloudTrail sees the same address use the keys that it found.
func threeLogs(lines int) map[string]string {
	var web, app, cloud strings.Builder
	start := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	for i := range lines {
		at := start.Add(time.Duration(i) * 400 * time.Millisecond)
		fmt.Fprintf(&web, "198.51.100.%d - - [%s] \"GET /shop/item-%d HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n", i%200+1, at.Format("02/Jan/2006:15:04:05 -0700"), i%40, 4000+i%40)
		if i%3 == 0 {
			fmt.Fprintf(&app, "%s [info] shop: item %d shown ip=198.51.100.%d\n", at.Add(-40*time.Second).Format("2006-01-02T15:04:05.000Z"), i%40, i%200+1)
		}
	}
	who := "203.0.113.9"
	at := start.Add(5 * time.Minute)
	for i, p := range []string{"/.env", "/.git/config", "/backup.sql", "/.aws/credentials", "/admin/", "/phpmyadmin/"} {
		fmt.Fprintf(&web, "%s - - [%s] \"GET %s HTTP/1.1\" 404 153 \"-\" \"curl/8.5.0\"\n", who, at.Add(time.Duration(i)*time.Second).Format("02/Jan/2006:15:04:05 -0700"), p)
	}
	for i := range 14 {
		fmt.Fprintf(&app, "%s [warn] shop: Login failed for ops@example.com from %s: bad password\n", at.Add(time.Duration(20+i*3-40)*time.Second).Format("2006-01-02T15:04:05.000Z"), who)
	}
	fmt.Fprintf(&app, "%s [info] shop: User ops@example.com logged in from %s\n", at.Add(25*time.Second).Format("2006-01-02T15:04:05.000Z"), who)
	for i, call := range []string{"GetCallerIdentity", "ListUsers", "ListRoles", "ListBuckets", "CreateUser", "CreateAccessKey", "AttachUserPolicy"} {
		source := map[bool]string{true: "sts.amazonaws.com", false: "iam.amazonaws.com"}[i == 0]
		params := map[string]string{"CreateUser": `{"userName":"svc-backup"}`, "CreateAccessKey": `{"userName":"svc-backup"}`, "AttachUserPolicy": `{"userName":"svc-backup","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`}[call]
		if params == "" {
			params = "null"
		}
		fmt.Fprintf(&cloud, `{"eventVersion":"1.09","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLEUSER","arn":"arn:aws:iam::111122223333:user/ci","accountId":"111122223333","accessKeyId":"AKIAIOSFODNN7EXAMPLE","userName":"ci"},"eventTime":%q,"eventSource":%q,"eventName":%q,"awsRegion":"eu-central-1","sourceIPAddress":%q,"userAgent":"aws-cli/2.31.3","requestParameters":%s,"responseElements":null,"eventID":"00000000-0000-4000-8000-00000000000%d","eventType":"AwsApiCall","recipientAccountId":"111122223333"}`+"\n",
			at.Add(time.Duration(200+i*4)*time.Second).Format("2006-01-02T15:04:05Z"), source, call, who, params, i)
	}
	return map[string]string{"access.log": sorted(web.String()), "app.log": app.String(), "cloudtrail.json": cloud.String()}
}

// sorted puts access log lines in the order of time, as a server writes them.
func sorted(log string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(log, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\n")
	}
	slices.SortStableFunc(lines, func(a, b string) int {
		cut := func(s string) string { _, s, _ = strings.Cut(s, "["); return s[:20] }
		return strings.Compare(cut(a), cut(b))
	})
	return strings.Join(lines, "\n") + "\n"
}

func TestStoryAcrossLogs(t *testing.T) {
	r := together(t, Options{Workers: 1}, threeLogs(900), []string{"access.log", "app.log", "cloudtrail.json"}, 1)
	if len(r.Chains) != 1 {
		t.Fatalf("%d chains, not one: %+v\n%+v", len(r.Chains), r.Chains, r.Findings)
	}
	c := r.Chains[0]
	if got, want := fmt.Sprint(c.Sources), "[access.log app.log cloudtrail.json]"; got != want {
		t.Errorf("the chain stands in %s, want %s", got, want)
	}
	for _, s := range []string{"recon", "exploit", "foothold"} {
		if !slices.Contains(c.Stages, s) {
			t.Errorf("the chain has stages %v, without %s", c.Stages, s)
		}
	}
	names := fmt.Sprint(c.Who)
	for _, who := range []string{"203.0.113.9", "user/ci", "AKIAIOSFODNN7EXAMPLE"} {
		if !strings.Contains(names, who) {
			t.Errorf("the chain is about %s, not about %s", names, who)
		}
	}
	for i := 1; i < len(c.Steps); i++ {
		if c.Steps[i].Time < c.Steps[i-1].Time && slices.Equal(c.Steps[i].Sources, c.Steps[i-1].Sources) {
			t.Errorf("step %d of %s is before step %d", i, c.Steps[i].Sources, i-1)
		}
	}
	for _, f := range r.Findings {
		if f.Actor.Value == "203.0.113.9" && (f.Chain != c.ID || len(f.ChainStages) != len(c.Stages)) {
			t.Errorf("%s of %s is in chain %q, stages %v", f.Threat, f.Actor.Value, f.Chain, f.ChainStages)
		}
	}
}

// However the logs are named and fed, with one worker or many, the report is the same to the byte.
func TestOrderOfLogsChangesNothing(t *testing.T) {
	logs := threeLogs(9000)
	var want string
	for i, names := range [][]string{
		{"access.log", "app.log", "cloudtrail.json"}, {"cloudtrail.json", "access.log", "app.log"}, {"app.log", "cloudtrail.json", "access.log"},
	} {
		for _, workers := range []int{1, 4} {
			b, err := json.MarshalIndent(together(t, Options{Workers: workers}, logs, names, uint64(10*i+workers)), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				want = string(b)
			}
			sameReport(t, fmt.Sprint(names, " with ", workers, " workers"), want, string(b))
		}
	}
}

// Events come in the order of their times; those without a time stay where they stand in their log.
func TestMergeByTime(t *testing.T) {
	f := func(want string, logs ...string) {
		t.Helper()
		var got []string
		names := []string{"a", "b", "c"}[:len(logs)]
		m := map[string]string{}
		for i, l := range logs {
			m[names[i]] = l
		}
		together(t, Options{Workers: 1, OnEvent: func(ev *event.Event) { got = append(got, string(ev.Text[len(ev.Text)-1:])) }}, m, names, 1)
		if s := strings.Join(got, ""); s != want {
			t.Errorf("%q: order %s, want %s", logs, s, want)
		}
	}
	f("1234", "2026-11-23T10:00:00Z INFO 1\n2026-11-23T10:00:02Z INFO 3\n", "2026-11-23T10:00:01Z INFO 2\n2026-11-23T10:00:03Z INFO 4\n")
	f("1234", "2026-11-23T10:00:00Z INFO 1\nwithout a time 2\n2026-11-23T10:00:02Z INFO 4\n", "2026-11-23T10:00:01Z INFO 3\n")
	f("1234", "2026-11-23T11:00:00+01:00 INFO 1\n", "2026-11-23T10:00:01Z INFO 2\n", "2026-11-23T10:00:02Z INFO 3\n2026-11-23T05:00:03-05:00 INFO 4\n")
	f("1234", "2026-11-23T10:00:00Z INFO 1\n", "2026-11-23T10:00:00Z INFO 2\n2026-11-23T10:00:00Z INFO 3\n2026-11-23T09:00:00Z INFO 4\n")
	f("12", "", "2026-11-23T10:00:00Z INFO 1\n2026-11-23T10:00:01Z INFO 2\n")
}

// A Lane with several Sources is one log: rotated pieces, one after the other.
func TestLaneOfPieces(t *testing.T) {
	var got []string
	a, err := New(Options{Workers: 1, OnEvent: func(ev *event.Event) { got = append(got, ev.Source) }})
	if err != nil {
		t.Fatal(err)
	}
	lanes := a.Together("access.log", "app.log")
	var all sync.WaitGroup
	all.Go(func() {
		for i, name := range []string{"access.log.1", "access.log"} {
			s := lanes[0].Source(name, 0)
			fmt.Fprintf(s, "2026-11-23T10:00:%02dZ INFO x\n", i*20)
			s.Close()
		}
		lanes[0].Close()
	})
	s := lanes[1].Source("app.log", 0)
	fmt.Fprint(s, "2026-11-23T10:00:10Z INFO y\n")
	s.Close()
	lanes[1].Close()
	all.Wait()
	if fmt.Sprint(got) != "[access.log.1 app.log access.log]" {
		t.Errorf("order %v", got)
	}
}

// What one person does under his own key, a role and a role behind that is one story.
func TestStoryAcrossRoles(t *testing.T) {
	call := func(i int, identity, key, name, params, answer string) string {
		return fmt.Sprintf(`{"eventVersion":"1.09","userIdentity":{%s,"accountId":"111122223333","accessKeyId":%q},"eventTime":"2026-11-23T03:%02d:00Z","eventSource":"%s.amazonaws.com","eventName":%q,"awsRegion":"eu-central-1","sourceIPAddress":"203.0.113.%d","userAgent":"aws-cli/2.31.3","requestParameters":%s,"responseElements":%s,"eventID":"00000000-0000-4000-8000-%012d","eventType":"AwsApiCall","recipientAccountId":"111122223333"}`,
			identity, key, i, map[bool]string{true: "sts", false: "iam"}[name == "AssumeRole"], name, i+1, params, answer, i)
	}
	user := `"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci","userName":"ci"`
	role := func(name string) string {
		return fmt.Sprintf(`"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/%s/x","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/%[1]s","userName":%[1]q}}`, name)
	}
	creds := func(key string) string { return fmt.Sprintf(`{"credentials":{"accessKeyId":%q}}`, key) }
	log := strings.Join([]string{
		call(0, user, "AKIAIOSFODNN7EXAMPLE", "AttachUserPolicy", `{"userName":"ci","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, "null"),
		call(1, user, "AKIAIOSFODNN7EXAMPLE", "AssumeRole", `{"roleArn":"arn:aws:iam::111122223333:role/Build","roleSessionName":"x"}`, creds("ASIAEXAMPLEBUILD0001")),
		call(2, role("Build"), "ASIAEXAMPLEBUILD0001", "AssumeRole", `{"roleArn":"arn:aws:iam::111122223333:role/Ops","roleSessionName":"x"}`, creds("ASIAEXAMPLEOPS000001")),
		call(3, role("Ops"), "ASIAEXAMPLEOPS000001", "CreateAccessKey", `{"userName":"billing"}`, "null"),
		call(4, role("Other"), "ASIAEXAMPLEOTHER0001", "CreateAccessKey", `{"userName":"audit"}`, "null"),
	}, "\n") + "\n"
	r := together(t, Options{Workers: 1}, map[string]string{"trail.json": log}, []string{"trail.json"}, 1)
	if len(r.Chains) != 1 {
		t.Fatalf("%d chains, not one: %+v", len(r.Chains), r.Chains)
	}
	if who := fmt.Sprint(r.Chains[0].Who); !strings.Contains(who, "role/Ops") || !strings.Contains(who, "user/ci") || strings.Contains(who, "Other") {
		t.Errorf("the chain is about %s", who)
	}
}
