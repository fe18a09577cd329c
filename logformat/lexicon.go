package logformat

import "strings"

// The words by which servers say what happened. A word has a class; said.go reads classes, not words.

type word uint16

const (
	wTopic word = 1 << iota // what a login is about: login, password, credentials...
	wBad                    // failed, invalid, denied...
	wGood                   // successful, accepted...
	wNot                    // negates what follows
	wFill                   // may stand anywhere between
	wPerm                   // access, permission
	wDeny                   // refuses by itself: forbidden, unauthorized
	wToken                  // token, key, signature
	wBlock                  // makes it about something else: page, service, timeout
	wFrom                   // an address after it is the source
	wTo                     // an address after it is the target
	wUser                   // a name after it is the user
	wStop                   // no user name, though it follows wUser
	wRoute                  // a path after it was asked for
	wDone                   // an operation was carried out: deleted, served
)

var lexiconTable = []struct {
	class word
	words string
}{
	{wTopic | wStop, "login logon logins signin auth authentication authenticate authenticated authenticating authenticator credentials credential password passwords passwd passcode passphrase pwd 1fa 2fa mfa otp totp authorisation authn authenticates anmeldung connexion einloggen inloggen aanmelding wachtwoord passwort eap sesión contraseña acceso webauthn duo u2f ldap pam sasl"},
	{wTopic | wUser | wStop, "username"},
	{wTopic | wBad | wStop, "authfail authfailed authfailure autherror badauth badlogin badpassword failedlogin invalidlogin invalidpassword loginerror loginfail loginfailed loginfailure wrongpassword"},
	{wTopic | wGood | wStop, "authok authsuccess loginok loginsuccess loginsuccessful"},
	{wBad | wStop, "failed failure fail fails failing failures invalid incorrect wrong bad rejected refused unsuccessful unsuccessfully error mismatch mismatched unknown nonexistent nonexisting unrecognized unrecognised expired locked rejecting denies illegal inexistent mislukt mislukte fehlgeschlagen fehlgeschlagene échec echec échoué fallido fallida fallito fallita falhou errado ungültig ungültige ungueltig throttled blocked disabled suspended banned revoked malformed declined unverified"},
	{wBad | wDeny | wStop, "denied"},
	{wGood | wStop, "successful successfully success succeeded succeed accepted ok okay passed verified erfolgreich exitoso réussie réussi geslaagd granted correct approved valid validated completed match matched found recognized recognised exist exists allowed permitted authorized authorised"},
	{wNot | wStop, "not no never without cannot can't couldn't didn't doesn't isn't wasn't don't won't unable non nicht kein pas"},
	{wFill | wStop, "a an the has been was is were be being of in with at as on attempt attempts request requests to it this that when while during because due supplied provided given entered using via did does do attempted tried user's for by input data combination either or and any either admin api user users account accounts client its his her ip address id type name"},
	{wPerm, "access permission permissions privilege privileges authorization"},
	{wDeny | wStop, "forbidden unauthorized unauthorised unauthenticated disallowed"},
	{wToken | wStop, "token tokens jwt key apikey bearer signature nonce csrf ticket certificate"},
	{wBlock | wStop, "page form screen send sending sent email mail load loading render rendering fetch fetching connect connecting connection start starting initialize initializing parse parsing read reading write writing save saving update updating create creating generate generating reach resolve import compile template cache config configuration plugin module service server provider backend store database timeout timed connection rate limit settings setting policy hook handler listener worker upstream reset cleanup counter statistics metrics schema migration query job task queue packet checksum frame thread socket disk memory file directory link"},
	{wFrom | wFill | wStop, "from client clients remote peer rhost source src origin visitor van von desde"},
	{wFrom | wFill | wStop, "ip address addr ipaddress host requested"},
	{wFrom | wStop, "rip oip"},
	{wTo | wStop, "i lip laddr dest destination dst local listening listen bind bound binding into server upstream backend proxy target"},
	{wUser | wFill | wStop, "user account username usuario benutzer utilisateur gebruiker"},
	{wUser | wStop, "email uname ruser"},
	{wRoute | wFill | wStop, "path url uri endpoint route api resource"},
	{wDone | wStop, "deleted removed updated created viewed retrieved served exported generated changed saved downloaded uploaded modified added listed fetched edited granted assigned enabled purged imported returned cancelled canceled refunded transferred wiped dropped captured read"},
	{wStop, "up limited such find locate lookup agent role profile list settings deleted tried logged signed registered could can will would may must should changed there which who"},
}

// Words of fixed phrases have numbers of their own beside their class.
type special uint8

const (
	_ special = iota
	spLogged
	spSigned
	spIn
	spOut
	spLogout
	spSession
	spOpened
	spClosed
	spPassword
	spReset
	spChanged
	spRegistered
	spAccount
	spToo
	spMany
	spRequests
	spRate
	spLimit
	spExceeded
	spThrottled
	spMissing
	spRequires
	spUsing
	spPayment
	spCharge
	spCaptured
	spOTP
	spSent
	spStepUp
	spFactor
	spValidation
	spInput
	spLogins
	spRefresh
	spSign
	spLog
	spUser
	spRole
	spTo
	spOn
	spBy
	spFor
	spAt
	spLine
	spFrom
	spRegister
	spLogin
	spUploaded
	spStatus
	spCode
	spSignin
	spError
)

var specialTable = map[string]special{
	"logged": spLogged, "signed": spSigned, "in": spIn, "out": spOut, "off": spOut, "logout": spLogout, "logoff": spLogout, "session": spSession,
	"opened": spOpened, "closed": spClosed, "password": spPassword, "passwort": spPassword, "reset": spReset, "changed": spChanged,
	"registered": spRegistered, "account": spAccount, "too": spToo, "many": spMany, "requests": spRequests, "rate": spRate, "limit": spLimit, "limited": spLimit, "limiting": spLimit,
	"exceeded": spExceeded, "throttled": spThrottled, "throttler": spThrottled, "throttling": spThrottled, "missing": spMissing, "requires": spRequires, "using": spUsing, "payment": spPayment,
	"charge": spCharge, "captured": spCaptured, "otp": spOTP, "sent": spSent, "step": spStepUp, "factor": spFactor,
	"validation": spValidation, "input": spInput, "logins": spLogins, "refresh": spRefresh, "sign": spSign, "log": spLog,
	"user": spUser, "role": spRole, "to": spTo, "on": spOn, "by": spBy, "for": spFor,
	"at": spAt, "line": spLine, "from": spFrom, "registration": spRegister, "register": spRegister, "signup": spRegister,
	"login": spLogin, "logon": spLogin, "uploaded": spUploaded, "status": spStatus, "code": spCode, "returned": spStatus, "responded": spStatus,
	"signin": spSignin, "error": spError,
}

// wordInfo is what is known of a word.
type wordInfo struct {
	class word
	sp    special
}

// lexicon maps a word in lower case to its index in wordInfos; 0 is "unknown".
var lexicon, wordInfos = func() (map[string]word, []wordInfo) {
	m, infos := map[string]word{}, []wordInfo{{}}
	at := func(w string) *wordInfo {
		id, ok := m[w]
		if !ok {
			id = word(len(infos))
			m[w] = id
			infos = append(infos, wordInfo{})
		}
		return &infos[id]
	}
	for _, row := range lexiconTable {
		for _, w := range strings.Fields(row.words) {
			at(w).class |= row.class
		}
	}
	for w, sp := range specialTable {
		at(w).sp = sp
	}
	return m, infos
}()

func (t *tok) class() word {
	if t.kind != tWord {
		return 0
	}
	return wordInfos[t.id].class
}

func (t *tok) sp() special {
	if t.kind != tWord {
		return 0
	}
	return wordInfos[t.id].sp
}
