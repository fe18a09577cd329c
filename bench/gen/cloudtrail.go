package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// A call is an AWS API function as an account's trail shows it.
type call struct {
	weight                int
	source, name, request string // request is the JSON of requestParameters; %d is a number, %s a word
	readOnly              bool
}

var calls = []call{
	{180, "s3.amazonaws.com", "GetObject", `{"bucketName":"example-media","Host":"example-media.s3.eu-west-1.amazonaws.com","key":"products/%d/%s.jpg"}`, true},
	{90, "s3.amazonaws.com", "PutObject", `{"bucketName":"example-logs","Host":"example-logs.s3.eu-west-1.amazonaws.com","key":"app/%d/%s.gz","x-amz-server-side-encryption":"aws:kms"}`, false},
	{120, "kms.amazonaws.com", "Decrypt", `{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"aws:s3:arn":"arn:aws:s3:::example-media/%d/%s"}}`, true},
	{110, "sts.amazonaws.com", "AssumeRole", `{"roleArn":"arn:aws:iam::123456789012:role/service-%[2]s","roleSessionName":"i-%08[1]x","durationSeconds":3600}`, true},
	{70, "ec2.amazonaws.com", "DescribeInstances", `{"maxResults":%d,"instancesSet":{},"filterSet":{"items":[{"name":"tag:role","valueSet":{"items":[{"value":"%s"}]}}]}}`, true},
	{50, "ec2.amazonaws.com", "DescribeNetworkInterfaces", `{"maxResults":%d,"networkInterfaceIdSet":{},"filterSet":{"items":[{"name":"%s"}]}}`, true},
	{50, "dynamodb.amazonaws.com", "DescribeTable", `{"tableName":"orders-%d-%s"}`, true},
	{45, "logs.amazonaws.com", "CreateLogStream", `{"logGroupName":"/aws/lambda/worker-%[2]s","logStreamName":"2026/11/23/[$LATEST]%[1]d"}`, false},
	{40, "lambda.amazonaws.com", "ListFunctions20150331", `{"maxItems":%d,"marker":"%s"}`, true},
	{40, "monitoring.amazonaws.com", "DescribeAlarms", `{"maxRecords":%d,"alarmNamePrefix":"%s"}`, true},
	{30, "elasticloadbalancing.amazonaws.com", "DescribeTargetHealth", `{"targetGroupArn":"arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/%016x","note":"%s"}`, true},
	{25, "ssm.amazonaws.com", "UpdateInstanceInformation", `{"instanceId":"i-%08x","agentVersion":"3.3.1611.0","platformName":"%s"}`, false},
	{20, "secretsmanager.amazonaws.com", "GetSecretValue", `{"secretId":"prod/%[2]s/%[1]d"}`, true},
	{12, "iam.amazonaws.com", "GetRole", `{"roleName":"service-%[2]s-%[1]d"}`, true},
	{10, "sts.amazonaws.com", "GetCallerIdentity", ``, true},
	{8, "autoscaling.amazonaws.com", "SetDesiredCapacity", `{"desiredCapacity":%d,"autoScalingGroupName":"%s"}`, false},
	{1, "signin.amazonaws.com", "ConsoleLogin", ``, false},
	{4, "ec2.amazonaws.com", "AuthorizeSecurityGroupIngress", `{"groupId":"sg-%08x","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":443,"toPort":443,"ipRanges":{"items":[{"cidrIp":"198.51.100.0/24","description":"%s"}]}}]}}`, false},
}

// hostile are what an intruder with somebody's key does.
var hostile = []call{
	{1, "sts.amazonaws.com", "GetCallerIdentity", ``, true},
	{1, "iam.amazonaws.com", "ListUsers", `{"maxItems":%d}`, true},
	{1, "iam.amazonaws.com", "ListAttachedUserPolicies", `{"userName":"deploy-%[2]s"}`, true},
	{1, "iam.amazonaws.com", "CreateAccessKey", `{"userName":"admin-%[2]s"}`, false},
	{1, "iam.amazonaws.com", "AttachUserPolicy", `{"userName":"deploy-%[2]s","policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, false},
	{1, "iam.amazonaws.com", "CreateUser", `{"userName":"support-%[2]s"}`, false},
	{1, "cloudtrail.amazonaws.com", "StopLogging", `{"name":"arn:aws:cloudtrail:eu-west-1:123456789012:trail/main"}`, false},
	{1, "s3.amazonaws.com", "ListBuckets", ``, true},
	{1, "ec2.amazonaws.com", "DescribeSnapshots", `{"maxResults":%d}`, true},
	{1, "guardduty.amazonaws.com", "DeleteDetector", `{"detectorId":"%032x"}`, false},
}

var cloudAgents = []string{
	"aws-sdk-java/2.29.6 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1.115 lang/java#21.0.5 md/OpenJDK_64-Bit_Server_VM cfg/auth-source#imds", "Boto3/1.35.66 md/Botocore#1.35.66 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.12.7",
	"aws-cli/2.22.4 md/awscrt#0.22.0 ua/2.0 os/macos#24.1.0 md/arch#arm64 lang/python#3.12.6 md/prompt#off md/command#ec2.describe-instances", "elasticloadbalancing.amazonaws.com", "autoscaling.amazonaws.com",
	"APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.76.0 aws-sdk-go-v2/1.32.5", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", "aws-internal/3 aws-sdk-java/1.12.779",
}

func writeCloudTrail(r *rand.Rand, dir string, n, files int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for f := range files {
		path := filepath.Join(dir, fmt.Sprintf("123456789012_CloudTrail_eu-west-1_20261123T%02d00Z_%016x.json.gz", f, r.Uint64()))
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		zip := gzip.NewWriter(file)
		out := bufio.NewWriterSize(zip, 1<<20)
		out.WriteString(`{"Records":[`)
		for i := f * n / files; i < (f+1)*n/files; i++ {
			if i > f*n/files {
				out.WriteByte(',')
			}
			writeEvent(r, out, start+int64(i)*86400/int64(n))
		}
		out.WriteString("]}")
		if err := out.Flush(); err != nil {
			return err
		}
		if err := zip.Close(); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

func writeEvent(r *rand.Rand, out *bufio.Writer, now int64) {
	total := 0
	for _, c := range calls {
		total += c.weight
	}
	c, bad := calls[0], r.IntN(200) == 0
	if bad {
		c = pick(r, hostile)
	} else {
		k := r.IntN(total)
		for _, c = range calls {
			if k -= c.weight; k < 0 {
				break
			}
		}
	}
	address, agent := fmt.Sprintf("10.%d.%d.%d", r.IntN(4), r.IntN(256), 1+r.IntN(254)), pick(r, cloudAgents)
	when := time.Unix(now, 0).UTC().Format(time.RFC3339)
	fmt.Fprintf(out, `{"eventVersion":"1.10","userIdentity":`)
	switch k := r.IntN(20); {
	case bad || k < 3 || c.name == "ConsoleLogin":
		name := pick(r, words[:40])
		if bad {
			name, address, agent = "deploy", "203.0.113.77", "aws-cli/2.15.0 Python/3.11.6 Linux/6.6.9-kali1-amd64"
		}
		fmt.Fprintf(out, `{"type":"IAMUser","principalId":"AIDAEXAMPLE%08X","arn":"arn:aws:iam::123456789012:user/%s","accountId":"123456789012","accessKeyId":"AKIAEXAMPLE%05d","userName":"%s"}`, hash(name), name, hash(name)%100_000, name)
	case k < 5:
		address = c.source
		fmt.Fprintf(out, `{"type":"AWSService","invokedBy":"%s"}`, c.source)
	default:
		role, session := pick(r, words[:60]), r.Uint32N(2000)
		fmt.Fprintf(out, `{"type":"AssumedRole","principalId":"AROAEXAMPLE%08X:i-%08x","arn":"arn:aws:sts::123456789012:assumed-role/service-%s/i-%08x","accountId":"123456789012","accessKeyId":"ASIAEXAMPLE%05d","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE%08X","arn":"arn:aws:iam::123456789012:role/service-%s","accountId":"123456789012","userName":"service-%s"},"webIdFederationData":{},"attributes":{"creationDate":"%s","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0"}}`,
			hash(role), session, role, session, session, hash(role), role, role, when)
	}
	fmt.Fprintf(out, `,"eventTime":"%s","eventSource":"%s","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"%s","userAgent":"%s"`, when, c.source, c.name, address, agent)
	if r.IntN(100) == 0 && c.name != "ConsoleLogin" {
		fmt.Fprintf(out, `,"errorCode":"AccessDenied","errorMessage":"User is not authorized to perform: %s"`, c.name)
	}
	request := "null"
	if c.request != "" {
		request = fmt.Sprintf(c.request+"%[1]s%[2]s", r.IntN(100_000), pick(r, words))
		request = request[:lastBrace(request)+1]
	}
	response := "null"
	if c.name == "ConsoleLogin" {
		response = `{"ConsoleLogin":"Success"},"additionalEventData":{"LoginTo":"https://console.aws.amazon.com/console/home","MobileVersion":"No","MFAUsed":"Yes"}`
	}
	fmt.Fprintf(out, `,"requestParameters":%s,"responseElements":%s,"requestID":"%08x-%04x-4%03x-a%03x-%012x","eventID":"%08x-%04x-4%03x-b%03x-%012x","readOnly":%t,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s"}}`,
		request, response, r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16, r.Uint32(), r.IntN(1<<16), r.IntN(1<<12), r.IntN(1<<12), r.Uint64()>>16, c.readOnly, c.source)
}

// lastBrace finds where a request's JSON ends.
func lastBrace(s string) int {
	for i := len(s) - 1; i > 0; i-- {
		if s[i] == '}' {
			return i
		}
	}
	return 0
}

func hash(s string) (h uint32) {
	for _, c := range []byte(s) {
		h = h*16777619 ^ uint32(c)
	}
	return h
}
