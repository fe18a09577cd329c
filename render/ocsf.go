package render

import (
	"io"
	"net/netip"
	"time"

	"github.com/helixvanguard/vanguard"
)

// OCSF 1.6, class Detection Finding (2004): https://schema.ocsf.io/1.6.0/classes/detection_finding.
type (
	ocsfFinding struct {
		ActivityID      int            `json:"activity_id"`
		ActivityName    string         `json:"activity_name"`
		CategoryUID     int            `json:"category_uid"`
		CategoryName    string         `json:"category_name"`
		ClassUID        int            `json:"class_uid"`
		ClassName       string         `json:"class_name"`
		TypeUID         int            `json:"type_uid"`
		TypeName        string         `json:"type_name"`
		Time            int64          `json:"time"` // ms since 1970 UTC
		StartTime       int64          `json:"start_time,omitempty"`
		EndTime         int64          `json:"end_time,omitempty"`
		SeverityID      int            `json:"severity_id"`
		Severity        string         `json:"severity"`
		StatusID        int            `json:"status_id"`
		Status          string         `json:"status"`
		ConfidenceID    int            `json:"confidence_id"`
		Confidence      string         `json:"confidence"`
		ConfidenceScore int            `json:"confidence_score"`
		IsAlert         bool           `json:"is_alert"`
		Count           int            `json:"count"`
		Message         string         `json:"message"`
		ActionID        int            `json:"action_id"`
		Action          string         `json:"action"`
		DispositionID   int            `json:"disposition_id"`
		Disposition     string         `json:"disposition"`
		Metadata        ocsfMetadata   `json:"metadata"`
		FindingInfo     ocsfInfo       `json:"finding_info"`
		Evidences       []ocsfEvidence `json:"evidences,omitempty"`
		Observables     []ocsfObserved `json:"observables,omitempty"`
		Resources       []ocsfResource `json:"resources,omitempty"`
		Remediation     *ocsfText      `json:"remediation,omitempty"`
		Vulnerabilities []ocsfVuln     `json:"vulnerabilities,omitempty"`
		Unmapped        ocsfUnmapped   `json:"unmapped"`
	}
	ocsfMetadata struct {
		Version  string      `json:"version"`
		Profiles []string    `json:"profiles"`
		Product  ocsfProduct `json:"product"`
	}
	ocsfProduct struct {
		Name       string `json:"name"`
		VendorName string `json:"vendor_name"`
		Version    string `json:"version,omitempty"`
	}
	ocsfInfo struct {
		UID           string       `json:"uid"`
		Title         string       `json:"title"`
		Desc          string       `json:"desc,omitempty"`
		Types         []string     `json:"types,omitempty"`
		FirstSeenTime int64        `json:"first_seen_time,omitempty"`
		LastSeenTime  int64        `json:"last_seen_time,omitempty"`
		DataSources   []string     `json:"data_sources,omitempty"`
		Attacks       []ocsfAttack `json:"attacks,omitempty"`
		Analytic      ocsfAnalytic `json:"analytic"`
	}
	ocsfAttack struct {
		Technique ocsfUID `json:"technique"`
	}
	ocsfUID struct {
		UID string `json:"uid"`
	}
	ocsfAnalytic struct {
		TypeID  int    `json:"type_id"`
		Type    string `json:"type"`
		Name    string `json:"name"`
		UID     string `json:"uid,omitempty"`
		Version string `json:"version,omitempty"`
	}
	ocsfEvidence struct {
		UID   string             `json:"uid"`
		Data  *vanguard.Evidence `json:"data"`
		Src   *ocsfSrc           `json:"src_endpoint,omitempty"`
		Actor *ocsfActor         `json:"actor,omitempty"`
	}
	ocsfSrc struct {
		IP string `json:"ip"`
	}
	ocsfActor struct {
		User ocsfAccount `json:"user"`
	}
	ocsfAccount struct {
		Name          string `json:"name,omitempty"`
		CredentialUID string `json:"credential_uid,omitempty"`
	}
	ocsfObserved struct {
		Name   string `json:"name"`
		TypeID int    `json:"type_id"`
		Type   string `json:"type"`
		Value  string `json:"value"`
	}
	ocsfResource struct {
		Type string `json:"type"`
		Name string `json:"name"`
	}
	ocsfText struct {
		Desc string `json:"desc"`
	}
	ocsfVuln struct {
		CVE *ocsfUID `json:"cve"`
	}
	ocsfUnmapped struct {
		Threat  string   `json:"threat"`
		Actor   string   `json:"actor,omitempty"`
		Outcome string   `json:"outcome"`
		Stages  []string `json:"stages,omitempty"`
		Doubts  []string `json:"doubts,omitempty"`
		Missing string   `json:"missing,omitempty"`
		OWASP   []string `json:"owasp,omitempty"`
		CWE     []int    `json:"cwe,omitempty"`
		Verdict string   `json:"verdict"`
	}
)

// writeOCSF writes one Detection Finding a line.
func writeOCSF(w io.Writer, r *vanguard.Report, opt Options) error {
	for i := range r.Findings {
		if err := encode(w, toOCSF(r, &r.Findings[i], opt), ""); err != nil {
			return err
		}
	}
	return nil
}

func toOCSF(r *vanguard.Report, f *vanguard.Finding, opt Options) *ocsfFinding {
	first, last := millis(f.FirstSeen), millis(f.LastSeen)
	o := &ocsfFinding{
		ActivityID: 1, ActivityName: "Create", CategoryUID: 2, CategoryName: "Findings",
		ClassUID: 2004, ClassName: "Detection Finding", TypeUID: 200401, TypeName: "Detection Finding: Create",
		Time: last, StartTime: first, EndTime: last,
		StatusID: 1, Status: "New",
		ConfidenceScore: int(f.Confidence*100 + 0.5),
		IsAlert:         !f.Noise, Count: f.Events, Message: f.Title + ": " + outcomeLook(f.Outcome).Word,
		Metadata: ocsfMetadata{"1.6.0", []string{"security_control"}, ocsfProduct{"Helix Vanguard", "Helix Vanguard", r.Engine.Version}},
		FindingInfo: ocsfInfo{
			UID: f.ID, Title: f.Title, Desc: f.OutcomeEvidence, Types: []string{f.Threat}, FirstSeenTime: first, LastSeenTime: last,
			Analytic: ocsfAnalytic{TypeID: 1, Type: "Rule", Name: f.Threat},
		},
		Unmapped: ocsfUnmapped{f.Threat, f.Actor.Value, f.Outcome, f.Stages, f.Doubts, f.Missing, f.OWASP, f.CWE, string(r.Verdict)},
	}
	if o.Time == 0 && !opt.Now.IsZero() {
		o.Time = opt.Now.UnixMilli()
	}
	switch f.Severity {
	case "low":
		o.SeverityID, o.Severity = 2, "Low"
	case "medium":
		o.SeverityID, o.Severity = 3, "Medium"
	case "high":
		o.SeverityID, o.Severity = 4, "High"
	case "critical":
		o.SeverityID, o.Severity = 5, "Critical"
	default:
		o.SeverityID, o.Severity = 1, "Informational"
	}
	switch {
	case f.Confidence < 0.4:
		o.ConfidenceID, o.Confidence = 1, "Low"
	case f.Confidence < 0.8:
		o.ConfidenceID, o.Confidence = 2, "Medium"
	default:
		o.ConfidenceID, o.Confidence = 3, "High"
	}
	switch f.Outcome {
	case "blocked":
		o.ActionID, o.Action, o.DispositionID, o.Disposition = 2, "Denied", 2, "Blocked"
	case "succeeded", "likely-succeeded":
		o.ActionID, o.Action, o.DispositionID, o.Disposition = 1, "Allowed", 1, "Allowed"
	default:
		o.Action, o.Disposition = "Unknown", "Unknown"
	}
	for _, a := range f.Attack {
		o.FindingInfo.Attacks = append(o.FindingInfo.Attacks, ocsfAttack{ocsfUID{a}})
	}
	for _, c := range f.CVE {
		o.Vulnerabilities = append(o.Vulnerabilities, ocsfVuln{&ocsfUID{c}})
	}
	if len(f.Advice) > 0 {
		o.Remediation = &ocsfText{f.Advice[0]}
		for _, a := range f.Advice[1:] {
			o.Remediation.Desc += "\n" + a
		}
	}
	var src *ocsfSrc
	var who *ocsfActor
	switch f.Actor.Type {
	case "ip":
		if a, err := netip.ParseAddr(f.Actor.Value); err == nil {
			src = &ocsfSrc{a.String()}
			o.Observables = append(o.Observables, ocsfObserved{"evidences[].src_endpoint.ip", 2, "IP Address", a.String()})
		}
	case "account":
		who = &ocsfActor{ocsfAccount{Name: f.Actor.Value}}
		o.Observables = append(o.Observables, ocsfObserved{"evidences[].actor.user.name", 4, "User Name", f.Actor.Value})
	case "key":
		who = &ocsfActor{ocsfAccount{CredentialUID: f.Actor.Value}}
		o.Observables = append(o.Observables, ocsfObserved{"evidences[].actor.user.credential_uid", 19, "User Credential ID", f.Actor.Value})
	case "cidr":
		o.Observables = append(o.Observables, ocsfObserved{"unmapped.actor", 12, "Subnet", f.Actor.Value})
	}
	for _, t := range f.Targets {
		o.Resources = append(o.Resources, ocsfResource{Type: t.Type, Name: t.Value})
	}
	seen := map[string]bool{}
	for i := range f.Evidence {
		e := &f.Evidence[i]
		o.Evidences = append(o.Evidences, ocsfEvidence{place(e.Source, e.Line), e, src, who})
		if e.Source != "" && !seen[e.Source] {
			seen[e.Source] = true
			o.FindingInfo.DataSources = append(o.FindingInfo.DataSources, e.Source)
		}
		for _, by := range e.By {
			if o.FindingInfo.Analytic.UID == "" {
				o.FindingInfo.Analytic.UID = by
			}
		}
	}
	return o
}

// millis reads a report's time, of UTC where it names no zone; 0 if there is none.
func millis(s string) int64 {
	for _, layout := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMilli()
		}
	}
	return 0
}
