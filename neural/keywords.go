package neural

import "strings"

const (
	hashStart  = 2166136261
	hashStep   = 16777619
	maxKeyword = 20
)

// keywords keep their identity in token shapes: words of the languages that attacks are written in. Digits are folded to one 0.
const keywords = `
	select union all distinct from where and or not xor like rlike regexp in is null between having group order by limit offset into values
	insert update delete drop create alter table database schema exec execute declare cast convert char chr concat substring substr mid ascii ord
	if case when then else end sleep benchmark waitfor delay pg_sleep version user password count information_schema sysobjects dual outfile dumpfile
	load_file extractvalue updatexml xp_cmdshell procedure analyse row elt make_set true false exists join as asc desc begin print begin div mod
	script svg img iframe body input onerror onload onclick onfocus onmouseover alert prompt confirm document cookie window location href src style
	javascript vbscript data expression eval settimeout function constructor prototype proto __proto__ innerhtml string fromcharcode fetch xmlhttprequest
	object embed link meta base form details marquee video audio math html head title div span br strong em table class http https www com
	etc passwd shadow hosts proc self environ boot ini windows winnt system0 system win var log apache nginx access error file php phar zip expect input
	filter resource base0 encode decode include require root home ssh id_rsa env git config web inf xml
	cat ls dir id whoami uname pwd wget curl nc netcat ncat bash sh zsh csh ksh cmd exe powershell ping nslookup dig host echo printf rm mv cp chmod chown
	touch kill ps netstat ifconfig ipconfig ifs tmp bin usr dev tcp udp python perl ruby lua node gcc awk sed grep find xargs tee sudo su crontab
	system passthru shell_exec popen proc_open phpinfo assert preg_replace create_function file_get_contents fopen readfile call_user_func base0_decode gzinflate
	java javax lang runtime getruntime processbuilder class forname getclass newinstance classloader io util beans reflect invoke script manager ognl
	springframework apache commons collections struts xwork0 opensymphony memberaccess methodaccessor freemarker velocity template utility sun misc reader
	jndi ldap ldaps rmi dns iiop corba lower upper date ctx sys hostname
	config self request application globals builtins __class__ __mro__ __subclasses__ __init__ __globals__ __import__ import os subprocess lipsum cycler joiner
	doctype entity element attlist system public cdata xinclude xsl stylesheet value
	ne eq gt gte lt lte nin regex where exists type this return while for var let const new throw
	localhost metadata google internal gopher dict ftp sftp tftp ldap netdoc jar latest meta user credentials iam security
	cn objectclass uid mail set set_cookie content length location transfer encoding host cr lf admin root nobody test guest`

const keywordSlots = 2048

// keywordTable is a hash table of keywords: each at its slot or the next free one.
var keywordTable = func() (t [keywordSlots]string) {
	for _, w := range strings.Fields(keywords) {
		h := uint32(hashStart)
		for i := range len(w) {
			h = (h ^ uint32(w[i])) * hashStep
		}
		for at := h % keywordSlots; ; at = (at + 1) % keywordSlots {
			if t[at] == w {
				break
			}
			if t[at] == "" {
				t[at] = w
				break
			}
		}
	}
	return t
}()

func isKeyword(h uint32, word []byte) bool {
	for at := h % keywordSlots; keywordTable[at] != ""; at = (at + 1) % keywordSlots {
		if keywordTable[at] == string(word) {
			return true
		}
	}
	return false
}
