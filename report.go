package vanguard

// A Report is everything known after the last line. Its JSON names are the
// format "vanguard.report/1"; an absent key means that the thing is not known.
type Report struct {
	Schema     string     `json:"schema"`
	Verdict    Verdict    `json:"verdict"`
	Confidence float64    `json:"confidence"`          // probability that the verdict is right
	Summary    string     `json:"summary"`             // one plain sentence
	Doubt      string     `json:"doubt,omitempty"`     // the biggest reason why it could be wrong
	DoNow      []string   `json:"do_now,omitempty"`    // first the one thing, then the next
	Input      Input      `json:"input"`               //
	Findings   []Finding  `json:"findings"`            // worst first
	Chains     []Chain    `json:"chains,omitempty"`    // findings that are one story, that of the worst first
	Noise      *Noise     `json:"noise,omitempty"`     // folded background noise
	Allowed    []Allowed  `json:"allowed,omitempty"`   // what each allow entry hid
	NotSeen    []string   `json:"not_seen,omitempty"`  // what these logs cannot show
	LogHints   []LogHint  `json:"log_hints,omitempty"` // configurations that would show it
	Timeline   []Bucket   `json:"timeline,omitempty"`
	Redacted   int        `json:"redacted,omitempty"` // secrets that were hidden, in a report that was redacted
	Engine     EngineInfo `json:"engine"`
}

// Verdict is the answer in one word.
type Verdict string

const (
	CompromiseLikely Verdict = "compromise-likely"
	UnderAttack      Verdict = "under-attack"
	Probed           Verdict = "probed"
	LooksNormal      Verdict = "looks-normal"
	CantTell         Verdict = "cant-tell"
)

// Input says what was read and how much of it was understood.
type Input struct {
	Lines      int           `json:"lines"`
	Understood int           `json:"understood"`
	Bytes      int64         `json:"bytes,omitempty"`
	Formats    []FormatCount `json:"formats,omitempty"`    // most lines first
	FirstSeen  string        `json:"first_seen,omitempty"` // RFC 3339; without a zone where the log had none
	LastSeen   string        `json:"last_seen,omitempty"`
	Unread     []Unread      `json:"unread,omitempty"`   // the first few lines that no format fitted
	Problems   []string      `json:"problems,omitempty"` // "access.log.3.gz: unexpected end of file after 812 lines", limits that were hit
}

type FormatCount struct {
	Name  string `json:"name"`
	Lines int    `json:"lines"`
}

type Unread struct {
	Source string `json:"source,omitempty"`
	Line   int    `json:"line"`
	Why    string `json:"why"`
}

// A Finding is an incident: what one actor did of one threat, over time.
type Finding struct {
	ID              string     `json:"id"` // stable for the same lines
	Threat          string     `json:"threat"`
	Title           string     `json:"title"`
	Severity        string     `json:"severity"`
	Outcome         string     `json:"outcome"`
	OutcomeEvidence string     `json:"outcome_evidence,omitempty"`
	Missing         string     `json:"missing,omitempty"`    // the log or field that would settle the outcome
	LogHint         string     `json:"log_hint,omitempty"`   // a configuration line that records it; may span lines
	Noise           bool       `json:"noise,omitempty"`      // the internet's background noise; also counted in Report.Noise
	Classifier      bool       `json:"classifier,omitempty"` // only the classifier suspects it, no rule
	Confidence      float64    `json:"confidence"`
	Doubts          []string   `json:"doubts,omitempty"`
	Actor           Actor      `json:"actor"`
	Targets         []Target   `json:"targets,omitempty"`
	Stages          []string   `json:"stages,omitempty"`
	Chain           string     `json:"chain,omitempty"`        // the Chain that it is a step of
	ChainStages     []string   `json:"chain_stages,omitempty"` // what that Chain reached, of the kill chain, in its order
	Attack          []string   `json:"attack,omitempty"`
	OWASP           []string   `json:"owasp,omitempty"`
	CWE             []int      `json:"cwe,omitempty"`
	CVE             []string   `json:"cve,omitempty"`
	FirstSeen       string     `json:"first_seen,omitempty"`
	LastSeen        string     `json:"last_seen,omitempty"`
	Events          int        `json:"events"`
	Evidence        []Evidence `json:"evidence,omitempty"`
	Advice          []string   `json:"advice,omitempty"` // what to do about this finding, in order
}

// A Chain is one story: what one principal did of several threats, or in several logs, one step after the other.
type Chain struct {
	ID        string   `json:"id"` // stable for the same lines
	Who       []Target `json:"who"`
	Stages    []string `json:"stages"`            // of the kill chain, in its order
	Sources   []string `json:"sources,omitempty"` // the logs that tell of it
	Outcome   string   `json:"outcome"`
	FirstSeen string   `json:"first_seen,omitempty"`
	LastSeen  string   `json:"last_seen,omitempty"`
	Steps     []Step   `json:"steps"` // in the order in which they happened
}

// A Step is one finding in the order of its Chain.
type Step struct {
	Finding string   `json:"finding"` // its id
	Title   string   `json:"title"`
	Stages  []string `json:"stages,omitempty"`
	Outcome string   `json:"outcome"`
	Time    string   `json:"time,omitempty"`
	Sources []string `json:"sources,omitempty"`
}

type Actor struct {
	Type  string   `json:"type,omitempty"`
	Value string   `json:"value,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

type Target struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Evidence is one of the user's own lines.
type Evidence struct {
	Source string   `json:"source,omitempty"`
	Line   int      `json:"line"`
	Time   string   `json:"time,omitempty"`
	Text   string   `json:"text"`
	Spans  [][2]int `json:"spans,omitempty"` // byte offsets into Text
	By     []string `json:"by,omitempty"`    // "rule:...", "model:...", "profile:..."
	Why    string   `json:"why,omitempty"`
}

// Allowed previews one allow entry: what it hid, and what would have been found in that.
type Allowed struct {
	Entry  string   `json:"entry"`
	Events int      `json:"events"` // suspicious events that it hid; 0: it could go
	Hides  []Hidden `json:"hides,omitempty"`
}

// Hidden is a finding that an allow entry kept away.
type Hidden struct {
	Threat   string `json:"threat"`
	Title    string `json:"title"`
	Actor    Actor  `json:"actor"`
	Severity string `json:"severity"`
	Outcome  string `json:"outcome"`
	Events   int    `json:"events"`
}

// Noise is the internet's background noise, folded.
type Noise struct {
	Events  int    `json:"events"`
	Actors  int    `json:"actors"`
	Summary string `json:"summary"`
}

// A LogHint is a configuration that records more; it may span lines.
type LogHint struct {
	Platform string `json:"platform"`
	Config   string `json:"config"`
}

// A Bucket counts the events of one stretch of time, for a timeline.
type Bucket struct {
	Start   string `json:"start"`
	Seconds int64  `json:"seconds"`
	Events  int    `json:"events"`
	Suspect int    `json:"suspect,omitempty"`
}

// EngineInfo tells what judged, so that two reports can be compared.
type EngineInfo struct {
	Version string `json:"version"`
	Rules   string `json:"rules"`            // hash of the rules in force
	Model   string `json:"model,omitempty"`  // hash of the classifier's weights
	Report  string `json:"report,omitempty"` // hash of all the above, equal on every face
}
