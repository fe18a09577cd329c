package server

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/helixvanguard/vanguard/store"
)

// The limits of a share; docs/share.md tells its format.
const (
	maxCiphertext = 4 << 20 // bytes
	maxShareBody  = maxCiphertext*4/3 + 4<<10
	minExpiry     = 5 * time.Minute
	maxExpiry     = 30 * 24 * time.Hour
	ivSize        = 12 // bytes, as AES-GCM takes
	tagSize       = 16 // bytes, at the end of the ciphertext
	tokenSize     = 32 // bytes
	idSize        = 16 // bytes; too many to guess one
	minIterations = 100_000
	maxIterations = 10_000_000 // a reader's browser must not be kept busy for minutes
)

// b64 is how bytes are written in JSON and links.
var b64 = base64.RawURLEncoding.Strict()

// kdf tells how a password makes a key. The server only passes it on.
type kdf struct {
	Name       string `json:"name"`
	Iterations int    `json:"iterations"`
	Salt       string `json:"salt"`
}

func (s *Server) putShare(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Ciphertext string `json:"ciphertext"`
		IV         string `json:"iv"`
		OpenHash   string `json:"open_hash"`
		Expires    int64  `json:"expires"` // seconds
		Burn       bool   `json:"burn"`
		KDF        *kdf   `json:"kdf"`
	}
	if !ask(w, r, maxShareBody, &q) {
		return
	}
	share := &store.Share{ID: random(idSize), Burn: q.Burn}
	deleteToken := random(tokenSize)
	share.DeleteHash = sha256.Sum256(decoded(deleteToken))
	var why string
	if share.Ciphertext = decoded(q.Ciphertext); len(share.Ciphertext) <= tagSize {
		why = "ciphertext: not base64url, or too short"
	} else if len(share.Ciphertext) > maxCiphertext {
		fail(w, http.StatusRequestEntityTooLarge, "ciphertext: more than 4 MiB")
		return
	}
	if share.IV = decoded(q.IV); len(share.IV) != ivSize {
		why = "iv: 12 bytes in base64url are needed"
	}
	if copy(share.OpenHash[:], decoded(q.OpenHash)) != sha256.Size || len(decoded(q.OpenHash)) != sha256.Size {
		why = "open_hash: 32 bytes in base64url are needed"
	}
	if q.Expires < int64(minExpiry/time.Second) || q.Expires > int64(maxExpiry/time.Second) {
		why = "expires: 300 to 2592000 seconds"
	}
	if q.KDF != nil {
		if n := len(decoded(q.KDF.Salt)); q.KDF.Name != "PBKDF2-SHA-256" || n < 16 || n > 64 || q.KDF.Iterations < minIterations || q.KDF.Iterations > maxIterations {
			why = `kdf: name "PBKDF2-SHA-256", 100000 to 10000000 iterations and a salt of 16 to 64 bytes in base64url are needed`
		}
		share.KDF, _ = json.Marshal(q.KDF)
	}
	if why != "" {
		fail(w, http.StatusBadRequest, why)
		return
	}
	share.Expires = s.cfg.Now().Add(time.Duration(q.Expires) * time.Second).Truncate(time.Second)
	if err := s.cfg.Shares.Put(r.Context(), share); err != nil {
		s.shareError(w, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"id": share.ID, "delete_token": deleteToken, "expires_at": share.Expires.UTC().Format(time.RFC3339)})
}

func (s *Server) shareInfo(w http.ResponseWriter, r *http.Request) {
	in, err := s.cfg.Shares.Info(r.Context(), r.PathValue("id"), s.cfg.Now())
	if err != nil {
		s.shareError(w, err)
		return
	}
	out := map[string]any{"bytes": in.Bytes, "burn": in.Burn, "expires_at": in.Expires.UTC().Format(time.RFC3339)}
	if len(in.KDF) > 0 {
		out["kdf"] = json.RawMessage(in.KDF)
	}
	answer(w, http.StatusOK, out)
}

func (s *Server) openShare(w http.ResponseWriter, r *http.Request) {
	var q struct {
		Token string `json:"token"`
	}
	if !ask(w, r, 4<<10, &q) {
		return
	}
	token := decoded(q.Token)
	if len(token) != tokenSize {
		fail(w, http.StatusBadRequest, "token: 32 bytes in base64url are needed")
		return
	}
	share, err := s.cfg.Shares.Take(r.Context(), r.PathValue("id"), token, s.cfg.Now())
	if err != nil {
		s.shareError(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"ciphertext": b64.EncodeToString(share.Ciphertext), "iv": b64.EncodeToString(share.IV),
		"burn": share.Burn, "expires_at": share.Expires.UTC().Format(time.RFC3339),
	})
}

func (s *Server) deleteShare(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if err := s.cfg.Shares.Delete(r.Context(), r.PathValue("id"), decoded(token), s.cfg.Now()); err != nil {
		s.shareError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) shareError(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, store.ErrNotFound):
		fail(w, http.StatusNotFound, err.Error())
	case errors.Is(err, store.ErrToken):
		fail(w, http.StatusForbidden, err.Error())
	case errors.Is(err, store.ErrFull):
		fail(w, http.StatusInsufficientStorage, err.Error())
	default:
		s.cfg.Log.Error("store", "error", err)
		fail(w, http.StatusInternalServerError, "the store failed")
	}
}

// random is n random bytes in base64url.
func random(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b64.EncodeToString(b)
}

// decoded is the bytes behind base64url; nil if s is none.
func decoded(s string) []byte {
	b, err := b64.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}
