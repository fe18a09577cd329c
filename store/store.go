// Package store keeps what outlives a process, in SQLite: shared reports, as ciphertext that
// this program cannot read. Times are the caller's; nothing here asks a clock.
package store

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// maxWrongTokens is how often somebody may try to open a share without its key before it is deleted: a
// password is not guessed here.
const maxWrongTokens = 100

// Errors that Shares return. ErrNotFound also stands for what has expired, was burnt or deleted.
var (
	ErrNotFound = errors.New("no such share: it never was, has expired, was deleted, or was opened already")
	ErrToken    = errors.New("wrong token")
	ErrFull     = errors.New("no room for further shares")
)

// A Share is an encrypted report and how long it is kept.
type Share struct {
	ID         string
	Ciphertext []byte
	IV         []byte
	KDF        []byte            // how the password makes a key, as the sender wrote it; empty without a password
	OpenHash   [sha256.Size]byte // of the token that opens it
	DeleteHash [sha256.Size]byte // of the token that deletes it
	Burn       bool              // deleted when opened
	Expires    time.Time
}

// Info is what anybody who knows the ID may know of a Share.
type Info struct {
	KDF     []byte
	Bytes   int // of ciphertext
	Burn    bool
	Expires time.Time
}

// Usage is how much is kept.
type Usage struct {
	Shares int
	Bytes  int64
}

// A DB is an open database. Its methods may be called from several goroutines.
type DB struct {
	sql      *sql.DB
	maxBytes int64
}

const schema = `
CREATE TABLE IF NOT EXISTS shares (
	id          TEXT PRIMARY KEY,
	ciphertext  BLOB NOT NULL,
	iv          BLOB NOT NULL,
	kdf         BLOB NOT NULL,
	open_hash   BLOB NOT NULL,
	delete_hash BLOB NOT NULL,
	burn        INTEGER NOT NULL,
	expires     INTEGER NOT NULL, -- Unix seconds
	wrong       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS shares_expires ON shares (expires);
PRAGMA user_version = 1;`

// Open opens the database in the file, and makes it if there is none; "" keeps everything in memory. It holds at
// most maxBytes of ciphertext.
func Open(file string, maxBytes int64) (*DB, error) {
	// What is deleted is overwritten, and no log beside the file keeps it: a write-ahead log would until its next checkpoint.
	dsn := "file:" + (&url.URL{Path: file}).EscapedPath() + "?_pragma=journal_mode(TRUNCATE)&_pragma=busy_timeout(5000)&_pragma=secure_delete(ON)&_txlock=immediate"
	if file == "" {
		dsn = "file::memory:?_pragma=secure_delete(ON)"
	}
	if file != "" { // SQLite would let every account of the machine read it; its journal takes the file's mode.
		f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		f.Close()
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // SQLite has one writer anyhow, and a database in memory is one connection
	var version int
	if err = db.QueryRow("PRAGMA user_version").Scan(&version); err == nil && version > 1 {
		err = fmt.Errorf("was written by a newer vanguard (schema %d)", version)
	}
	if err == nil {
		_, err = db.Exec(schema)
	}
	if err != nil {
		db.Close()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &DB{sql: db, maxBytes: maxBytes}, nil
}

// Close closes the database.
func (d *DB) Close() error { return d.sql.Close() }

// Put keeps a new share. ErrFull says that it would be too much.
func (d *DB) Put(ctx context.Context, s *Share) error {
	res, err := d.sql.ExecContext(ctx, `
		INSERT INTO shares (id, ciphertext, iv, kdf, open_hash, delete_hash, burn, expires)
		SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE (SELECT coalesce(sum(length(ciphertext)), 0) FROM shares) + ? <= ?`,
		s.ID, blob(s.Ciphertext), blob(s.IV), blob(s.KDF), s.OpenHash[:], s.DeleteHash[:], s.Burn, s.Expires.Unix(), len(s.Ciphertext), d.maxBytes)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrFull)
	}
	return nil
}

// blob is never NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Info tells of a share without opening it.
func (d *DB) Info(ctx context.Context, id string, now time.Time) (Info, error) {
	var in Info
	var expires int64
	err := d.sql.QueryRowContext(ctx, `SELECT kdf, length(ciphertext), burn, expires FROM shares WHERE id = ? AND expires > ?`, id, now.Unix()).
		Scan(&in.KDF, &in.Bytes, &in.Burn, &expires)
	in.Expires = time.Unix(expires, 0)
	return in, found(err)
}

// Take opens a share for whoever has the token that the key yields. One that burns is gone with that, atomically.
func (d *DB) Take(ctx context.Context, id string, token []byte, now time.Time) (*Share, error) {
	tx, err := d.sql.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	s := &Share{ID: id}
	var expires int64
	var hash []byte
	var wrong int
	err = tx.QueryRowContext(ctx, `SELECT ciphertext, iv, kdf, open_hash, burn, expires, wrong FROM shares WHERE id = ? AND expires > ?`, id, now.Unix()).
		Scan(&s.Ciphertext, &s.IV, &s.KDF, &hash, &s.Burn, &expires, &wrong)
	if err != nil {
		return nil, found(err)
	}
	s.Expires = time.Unix(expires, 0)
	var then error
	switch {
	case !same(token, hash):
		s, then = nil, ErrToken
		_, err = tx.ExecContext(ctx, `UPDATE shares SET wrong = wrong + 1 WHERE id = ?`, id)
		if wrong+1 >= maxWrongTokens {
			_, err = tx.ExecContext(ctx, `DELETE FROM shares WHERE id = ?`, id)
		}
	case s.Burn:
		_, err = tx.ExecContext(ctx, `DELETE FROM shares WHERE id = ?`, id)
	}
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return s, then
}

// Delete deletes a share for whoever has the token that its maker was given.
func (d *DB) Delete(ctx context.Context, id string, token []byte, now time.Time) error {
	var hash []byte
	err := d.sql.QueryRowContext(ctx, `SELECT delete_hash FROM shares WHERE id = ? AND expires > ?`, id, now.Unix()).Scan(&hash)
	if err != nil {
		return found(err)
	}
	if !same(token, hash) {
		return ErrToken
	}
	_, err = d.sql.ExecContext(ctx, `DELETE FROM shares WHERE id = ?`, id)
	return err
}

// Sweep deletes what has expired and returns how many that were.
func (d *DB) Sweep(ctx context.Context, now time.Time) (int, error) {
	res, err := d.sql.ExecContext(ctx, `DELETE FROM shares WHERE expires <= ?`, now.Unix())
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// Usage counts what is kept, expired shares that were not swept yet included.
func (d *DB) Usage(ctx context.Context) (u Usage, err error) {
	err = d.sql.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(length(ciphertext)), 0) FROM shares`).Scan(&u.Shares, &u.Bytes)
	return u, err
}

func same(token, hash []byte) bool {
	sum := sha256.Sum256(token)
	return subtle.ConstantTimeCompare(sum[:], hash) == 1
}

func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}
