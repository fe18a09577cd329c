package rule

import (
	"strings"
	"testing"
	"testing/fstest"
)

// foreign are rules in the styles of public Sigma collections: no vanguard block, every shape of logsource, names
// and detection that those have, and rules that cannot run here. Each is one file.
var foreign = map[string]string{
	"web/web_sql_injection_in_access_logs.yml": `
title: SQL Injection Strings In URI
id: 5513deaf-f49a-46c2-a6c8-000000000001
status: test
description: Detects potential SQL injection attempts via GET requests in access logs.
references:
    - https://example.com/blog
author: Somebody
date: 2020-02-22
modified: 2023-09-04
tags:
    - attack.initial-access
    - attack.t1190
logsource:
    category: webserver
detection:
    selection:
        cs-method: 'GET'
    keywords:
        - '=select '
        - 'UNION SELECT'
        - '@@version'
        - 'order by '
        - "' or 1=1"
    filter_main_status:
        sc-status: 404
    condition: selection and keywords and not 1 of filter_main_*
falsepositives:
    - Java scripts and CSS Files
level: high
`,
	"web/web_cve_2030_12345_plugin_traversal.yml": `
title: Plugin Path Traversal Exploitation
id: 5513deaf-f49a-46c2-a6c8-000000000002
status: experimental
tags: [attack.initial-access, attack.t1190, cve.2030-12345, detection.emerging-threats]
logsource: {category: webserver}
detection:
    selection_uri:
        cs-uri-query|contains: '/plugins/gallery/'
    selection_traversal:
        cs-uri-query|contains:
            - '../../'
            - '..%2f'
            - '%2e%2e/'
    selection_status:
        sc-status: 200
    condition: all of selection_*
level: critical
`,
	"proxy/proxy_ua_scripting.yml": `
title: Odd Script User Agent
id: 5513deaf-f49a-46c2-a6c8-000000000003
status: test
tags: [attack.command-and-control, attack.t1071.001]
logsource: {category: proxy}
detection:
    selection1:
        c-useragent|startswith: 'EvilClient/'
    selection2:
        c-useragent:
            - 'O'
            - 'Mozilla/4.0 (bad)'
    selection3:
        c-useragent|re: '^[A-Z]{12}\d{3}$'
        c-uri-extension|endswith: [exe, ps1]
    filter:
        r-dns|endswith: '.example.com'
    condition: 1 of selection* and not filter
level: medium
`,
	"cloud/aws_trail_stopped.yml": `
title: Trail Stopped
id: 5513deaf-f49a-46c2-a6c8-000000000004
status: stable
tags: [attack.defense-evasion, attack.t1562.008]
logsource: {product: aws, service: cloudtrail}
detection:
    selection_source:
        eventSource: 'cloudtrail.amazonaws.com'
        eventName:
            - StopLogging
            - UpdateTrail
            - DeleteTrail
    condition: selection_source
level: medium
`,
	"cloud/aws_root.yml": `
title: Root Used
id: 5513deaf-f49a-46c2-a6c8-000000000005
status: test
tags: [attack.privilege-escalation, attack.t1078.004]
logsource: {product: aws, service: cloudtrail}
detection:
    selection_usertype:
        userIdentity.type: Root
    selection_eventtype:
        eventType: AwsServiceEvent
    condition: selection_usertype and not selection_eventtype
level: medium
`,
	"cloud/aws_policy.yml": `
title: Public Bucket Policy
id: 5513deaf-f49a-46c2-a6c8-000000000006
status: test
tags: [attack.exfiltration, attack.t1537]
logsource: {product: aws, service: cloudtrail}
detection:
    selection:
        eventSource: s3.amazonaws.com
        eventName: PutBucketPolicy
        requestParameters.bucketPolicy.Statement.Effect: Allow
        requestParameters.bucketPolicy.Statement.Principal: '*'
    filter:
        requestParameters.bucketPolicy.Statement.Condition|exists: true
    condition: selection and not filter
level: high
`,
	"linux/lnx_sshd_odd.yml": `
title: Suspicious OpenSSH Daemon Error
id: 5513deaf-f49a-46c2-a6c8-000000000007
status: test
tags: [attack.initial-access, attack.t1190]
logsource: {product: linux, service: sshd}
detection:
    keywords:
        - 'unexpected internal error'
        - 'unknown or unsupported key type'
        - 'invalid certificate signing key'
    condition: keywords
level: medium
`,
	"linux/lnx_clear_logs.yml": `
title: Commands That Clear Logs
id: 5513deaf-f49a-46c2-a6c8-000000000008
status: stable
tags: [attack.defense-evasion, attack.t1070.002]
logsource: {product: linux}
detection:
    keywords:
        '|all':
            - 'rm '
            - '/var/log/'
    condition: keywords
level: high
`,
	"app/app_python_sql_exceptions.yml": `
title: Python SQL Exceptions
id: 5513deaf-f49a-46c2-a6c8-000000000009
status: stable
tags: [attack.initial-access, attack.t1190]
logsource: {category: application, product: python}
detection:
    exceptions:
        - DataError
        - ProgrammingError
    condition: exceptions
level: medium
`,
	"app/app_django.yml": `
title: Suspicious Django Exceptions
id: 5513deaf-f49a-46c2-a6c8-000000000010
logsource: {category: application, product: django}
detection:
    keywords: [SuspiciousOperation, DisallowedHost]
    condition: keywords
level: medium
tags: [attack.initial-access]
`,
	"identity/okta.yml": `
title: Policy Deleted
id: 5513deaf-f49a-46c2-a6c8-000000000011
logsource: {product: okta, service: okta}
detection:
    selection: {eventType: policy.lifecycle.delete, outcome.result: SUCCESS}
    condition: selection
level: low
tags: [attack.impact]
`,
	"network/dns_tunnel.yml": `
title: Long Label
id: 5513deaf-f49a-46c2-a6c8-000000000012
logsource: {category: dns}
detection:
    selection: {query|re: '^[a-z0-9]{30,}\.'}
    condition: selection
level: low
tags: [attack.exfiltration, attack.t1048]
`,
	"network/fw.yml": `
title: Telnet Allowed
id: 5513deaf-f49a-46c2-a6c8-000000000013
logsource: {category: firewall}
detection:
    selection: {dst_port: [23, 2323], action: ACCEPT}
    filter: {src_ip|cidr: 10.0.0.0/8}
    condition: selection and not filter
level: low
tags: [attack.discovery]
`,
	"web/web_apache_segfault.yml": `
title: Segmentation Fault
id: 5513deaf-f49a-46c2-a6c8-000000000014
logsource: {service: apache}
detection:
    keywords: ['exit signal Segmentation Fault']
    condition: keywords
level: high
tags: [attack.impact, attack.t1499.004]
`,
	"correlation/many_404.yml": `
title: Many Missing
id: 5513deaf-f49a-46c2-a6c8-000000000015
name: missing
logsource: {category: webserver}
detection:
    selection: {sc-status: 404}
    condition: selection
level: informational
---
title: Scan
id: 5513deaf-f49a-46c2-a6c8-000000000016
correlation:
    type: event_count
    rules: [missing]
    group-by: [c-ip]
    timespan: 1m
    condition: {gt: 50}
level: medium
tags: [attack.reconnaissance, attack.t1595]
`,
	"windows/proc.yml": `
title: Encoded PowerShell
id: 5513deaf-f49a-46c2-a6c8-000000000017
logsource: {category: process_creation, product: windows}
detection:
    selection: {CommandLine|windash|contains: ' -enc '}
    condition: selection
level: medium
`,
	"web/lookahead.yml": `
title: Look Ahead
id: 5513deaf-f49a-46c2-a6c8-000000000018
logsource: {category: webserver}
detection:
    selection: {cs-uri-query|re: 'a(?!b)'}
    condition: selection
level: medium
`,
	"web/aggregation.yml": `
title: Old Aggregation
id: 5513deaf-f49a-46c2-a6c8-000000000019
logsource: {category: webserver}
detection:
    selection: {sc-status: 401}
    timeframe: 10m
    condition: selection | count() by c-ip > 10
level: medium
`,
	"web/placeholder.yml": `
title: Placeholder
id: 5513deaf-f49a-46c2-a6c8-000000000020
logsource: {category: webserver}
detection:
    selection: {cs-username|expand: '%admins%'}
    condition: selection
level: medium
`,
}

// TestForeignRules points the engine at such a collection: every rule runs, or is reported with its file, line and reason.
func TestForeignRules(t *testing.T) {
	fsys := fstest.MapFS{"README.md": {Data: []byte("x")}}
	for name, src := range foreign {
		fsys[name] = &fstest.MapFile{Data: []byte(strings.TrimPrefix(src, "\n"))}
	}
	rules, problems, err := Load(fsys, "")
	if err != nil {
		t.Fatal(err)
	}
	with, more := Compile(rules, Options{})
	without, _ := Compile(rules, Options{NoPrefilter: true})
	var reported []string
	for _, p := range append(problems, more...) {
		if p.Kind != Warning {
			reported = append(reported, strings.SplitN(p.Error(), ";", 2)[0])
		}
	}
	want := []string{
		"web/aggregation.yml:7: aggregations after '|' were removed from Sigma",
		"web/lookahead.yml:5: cannot run here: regular expression: invalid or unsupported Perl syntax: `(?!`",
		"web/placeholder.yml:5: cannot run here: placeholder %admins% has no values",
		"windows/proc.yml:1: cannot run here: logsource process_creation/windows needs an agent on the host",
	}
	if strings.Join(reported, "\n") != strings.Join(want, "\n") {
		t.Errorf("reported\n%s\nwant\n%s", strings.Join(reported, "\n"), strings.Join(want, "\n"))
	}
	if n := len(with.Rules()) + len(reported); n != len(foreign)+1 {
		t.Errorf("%d rules run or are reported, of %d", n, len(foreign)+1)
	}
	f := func(spec, wants string) {
		t.Helper()
		for _, s := range []*Set{with, without} {
			var got []string
			for _, sig := range s.NewMatcher().Match(newEvent(spec), nil) {
				d := sig.Detector
				got = append(got, strings.TrimPrefix(d.By, "rule:5513deaf-f49a-46c2-a6c8-0000000000")+" "+d.Threat+" "+d.Stage)
			}
			if g := strings.Join(got, ", "); g != wants {
				t.Errorf("%s (naive %t)\n got %s\nwant %s", spec, s.naive, g, wants)
			}
		}
	}
	f("http.request.method=GET|uri=/x?id=1 union select 2|status=200", "01 sql-injection exploit")
	f("http.request.method=GET|uri=/x?id=1+union%20select+2|status=200", "01 sql-injection exploit")
	f("http.request.method=GET|uri=/x?id=1 union select 2|status=404", "rule:missing api-abuse exploit")
	f("uri=/plugins/gallery/../../x|status=200", "02 path-traversal exploit")
	f("uri=/plugins/gallery/%2e%2e/%2e%2e/x|status=200", "02 path-traversal exploit")
	f("uri=/plugins/gallery/../../x|status=403", "")
	f("user_agent.original=EvilClient/1|uri=/", "03 api-abuse foothold")
	f("user_agent.original=ABCDEFGHIJKL123|uri=/a/b.exe", "03 api-abuse foothold")
	f("user_agent.original=ABCDEFGHIJKL123|uri=/a/b.html", "")
	f("user_agent.original=O|uri=/|url.domain=a.example.com", "")
	f("kind=cloud|event.provider=cloudtrail.amazonaws.com|event.action=StopLogging", "04 cloud-defense-evasion action")
	f("kind=cloud|principal.type=Root|event.action=X", "05 cloud-privilege-escalation foothold")
	f(`kind=cloud|principal.type=Root|json={"eventType":"AwsServiceEvent"}`, "")
	f(`kind=cloud|event.provider=s3.amazonaws.com|event.action=PutBucketPolicy|json={"requestParameters":{"bucketPolicy":{"Statement":[{"Effect":"Deny"},{"Effect":"Allow","Principal":"*"}]}}}`, "06 cloud-exfiltration exfiltration")
	f(`kind=cloud|event.provider=s3.amazonaws.com|event.action=PutBucketPolicy|json={"requestParameters":{"bucketPolicy":{"Statement":[{"Effect":"Allow","Principal":"*","Condition":{"a":"b"}}]}}}`, "")
	f("kind=auth|process.name=sshd|message=error: Unknown or unsupported key type x", "07 api-abuse exploit")
	f("kind=auth|process.name=cron|message=unexpected internal error", "")
	f("kind=auth|process.name=bash|message=ran rm -rf /var/log/nginx", "08 api-abuse action")
	f("kind=app|message=psycopg2.ProgrammingError: x", "09 api-abuse exploit")
	f("kind=text|message=django DisallowedHost", "10 api-abuse exploit")
	f(`kind=app|json={"eventType":"policy.lifecycle.delete","outcome":{"result":"SUCCESS"}}`, "11 destructive-calls action")
	f(`kind=dns|dns.question.name=abcdefghijklmnopqrstuvwxyz0123456789.x.test`, "12 data-exfiltration exfiltration")
	f("kind=flow|destination.port=23|event.action=ACCEPT|client=192.0.2.1", "13 recon-scanning recon")
	f("kind=flow|destination.port=23|event.action=ACCEPT|client=10.0.0.1", "")
	f("kind=error|message=child pid 7 exit signal Segmentation Fault (11)", "14 dos-flood action")
	if c := with.Correlations(); len(c) != 1 || c[0].GroupBy[0] != "source.ip" || !c[0].Bases[0].Detector.Base || c[0].Detector.Threat != "recon-scanning" {
		t.Errorf("correlations are %+v", c)
	}
}
