package logformat

import (
	"bytes"

	"github.com/helixvanguard/vanguard/event"
)

// isCloudTrail tells whether object root of t, which is all of o, is surely a CloudTrail record.
func (o *object) isCloudTrail(t *tree, root uint32) bool {
	if o.n != 1 || o.roots[0].t != t || o.roots[0].i != root {
		return false
	}
	for _, k := range [...]string{"eventName", "eventSource"} {
		if c, ok := o.child(k); !ok || c == 0 {
			return false
		}
	}
	for _, k := range [...]string{"Records", "records"} {
		if c, ok := o.child(k); !ok || c != 0 {
			return false
		}
	}
	return true
}

// readCloudTrail reads one CloudTrail record: object root of t. One pass over its members; the names are AWS's
// (docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html).
func readCloudTrail(c *ctx, t *tree, root uint32, ev *event.Event) bool {
	ev.Format, ev.Kind = "cloudtrail", event.KindCloud
	failed := false
	var params, response, account uint32
	end := t.nodes[root].next
	for i := root + 1; i < end; i = t.nodes[i].next {
		nd := &t.nodes[i]
		if nd.kind == jNull {
			continue
		}
		f := event.NumFields
		switch string(t.keyOf(i)) {
		case "eventTime":
			setTime(c, ev, t.str(i))
			continue
		case "eventName":
			f = event.Action
		case "eventSource":
			f = event.Provider
		case "awsRegion":
			f = event.Region
		case "sourceIPAddress":
			if nd.kind == jString {
				setSource(ev, t.str(i))
			}
			continue
		case "userAgent":
			f = event.UserAgent
		case "errorCode":
			failed = true
			f = event.ErrorCode
		case "errorMessage":
			f = event.ErrorMessage
		case "requestID":
			f = event.RequestID
		case "recipientAccountId":
			account = i
			f = event.Account
		case "userIdentity":
			readIdentity(t, i, ev)
			continue
		case "requestParameters":
			params = i
			continue
		case "responseElements":
			response = i
			continue
		case "resources":
			if nd.kind == jArray && nd.children > 0 {
				if v := t.getStr(i+1, "ARN"); v != nil {
					ev.Set(event.Resource, v)
				}
			}
			continue
		default:
			continue
		}
		if nd.kind < jArray {
			if v := t.str(i); len(v) > 0 {
				ev.Set(f, v)
			}
		}
	}
	if account == 0 {
		if id := t.get(root, "userIdentity"); id != 0 {
			if v := t.getStr(id, "accountId"); v != nil {
				ev.Set(event.Account, v)
			}
		}
	}
	if params != 0 && !ev.Has(event.Resource) {
		if v := resourceOf(t, params); v != nil {
			ev.Set(event.Resource, v)
		}
	}
	if !ev.Has(event.User) && params != 0 && bytes.Equal(ev.Get(event.Action), []byte("ConsoleLogin")) {
		if v := t.getStr(params, "userName"); v != nil {
			ev.Set(event.User, v)
		}
	}
	login := []byte(nil)
	if response != 0 {
		for _, k := range [...]string{"ConsoleLogin", "SwitchRole", "CheckMfa", "ExitRole"} {
			if login = t.getStr(response, k); login != nil {
				break
			}
		}
	}
	switch {
	case failed:
		ev.Set(event.Result, bFailure)
	case login != nil:
		if r := outcomeNamed(login); r != nil {
			ev.Set(event.Result, r)
		}
	case bytes.Equal(ev.Get(event.ErrorMessage), []byte("Failed authentication")):
		ev.Set(event.Result, bFailure)
	case ev.Has(event.Action):
		ev.Set(event.Result, bSuccess)
	}
	if login != nil || bytes.Equal(ev.Get(event.Action), []byte("ConsoleLogin")) {
		ev.Set(event.Category, bAuthn)
	}
	return true
}

// resourceOf is the first thing that the request names: "bucketName", "userName", "instanceId"...
func resourceOf(t *tree, params uint32) []byte {
	if t.nodes[params].kind != jObject {
		return nil
	}
	for i := params + 1; i < t.nodes[params].next; i = t.nodes[i].next {
		if t.nodes[i].kind == jString {
			return t.str(i)
		}
	}
	return nil
}

// readIdentity resolves who acted: through an assumed role to the role (its issuer), with the session's name kept as
// Session; a service to the service that was invoked; root to the account's root.
func readIdentity(t *tree, id uint32, ev *event.Event) {
	if t.nodes[id].kind != jObject {
		return
	}
	var arn, name, kind, principal, invoked, accountID []byte
	var session, onBehalf uint32
	for i := id + 1; i < t.nodes[id].next; i = t.nodes[i].next {
		nd := &t.nodes[i]
		switch string(t.keyOf(i)) {
		case "type":
			kind = t.scalar(i)
		case "arn":
			arn = t.scalar(i)
		case "userName":
			name = t.scalar(i)
		case "principalId":
			principal = t.scalar(i)
		case "invokedBy":
			invoked = t.scalar(i)
		case "accountId":
			accountID = t.scalar(i)
		case "accessKeyId":
			set(ev, event.AccessKey, t.scalar(i))
		case "sessionContext":
			if nd.kind == jObject {
				session = i
			}
		case "onBehalfOf":
			onBehalf = i
		}
	}
	set(ev, event.PrincipalType, kind)
	set(ev, event.UserID, principal)
	who := arn
	switch string(kind) {
	case "AssumedRole", "Role", "FederatedUser":
		if issuer := t.path(session, "sessionIssuer"); session != 0 && issuer != 0 {
			if v := t.getStr(issuer, "arn"); len(v) > 0 {
				who = v
			}
			if v := t.getStr(issuer, "userName"); len(v) > 0 {
				name = v
			}
		}
		tail := arn
		if len(tail) == 0 {
			tail = principal
		}
		if at := bytes.LastIndexAny(tail, "/:"); at >= 0 {
			set(ev, event.Session, tail[at+1:])
		}
		if string(kind) == "FederatedUser" && len(arn) > 0 {
			who = arn
		}
	case "Root":
		if len(name) == 0 {
			name = []byte("root")
		}
	case "AWSService":
		who = invoked
	case "AWSAccount":
		if len(who) == 0 {
			if who = principal; len(accountID) > 0 {
				who = accountID
			}
		}
	case "IdentityCenterUser":
		if onBehalf != 0 {
			who = t.getStr(onBehalf, "userId")
		}
	}
	for _, v := range [...][]byte{name, principal, invoked, accountID} {
		if len(who) > 0 {
			break
		}
		who = v
	}
	set(ev, event.Principal, who)
	set(ev, event.User, name)
}

// scalar is str for scalars, nil for containers.
func (t *tree) scalar(i uint32) []byte {
	if t.nodes[i].kind >= jArray {
		return nil
	}
	return t.str(i)
}
