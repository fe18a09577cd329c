package incident

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/helixvanguard/vanguard/event"
)

// What no single request shows: a client that walks through the objects of others one by one, or through all pages of a
// site. A walker is kept for each client address, in a table of fixed size; one that meets another in its slot gives way.

const (
	walkSlots  = 2048             // a power of two
	walkRest   = 10 * time.Minute // a client that rests for so long begins anew
	walkSteps  = 10               // steps from object to neighbouring object that no person takes
	walkGap    = 3                // ids that a step may skip
	walkWreck  = 20               // neighbours that are deleted in a row
	walkMiss   = 12               // different objects that were refused to one client
	walkWrites = 14               // objects that one client changes within a minute
	walkLoot   = 5                // neighbours that were given out, of a walk that worked

	crawlSpan  = time.Minute
	crawlPages = 25 // different pages within crawlSpan
	bustSpan   = 5 * time.Second
	hitsFlood  = 600 // requests for one page within crawlSpan: ten a second, by one program
	hitsOther  = 8   // requests for a page after which it is the one that is counted
	bustAsks   = 30  // requests for one page within bustSpan, each with a different query that no page has
)

// Detectors of walks. They are profiles of a client, not rules.
var (
	walkTried = &event.Detector{By: "profile:object_walk", Name: "object_walk", Title: "One client walks through objects by number",
		Why:    "One client asked for object after object by its number, or for many that were refused to it: it looks for those of other people.",
		Threat: "bola", Level: event.Medium, Confidence: 0.75, Stage: "exploit", Attack: []string{"T1190", "T1213"}}
	walkServed = &event.Detector{By: "profile:object_walk_served", Name: "object_walk_served", Title: "One client was given object after object by number",
		Why:    "One client asked for object after object by its number, and the server gave them out.",
		Threat: "bola", Level: event.High, Confidence: 0.8, Stage: "exfiltration", Attack: []string{"T1190", "T1213"}, Outcome: event.LikelySucceeded}
	wreckSeen = &event.Detector{By: "profile:object_wreck", Name: "object_wreck", Title: "One client deletes object after object by number",
		Why:    "One client deleted, or tried to delete, one neighbouring object after another: nobody's own things stand in a row.",
		Threat: "destructive-calls", Level: event.High, Confidence: 0.75, Stage: "action", Attack: []string{"T1485"}}
	wreckDone = &event.Detector{By: "profile:object_wreck_done", Name: "object_wreck_done", Title: "One client deleted object after object by number",
		Why:    "One client deleted one neighbouring object after another, and the server confirmed it.",
		Threat: "destructive-calls", Level: event.High, Confidence: 0.75, Stage: "action", Attack: []string{"T1485"}, Outcome: event.LikelySucceeded}
	walkOwn = &event.Detector{By: "profile:object_walk_own", Name: "object_walk_own", Title: "A program of this network walks through objects by number",
		Why:    "A program with an address of this network asked for object after object by its number, and was refused none: a synchronisation does that, and so does an intruder who is inside already.",
		Threat: "bola", Level: event.Low, Confidence: 0.3, Stage: "exfiltration", Noise: true, Attack: []string{"T1213"}}
	crawlSeen = &event.Detector{By: "profile:crawl", Name: "crawl", Title: "One client reads page after page",
		Why:    "One client asked for many different pages within seconds, without the pictures and scripts that belong to them: a program copies the site.",
		Threat: "bot-scraping", Level: event.Low, Confidence: 0.55, Stage: "recon", Noise: true, Attack: []string{"T1593"}}
	crawlServed = &event.Detector{By: "profile:crawl_served", Name: "crawl_served", Title: "One client was given page after page",
		Why:    crawlSeen.Why, // and it got them
		Threat: "bot-scraping", Level: event.Low, Confidence: 0.55, Stage: "recon", Noise: true, Attack: []string{"T1593"}, Outcome: event.LikelySucceeded}
	hitSeen = &event.Detector{By: "profile:one_page_flood", Name: "one_page_flood", Title: "One program asks for one page ten times a second",
		Why:    "One client asked for the same page ten times a second for a minute, which no person and hardly a program in its right mind does.",
		Threat: "rate-flood", Level: event.Low, Confidence: 0.55, Noise: true, Stage: "action", Attack: []string{"T1499.003"}}
	bustSeen = &event.Detector{By: "profile:cache_bypass", Name: "cache_bypass", Title: "One client asks for one page around the cache",
		Why:    "One client asked for one page dozens of times within seconds, each time with another meaningless query, so that no cache can answer.",
		Threat: "dos-flood", Level: event.Medium, Confidence: 0.7, Stage: "action", Attack: []string{"T1499.003"}}
)

var walkDetectors = [...]*event.Detector{walkTried, walkServed, walkOwn, wreckSeen, wreckDone, crawlSeen, crawlServed, hitSeen, bustSeen, fleetSeen, rushSeen}

// walkers are the clients that were seen last, and what they do together.
type walkers struct {
	Alone  [walkSlots]walker
	Fleets [fleetSlots]fleet
	Rush   rush
}

// A walker is what is remembered of one client. Times are event time in nanoseconds.
type walker struct {
	Who     uint64 // hash of its address, 0 for a free slot
	Last    int64
	Walks   [2]walk
	Began   int64 // of the pages
	Pages   uint16
	Agent   uint32    // hash of the user agent that reads them
	Seen    [8]uint64 // the pages' hashes, one bit each
	Busting int64     // when Path began to be asked for around the cache
	Path    uint32    // hash of that page
	Asks    uint16    // how often
	Made    uint32    // hash of the route at which it made things last
	Makes   uint16    // how many
	Hits    uint16    // requests for the page Hit since Began
	Hit     uint32
}

// A walk is a client's way through the objects of one route.
type walk struct {
	Route   uint64
	At      int64 // the number that it asked for last
	Up      bool
	Steps   uint16
	Refused uint16 // different objects that were refused, fewer for each that was not
	Since   int64  // when Writes began
	Writes  uint16
	Told    bool   // it is part of an incident
	Served  uint16 // steps that were answered 2xx
	Agent   uint32 // hash of the user agent that was refused last
}

// step follows one request and returns what it shows of its client, nil if nothing; n is how many requests carry that.
func (ws *walkers) step(ev *event.Event, now int64, s *site) (d *event.Detector, n int) {
	if !ev.Client.IsValid() {
		return nil, 0
	}
	path := ev.Get(event.Path)
	if len(path) == 0 && ev.Kind != event.KindApp {
		return nil, 0
	}
	a := ev.Client.As16()
	who := hash(a[:]) | 1
	w := &ws.Alone[who>>20%walkSlots]
	if w.Who != who || now-w.Last > int64(walkRest) || w.Last-now > int64(walkRest) {
		*w = walker{Who: who, Began: now - int64(crawlSpan) - 1}
	}
	w.Last = now
	if len(path) == 0 {
		return w.object(ev.Get(event.Message), true, false, ev, now, s)
	}
	get := true
	switch string(ev.Get(event.Method)) {
	case "POST":
		if ev.Status != 403 && ev.Status != 404 { // what makes things has detectors of its own
			w.makes(path, ev.Status)
			return nil, 0
		}
		return w.object(path, false, false, ev, now, s)
	case "OPTIONS":
		return nil, 0
	case "PUT", "PATCH", "DELETE":
		get = false
	}
	if d, n = w.object(path, false, !get, ev, now, s); d != nil || ev.Kind != event.KindWeb || !get {
		return d, n
	}
	if d, n = w.bust(ev, path, now); d != nil {
		return d, n
	}
	if w.Asks > 0 && w.Busting <= now && now-w.Busting <= int64(bustSpan) && ws.push(w.Path, who, ev.Status, now) {
		return rushSeen, 1
	}
	if d, n = w.page(ev, path, now); d == nil && ev.Status == 200 && len(ev.Get(event.Referer)) <= 1 {
		if lo, hi := lastNumber(path[:min(len(path), maxWalked)]); hi > 0 && ws.turn(&object{key: hash(path[:lo]) | 1, id: numberIn(path[lo:hi])}, who, path, now) {
			return fleetSeen, 1
		}
	}
	return d, n
}

// object looks for a walk from number to number in path, or, told, in what an application wrote ("Order 17 shown to bob").
func (w *walker) object(path []byte, told, write bool, ev *event.Event, now int64, s *site) (*event.Detector, int) {
	o := objectOf(path, ev.Get(event.Query), told)
	if o.key == 0 {
		return nil, 0
	}
	id, key := o.id, o.key
	deletes := !told && string(ev.Get(event.Method)) == "DELETE"
	if deletes {
		key ^= 1 << 40 // a walk of its own
		write = false
	}
	k := &w.Walks[0]
	if k.Route != key {
		if w.Walks[1].Route == key {
			w.Walks[0], w.Walks[1] = w.Walks[1], w.Walks[0]
		} else {
			w.Walks[1] = w.Walks[0]
			*k = walk{Route: key, At: id}
			return nil, 0
		}
	}
	by := id - k.At
	if by == 0 {
		return nil, 0 // the same once more, or the same request in another log
	}
	k.At = id
	if ev.Status == 401 || string(ev.Get(event.Category)) == "authentication" {
		return nil, 0 // an expired session, at whatever was asked for
	}
	clerk := !told && (office(path) || machine(ev.Get(event.User))) // Who is let in to administration, or carries data from one program to another, goes through all of it.
	refused := ev.Status == 403 || ev.Status == 404 && !clerk || string(ev.Get(event.Result)) == "failure"
	up := by > 0
	if by < 0 {
		by = -by
	}
	if by > walkGap || k.Steps > 0 && up != k.Up {
		k.Steps, k.Served = 0, 0
	} else {
		k.Steps = min(k.Steps+1, 1<<15)
		k.Up = up
	}
	if refused {
		if agent := uint32(hash(ev.Get(event.UserAgent))); k.Agent != agent {
			k.Agent, k.Refused = agent, 0 // another person behind the same address
		}
		k.Refused = min(k.Refused+1, 1<<15)
	} else {
		if k.Steps < walkGap {
			k.Refused -= min(k.Refused, walkGap)
		}
		if ev.Status/100 == 2 || told {
			k.Served = min(k.Served+1, 1<<15)
		}
	}
	if !write && !told || refused || now-k.Since > int64(time.Minute) || k.Since > now {
		k.Since, k.Writes = now, 0
	} else {
		k.Writes = min(k.Writes+1, 1<<15)
	}
	if k.Writes < walkWrites && k.Steps < walkSteps && (told || k.Refused < walkMiss) || clerk && k.Refused < walkGap || !o.private(path, told) && (told || !s.asks(ev.Get(event.Method), path)) {
		return nil, 0
	}
	if deletes && (clerk || k.Steps < walkWreck || tidied(path)) {
		return nil, 0
	}
	if told && !shows(path, k.Steps < walkSteps) || !told && w.madeThem(path, max(k.Steps, k.Writes)) {
		return nil, 0
	}
	n := 1
	if !k.Told {
		k.Told = true
		n += int(max(k.Steps, k.Refused, k.Writes))
	}
	switch {
	case deletes && k.Served >= walkLoot && (ev.Status == 200 || ev.Status == 204):
		return wreckDone, n
	case deletes:
		return wreckSeen, n
	}
	if (k.Steps >= walkSteps && k.Served >= walkLoot || k.Writes >= walkWrites) && !refused {
		if agent := ev.Get(event.UserAgent); k.Refused == 0 && ev.Client.IsPrivate() && len(agent) > 0 && !bytes.HasPrefix(agent, []byte("Mozilla/")) {
			return walkOwn, n
		}
		return walkServed, n
	}
	return walkTried, n
}

// shows tells whether a message says that somebody looked at something or, write, changed it.
func shows(m []byte, write bool) bool {
	m = m[:min(len(m), maxWalked)]
	if bytes.Contains(m, []byte("updated by")) {
		return true
	}
	if write {
		return false
	}
	for _, w := range shownBy {
		if bytes.Contains(m, w) {
			return true
		}
	}
	return false
}

var shownBy = [...][]byte{[]byte("retrieved"), []byte("viewed"), []byte("read by"), []byte("fetched"), []byte("shown"), []byte("served"), []byte("accessed"), []byte("opened"), []byte("downloaded"), []byte("requested by")}

// An object is what a request is about: one of a kind, known by a number, or by a name that cannot be counted.
type object struct {
	key  uint64 // of the kind: route, or noun of a message; 0 for none
	id   int64
	noun []byte // the parameter or noun before the number
}

// objectOf finds the last number that is a whole segment of a path, else one in its query ("?invoice_id=17"), else a segment
// that looks like an identifier; in a message the number after a noun that is private ("user 7 opened invoice 1001": the invoice).
func objectOf(path, query []byte, told bool) (o object) {
	path = path[:min(len(path), maxWalked)]
	if told {
		return spokenOf(path)
	}
	if lo, hi := lastNumber(path); hi > 0 {
		return object{key: hash(path[:lo]) ^ hash(path[hi:])*3 | 1, id: numberIn(path[lo:hi])}
	}
	query = query[:min(len(query), maxWalked)]
	for len(query) > 0 {
		pair := query
		if at := bytes.IndexByte(query, '&'); at >= 0 {
			pair, query = query[:at], query[at+1:]
		} else {
			query = nil
		}
		eq := bytes.IndexByte(pair, '=')
		if eq < 2 || len(pair)-eq-1 > 15 || !isNumberBytes(pair[eq+1:]) || !namesObject(pair[:eq]) {
			continue
		}
		return object{key: hash(path) ^ hash(pair[:eq])*3 | 1, id: numberIn(pair[eq+1:]), noun: pair[:eq]}
	}
	for end, n := len(path), 0; n < 2; n++ { // "/documents/ID" or "/documents/ID/download"
		at := lastSlash(path[:end])
		if at <= 0 {
			break
		}
		if end-at > 12 && isID(path[at+1:end]) {
			return object{key: hash(path[:at]) ^ hash(path[end:])*3 | 1, id: int64(hash(path[at+1:end]) >> 2)} // neighbours are not near: only refusals count
		}
		end = at
	}
	return o
}

// namesObject tells whether a parameter holds the number of an object by its name: "id", "order_id", "invoiceId", "account".
func namesObject(name []byte) bool {
	if n := len(name); n >= 2 && (name[n-2]|0x20 == 'i' && name[n-1]|0x20 == 'd') {
		return true
	}
	return private(name)
}

// spokenOf reads a message.
func spokenOf(m []byte) (o object) {
	best := 0
	for i := 1; i < len(m); i++ {
		if m[i]-'0' >= 10 {
			continue
		}
		lo := i
		for i < len(m) && m[i]-'0' < 10 {
			i++
		}
		if c := m[lo-1]; c != ' ' && c != '#' && c != '=' && c != ':' || i-lo < 2 || i-lo > 15 || i < len(m) && m[i] != ' ' && m[i] != ',' && m[i] != '.' && m[i] != ')' {
			continue
		}
		end := lo
		for end > 0 && (m[end-1] == ' ' || m[end-1] == '#' || m[end-1] == '=' || m[end-1] == ':') {
			end--
		}
		start := end
		for start > 0 && (m[start-1]|0x20)-'a' < 26 {
			start--
		}
		noun := m[start:end]
		if n := len(noun); n > 4 && (noun[n-2]|0x20 == 'i' && noun[n-1]|0x20 == 'd') {
			noun = noun[:n-2] // orderId
		}
		rank := 0
		if private(noun) {
			if rank = 2; whoActs(noun) {
				rank = 1
			}
		}
		if rank > best {
			best = rank
			o = object{key: hash(noun) | 1, id: numberIn(m[lo:i]), noun: noun}
		}
	}
	return o
}

// whoActs tells whether a noun is more likely who did something than what it was done to.
func whoActs(noun []byte) bool {
	switch string(bytes.ToLower(noun)) {
	case "user", "account", "customer", "client", "member", "person", "employee":
		return true
	}
	return false
}

func numberIn(s []byte) (n int64) {
	for _, c := range s {
		n = n*10 + int64(c-'0')
	}
	return n
}

func isNumberBytes(s []byte) bool {
	for _, c := range s {
		if c-'0' >= 10 {
			return false
		}
	}
	return len(s) > 0
}

// private tells whether the object belongs to somebody, by its noun or by the path to it.
func (o *object) private(path []byte, told bool) bool {
	return o.noun != nil && private(o.noun) || !told && private(path)
}

// lastNumber finds the last number that is a whole segment of a path. hi is 0 if there is none.
func lastNumber(s []byte) (lo, hi int) {
	end := len(s)
	for end > 0 {
		at := lastSlash(s[:end])
		if at < 0 {
			return 0, 0
		}
		i := at + 1
		for i < end && s[i]-'0' < 10 {
			i++
		}
		if i == end && i > at+1 && i-at-1 < 16 {
			return at + 1, end
		}
		end = at
	}
	return 0, 0
}

// lastSlash is bytes.LastIndexByte(s, '/'), which reads byte by byte.
func lastSlash(s []byte) int {
	const slashes, low7 = 0x2f2f2f2f2f2f2f2f, 0x7f7f7f7f7f7f7f7f
	for len(s) >= 8 {
		x := binary.LittleEndian.Uint64(s[len(s)-8:]) ^ slashes
		if z := ^((x & low7) + low7 | x | low7); z != 0 {
			return len(s) - 1 - bits.LeadingZeros64(z)>>3
		}
		s = s[:len(s)-8]
	}
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			return i
		}
	}
	return -1
}

const maxWalked = 256 // bytes of a path, query or message in which an object's number is looked for

// private tells whether the objects of a path, or what a word names, belong to somebody: orders and accounts do, articles and
// pictures do not.
func private(name []byte) bool {
	if bytes.Contains(name, []byte("/dav/")) {
		return false // synchronised files
	}
	var room [24]byte
	w := room[:0]
	for i := 0; i <= len(name) && i <= maxWalked; i++ {
		c := byte('/')
		if i < len(name) {
			c = name[i]
		}
		upper := c-'A' < 26
		if c |= 0x20; c-'a' < 26 && !(upper && i > 0 && name[i-1]-'a' < 26) {
			if len(w) < len(room) {
				w = append(w, c)
			}
			continue
		}
		if len(w) > 3 && privateThings[string(bytes.TrimSuffix(w, []byte("s")))] {
			return true
		}
		if w = w[:0]; c-'a' < 26 {
			w = append(w, c) // orderId: two words
		}
	}
	return false
}

// office tells whether a path belongs to those who run the site: their work leads through the objects of all.
func office(path []byte) bool {
	for _, p := range officeParts {
		if bytes.Contains(path, p) {
			return true
		}
	}
	return false
}

var officeParts = [...][]byte{[]byte("admin"), []byte("partner"), []byte("internal"), []byte("staff"), []byte("manage"), []byte("backoffice"), []byte("support"), []byte("sync"), []byte("webhook")}

var privateThings = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range bytes.Fields([]byte("user account customer client member profile order invoice payment transaction statement document file attachment message ticket booking reservation patient record report subscription contract claim employee student receipt card wallet addresse address device note export application appointment shipment policie policy loan prescription quote case lead contact project basket cart vehicle transfer payout refund balance person people beneficiarie beneficiary tenant organization organisation company companie conversation chat memo letter passport certificate download submission registration voucher coupon" +
		" guest patron resident holder applicant candidate pupil parent teacher driver rider passenger visitor donor volunteer subscriber trip ride journey flight stay visit treatment diagnosis result referral sample claimant lease mortgage deposit withdrawal mandate portfolio position trade settlement bill payslip salary timesheet expense purchase sale parcel package delivery consignment return complaint incident thread mailbox email mail call recording transcript device meter reading licence license permit fine declaration deed asset invitation session" +
		" consultation enrollment enrolment deal rental exam grade attempt assignment homework attendance shift roster contract waybill cargo pickup dispatch tender petition hearing docket filing assessment intake immunization encounter admission discharge therapy remittance debit credit repayment instalment installment investment pension enquiry inquiry feedback redemption reward membership checkin warranty repair workorder inspection" +
		" rechnung rechnungen bestellung bestellungen kunde kunden auftrag auftraege konto konten vertrag vertraege buchung buchungen dokument dokumente nachricht nachrichten beleg belege zahlung zahlungen benutzer" + // German
		" facture commande compte contrat paiement utilisateur dossier factura pedido cliente cuenta contrato pago usuario recibo paciente reserva" + // French, Spanish
		" fattura fatture ordine ordini conto conti contratti contratto prenotazione prenotazioni pagamento pagamenti utente utenti clienti factuur facturen bestelling bestellingen klant klanten boeking gebruiker fatura conta")) { // Italian, Dutch, Portuguese
		m[string(w)] = true
	}
	return m
}()

// page counts the different pages that a client reads in a row, none of them by way of another.
func (w *walker) page(ev *event.Event, path []byte, now int64) (*event.Detector, int) {
	if ev.Status != 200 && ev.Status != 404 || string(ev.Get(event.Method)) != "GET" {
		return nil, 0
	}
	if ref := ev.Get(event.Referer); len(ref) > 1 || ev.Client.IsPrivate() {
		return nil, 0 // Fast path - a person who follows links, or a program of the house
	}
	if len(ev.Get(event.User)) > 0 && !bytes.HasPrefix(ev.Get(event.UserAgent), []byte("Mozilla/")) {
		return nil, 0 // a program with an account of its own
	}
	h := hash(path)
	same := uint32(h)
	if q := ev.Get(event.Query); len(q) < 24 && bytes.IndexByte(q, '=') > 0 {
		h ^= hash(q)
	}
	bit := uint64(1) << (h >> 8 % 64)
	if now-w.Began <= int64(crawlSpan) && w.Began <= now && w.Seen[h>>16%8]&bit != 0 && w.Hit != same {
		return nil, 0 // Fast path - it was counted, and is not asked for again and again
	}
	agent := uint32(hash(ev.Get(event.UserAgent)))
	if now-w.Began > int64(crawlSpan) || w.Began > now {
		w.Began, w.Pages, w.Seen, w.Agent, w.Hits = now, 0, [8]uint64{}, agent, 0
	}
	if w.Agent == agent {
		if w.Hit != same && w.Hits < hitsOther {
			w.Hit, w.Hits = same, 0
		}
		if w.Hit == same && ev.Status == 200 {
			if w.Hits = min(w.Hits+1, 1<<15); w.Hits >= hitsFlood {
				return hitSeen, 1
			}
		}
	}
	if w.Seen[h>>16%8]&bit != 0 || w.Agent != agent || belongs(path) { // another agent: another person behind the same address
		return nil, 0
	}
	w.Seen[h>>16%8] |= bit
	w.Pages = min(w.Pages+1, 1<<15)
	if w.Pages < crawlPages {
		return nil, 0
	}
	n := 1
	if w.Pages == crawlPages {
		n = crawlPages
	}
	if ev.Status == 200 {
		return crawlServed, n
	}
	return crawlSeen, n
}

// bust counts requests for one page with queries that carry no parameters.
func (w *walker) bust(ev *event.Event, path []byte, now int64) (*event.Detector, int) {
	q := ev.Get(event.Query)
	if len(q) < 5 || bytes.IndexByte(q, '=') >= 0 {
		return nil, 0
	}
	h := uint32(hash(path))
	if w.Path != h || now-w.Busting > int64(bustSpan) || w.Busting > now {
		w.Path, w.Busting, w.Asks = h, now, 0
	}
	if w.Asks = min(w.Asks+1, 1<<15); w.Asks < bustAsks {
		return nil, 0
	}
	if w.Asks == bustAsks {
		return bustSeen, bustAsks
	}
	return bustSeen, 1
}

// belongs tells whether a path is a part of a page, or something that programs fetch by the hundred: pictures, scripts, packages,
// repositories, synchronised files.
func belongs(path []byte) bool {
	tail := path[max(0, len(path)-6):]
	if bytes.IndexByte(tail, '.') >= 0 && !bytes.HasSuffix(tail, []byte(".html")) && !bytes.HasSuffix(tail, []byte(".htm")) && !bytes.HasSuffix(tail, []byte(".php")) && !bytes.HasSuffix(tail, []byte(".aspx")) && !bytes.HasSuffix(tail, []byte(".jsp")) {
		return true
	}
	if seg := path[bytes.LastIndexByte(path, '/')+1:]; len(seg) >= 32 && isID(seg) {
		return true // an object store names things by what they hold
	}
	for _, p := range pageParts {
		if bytes.Contains(path, p) {
			return true
		}
	}
	return false
}

var pageParts = [...][]byte{[]byte("/dav"), []byte("/svn"), []byte("!svn"), []byte("git"), []byte("thumb"), []byte("image"), []byte("img"), []byte("avatar"), []byte("asset"), []byte("static"), []byte("media"),
	[]byte("tile"), []byte("download"), []byte("file"), []byte("/-/"), []byte("query"), []byte("metrics"), []byte("icon"), []byte("node_modules"), []byte("package"), []byte("/manifests/"), []byte("Items/"), []byte("health"), []byte("calendar"), []byte("socket"), []byte("blob"), []byte("_next"), []byte("/@"), []byte("hls"), []byte("chunk"), []byte("/t/")}
