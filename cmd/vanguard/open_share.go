package main

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
	"golang.org/x/text/unicode/norm"

	"github.com/helixvanguard/vanguard"
	"github.com/helixvanguard/vanguard/render"
)

// The format of shares is written down in docs/share.md; the names are those used there.
const (
	shareLabel    = "vanguard share 1" // the ciphertext's additional data, and the front of each derivation's info
	maxSharedJSON = 64 << 20           // bytes, unpacked
	maxShareReply = 8 << 20            // bytes of a server's answer
	maxIterations = 10_000_000
	shareTimeout  = time.Minute
)

// openCmd is `vanguard open`.
type openCmd struct {
	Link         string `arg:"" help:"The link, in quotes: https://HOST/s/ID#KEY"`
	Output       string `short:"o" help:"text, json, jsonl, md, html, ocsf or csv." default:"text" placeholder:"FORMAT"`
	Top          int    `help:"Findings to show; 0 = all. Text shows 20 unless told otherwise." default:"-1" placeholder:"N"`
	PasswordFile string `help:"File whose first line is the password; asked for otherwise." placeholder:"FILE"`
	SaveLogs     string `help:"Folder to write shared logs to, if the sender added any." placeholder:"DIR"`
}

// Help is shown by `vanguard open --help` below the usage.
func (*openCmd) Help() string {
	return `The report is fetched encrypted and decrypted here: the part of the link behind # is the key, and is not sent.
A share that its sender made to burn is deleted from the server by this. Nothing is judged anew.`
}

// Run is called by kong.
func (c *openCmd) Run(k *kong.Context) error {
	if !slices.Contains(render.Formats, c.Output) {
		return usagef("--output %q: one of %s", c.Output, strings.Join(render.Formats, ", "))
	}
	link, err := parseLink(c.Link)
	if err != nil {
		return usageError{err}
	}
	s, err := link.fetch(func() (string, error) { return c.password(k.Stderr) })
	if err != nil {
		return err
	}
	if s.Burn {
		fmt.Fprintln(k.Stderr, "vanguard: the share was deleted from the server; this was its only reading")
	}
	if c.SaveLogs != "" {
		if err := saveLogs(c.SaveLogs, s.Logs); err != nil {
			return err
		}
	} else if len(s.Logs) > 0 {
		fmt.Fprintf(k.Stderr, "vanguard: the sender added %d logs; --save-logs DIR writes them down\n", len(s.Logs))
	}
	look := render.Options{Now: time.Now(), Top: c.Top}
	if c.Top < 0 {
		look.Top = 0
		if c.Output == "text" {
			look.Top = render.TextTop
		}
	}
	look.Width, look.Color = terminal(k.Stdout)
	return render.Write(k.Stdout, c.Output, s.Report, look)
}

// password gets the share's password from its file, the terminal or standard input.
func (c *openCmd) password(ask io.Writer) (string, error) {
	var text []byte
	var err error
	switch stdin := int(os.Stdin.Fd()); {
	case c.PasswordFile != "":
		text, err = os.ReadFile(c.PasswordFile)
	case term.IsTerminal(stdin):
		fmt.Fprint(ask, "Password: ")
		text, err = term.ReadPassword(stdin)
		fmt.Fprintln(ask)
	default:
		text, err = io.ReadAll(io.LimitReader(os.Stdin, 4<<10))
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strings.TrimSuffix(line, "\r"), err
}

// A shareLink is a link to a share, taken apart.
type shareLink struct {
	base *url.URL // ends before s/ID
	id   string
	key  []byte // K
}

var shareID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func parseLink(text string) (*shareLink, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the link is no address such as https://HOST/s/ID#KEY")
	}
	before, id, ok := strings.Cut(u.Path, "/s/")
	if !ok || !shareID.MatchString(id) {
		return nil, errors.New("the link's path is not /s/ID")
	}
	if u.Fragment == "" {
		return nil, errors.New("the link has no key: the part behind # is missing; put the link in quotes")
	}
	key, err := unbase64(u.Fragment)
	if err != nil || len(key) != 32 {
		return nil, errors.New("the link's key, behind #, is not whole")
	}
	return &shareLink{&url.URL{Scheme: u.Scheme, Host: u.Host, Path: before + "/"}, id, key}, nil
}

// A shared report, decrypted.
type shared struct {
	Schema string           `json:"schema"`
	Report *vanguard.Report `json:"report"`
	Logs   []sharedLog      `json:"logs"`
	Burn   bool             `json:"-"`
}

type sharedLog struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// shareKDF tells how a password makes a key.
type shareKDF struct {
	Name       string `json:"name"`
	Iterations int    `json:"iterations"`
	Salt       string `json:"salt"`
}

// fetch gets the share from its server and decrypts it. The password is asked for if there is one.
func (l *shareLink) fetch(password func() (string, error)) (*shared, error) {
	at := "api/v1/shares/" + l.id
	var info struct {
		KDF *shareKDF `json:"kdf"`
	}
	if err := l.call("GET", at, nil, &info); err != nil {
		return nil, err
	}
	word := ""
	if info.KDF != nil {
		var err error
		if word, err = password(); err != nil {
			return nil, err
		}
	}
	content, open, err := shareKeys(l.key, word, info.KDF)
	if err != nil {
		return nil, err
	}
	var sealed struct {
		Ciphertext string `json:"ciphertext"`
		IV         string `json:"iv"`
		Burn       bool   `json:"burn"`
	}
	err = l.call("POST", at+"/open", map[string]string{"token": base64.RawURLEncoding.EncodeToString(open)}, &sealed)
	if errors.Is(err, errShareKey) && info.KDF != nil {
		err = errors.New("wrong password, or the link is not whole; nothing was burnt")
	}
	if err != nil {
		return nil, err
	}
	ciphertext, err1 := unbase64(sealed.Ciphertext)
	iv, err2 := unbase64(sealed.IV)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("the server's answer: %w", err)
	}
	s, err := unseal(content, iv, ciphertext)
	if err != nil {
		return nil, err
	}
	s.Burn = sealed.Burn
	return s, nil
}

var errShareKey = errors.New("the link's key does not fit this share")

// call sends one request to the link's server, and nowhere else.
func (l *shareLink) call(method, path string, body, into any) error {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, l.base.JoinPath(path).String(), send)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: shareTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxShareReply))
	if err != nil {
		return err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		if err := json.Unmarshal(text, into); err != nil {
			return fmt.Errorf("%s does not answer as a Vanguard server: %w", l.base.Host, err)
		}
		return nil
	case http.StatusForbidden:
		return errShareKey
	case http.StatusNotFound:
		return errors.New("no such share: it has expired, was deleted, or was opened already")
	}
	var reply struct {
		Error string `json:"error"`
	}
	json.Unmarshal(text, &reply)
	return fmt.Errorf("%s answers %d %s: %s", l.base.Host, resp.StatusCode, http.StatusText(resp.StatusCode), render.Visible(reply.Error))
}

// shareKeys derives the key of the content and the token that opens the share.
func shareKeys(key []byte, password string, k *shareKDF) (content, open []byte, err error) {
	secret := key
	if k != nil {
		salt, err := unbase64(k.Salt)
		if err != nil || k.Name != "PBKDF2-SHA-256" || k.Iterations < 1 || k.Iterations > maxIterations {
			return nil, nil, errors.New("the share's password is protected in a way that this version does not know")
		}
		p, err := pbkdf2.Key(sha256.New, norm.NFC.String(password), salt, k.Iterations, 32)
		if err != nil {
			return nil, nil, err
		}
		secret = append(bytes.Clone(key), p...)
	}
	if content, err = hkdf.Key(sha256.New, secret, nil, shareLabel+" content", 32); err != nil {
		return nil, nil, err
	}
	open, err = hkdf.Key(sha256.New, secret, nil, shareLabel+" open", 32)
	return content, open, err
}

// shareCipher is AES-256-GCM.
func shareCipher(content []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(content)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// unseal decrypts and unpacks a share's content.
func unseal(content, iv, ciphertext []byte) (*shared, error) {
	gcm, err := shareCipher(content)
	if err != nil {
		return nil, err
	}
	if len(iv) != gcm.NonceSize() {
		return nil, errors.New("the share is damaged: its iv is no 12 bytes")
	}
	packed, err := gcm.Open(nil, iv, ciphertext, []byte(shareLabel))
	if err != nil {
		return nil, errors.New("the share is damaged, or was changed on its server: it does not decrypt")
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("the share's content: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxSharedJSON+1))
	if err != nil {
		return nil, fmt.Errorf("the share's content: %w", err)
	}
	if len(text) > maxSharedJSON {
		return nil, errors.New("the share unpacks to more than 64 MiB")
	}
	s := &shared{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("the share's content: %w", err)
	}
	if s.Schema != "vanguard.share/1" || s.Report == nil || s.Report.Schema != "vanguard.report/1" {
		return nil, errors.New("the share was made by a version that this one does not know")
	}
	return s, nil
}

func unbase64(s string) ([]byte, error) { return base64.RawURLEncoding.Strict().DecodeString(s) }

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// saveLogs writes the logs of a share into a folder. The sender chose their names; files that exist stay as they are.
func saveLogs(dir string, logs []sharedLog) error {
	if len(logs) == 0 {
		return errors.New("the sender added no logs")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for i, l := range logs {
		name := fmt.Sprintf("%02d-%.80s", i+1, strings.Trim(unsafeName.ReplaceAllString(filepath.Base(l.Name), "_"), "._"))
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.WriteString(f, l.Text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}
