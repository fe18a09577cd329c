package incident

import "bytes"

// What a client may walk through without being suspected: what it made itself, what its office is to see, what people tidy up.

// makes notes that the client posted to a route and was not refused.
func (w *walker) makes(path []byte, status int) {
	if status < 200 || status > 303 {
		return
	}
	route := uint32(hash(bytes.TrimSuffix(path, []byte("/"))))
	if w.Made != route {
		w.Made, w.Makes = route, 0
	}
	w.Makes = min(w.Makes+1, 1<<15)
}

// madeThem tells whether the client made about as many things at a path's route as it took steps there: a till that shows each order
// that it takes.
func (w *walker) madeThem(path []byte, steps uint16) bool {
	if w.Makes == 0 || w.Makes < steps/2 {
		return false
	}
	lo, hi := lastNumber(path[:min(len(path), maxWalked)])
	return hi > 0 && lo > 0 && uint32(hash(path[:lo-1])) == w.Made
}

// machine tells whether the name that somebody is signed in with is that of a program which is meant to see everything.
func machine(user []byte) bool {
	for _, p := range machineNames {
		if at := bytes.Index(user, p); at == 0 || at > 0 && bytes.IndexByte([]byte("-_.:@/"), user[at-1]) >= 0 {
			return true
		}
	}
	return false
}

var machineNames = [...][]byte{[]byte("svc"), []byte("service-"), []byte("service_"), []byte("serviceaccount"), []byte("sync"), []byte("integration"), []byte("etl"), []byte("dwh"), []byte("backup"), []byte("exporter"), []byte("importer"), []byte("robot"), []byte("system:")}

// tidied tells whether a path leads to what people empty: carts, mailboxes, notes.
func tidied(path []byte) bool {
	for _, p := range tidiedParts {
		if bytes.Contains(path, p) {
			return true
		}
	}
	return false
}

var tidiedParts = [...][]byte{[]byte("cart"), []byte("basket"), []byte("item"), []byte("message"), []byte("mail"), []byte("notif"), []byte("note"), []byte("chat"), []byte("file"), []byte("session"), []byte("device"), []byte("attachment")}
