package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// Result is what became of a line.
type Result string

// The results.
const (
	ResultMade    Result = "made"
	ResultUpdated Result = "updated"
	ResultSkipped Result = "skipped"
	ResultRefused Result = "refused"
)

// Outcome is a line of the report: its result, the id of what stands, and a
// remedy where it was refused or skipped.
type Outcome struct {
	No     int     `json:"line"`
	Result Result  `json:"result"`
	ID     string  `json:"id,omitempty"`
	Why    *Remedy `json:"why,omitempty"`
}

// errMoved says that another run of the job took the import a step on.
var errMoved = errors.New("intake: another run has moved the import on")

// Run works what is left of an import, a part per transaction.
func (s *Service) Run(ctx context.Context, file id.Import) error {
	for {
		at, err := find(s.DB.Read(ctx), file, "")
		if err != nil || at.Status == StatusDone {
			return err
		}
		as, err := at.behalf(ctx)
		if err != nil {
			return err
		}
		err = community.Again(func() error {
			return s.DB.Tx(as, func(tx *database.Tx) error { return s.partTx(tx, at) })
		})
		if err != nil && !errors.Is(err, errMoved) {
			return err
		}
		database.KillPoint("intake:part")
	}
}

// partTx works the next part and empties it.
func (s *Service) partTx(tx *database.Tx, at Import) error {
	m, err := find(tx.DB, at.ID, tx.Dialect.ForUpdate)
	switch {
	case err != nil:
		return err
	case m.NextPart != at.NextPart || m.Status != StatusRunning:
		return errMoved
	}
	lines, err := s.openPart(tx.DB, m)
	if err != nil {
		return err
	}
	out := make([]Outcome, len(lines))
	for i, l := range lines {
		out[i] = Outcome{No: l.No, Result: ResultRefused, Why: l.Bad}
		if l.Skip != nil {
			out[i].Result, out[i].Why = ResultSkipped, l.Skip
		}
	}
	if err := s.work(tx, m.Kind, lines, out); err != nil {
		return err
	}
	report, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("intake: report of %s: %w", m.ID, err)
	}
	if err := tx.Exec("UPDATE import_parts SET sealed = ?, report = ? WHERE import_id = ? AND part = ?", []byte{}, report, m.ID, m.NextPart).Error; err != nil {
		return fmt.Errorf("intake: part %d of %s: %w", m.NextPart, m.ID, err)
	}
	n := map[Result]int{}
	for _, o := range out {
		n[o.Result]++
	}
	m.Done += len(lines)
	if m.NextPart+1 == m.Parts {
		m.Status, m.FinishedAt = StatusDone, tx.Now
	}
	err = database.One(tx.Exec(`UPDATE imports SET next_part = next_part + 1, done = ?, made = made + ?, updated = updated + ?, skipped = skipped + ?,
		refused = refused + ?, status = ?, finished_at = ? WHERE id = ?`+tx.Only("next_part = ?"),
		m.Done, n[ResultMade], n[ResultUpdated], n[ResultSkipped], n[ResultRefused], m.Status, m.FinishedAt, m.ID, m.NextPart), errMoved)
	if err != nil {
		return err
	}
	database.KillPoint("intake:worked")
	return database.AuditTx(tx, "import.part", m.ID, nil, map[string]any{"part": m.NextPart, "results": n})
}

func (s *Service) openPart(q *database.Query, m Import) ([]line, error) {
	var sealed []byte
	if err := q.Raw("SELECT sealed FROM import_parts WHERE import_id = ? AND part = ?", m.ID, m.NextPart).Row().Scan(&sealed); err != nil {
		return nil, fmt.Errorf("intake: part %d of %s: %w", m.NextPart, m.ID, err)
	}
	text, err := s.Secrets.Open(secret.PII, sealed, partName(m.ID, m.NextPart))
	if err != nil {
		return nil, fmt.Errorf("intake: part %d of %s: %w", m.NextPart, m.ID, err)
	}
	var lines []line
	if err := json.Unmarshal(text, &lines); err != nil {
		return nil, fmt.Errorf("intake: part %d of %s: %w", m.NextPart, m.ID, err)
	}
	return lines, nil
}

// work writes what the lines say, and into out what became of those that say
// something.
func (s *Service) work(tx *database.Tx, kind Kind, lines []line, out []Outcome) error {
	switch kind {
	case KindGroups:
		return workGroups(tx, lines, out)
	case KindMembers:
		return s.workMembers(tx, lines, out)
	case KindMemberships:
		return s.workStays(tx, lines, out)
	case KindSends:
		return workSends(tx, lines, out)
	}
	return fmt.Errorf("intake: a file of %q", kind)
}

// some are the lines that say something, by what pick gives of them, with
// their places.
func some[T any](lines []line, pick func(line) *T) (list []T, at []int) {
	for i, l := range lines {
		if v := pick(l); v != nil {
			list, at = append(list, *v), append(at, i)
		}
	}
	return list, at
}

func workGroups(tx *database.Tx, lines []line, out []Outcome) error {
	list, at := some(lines, func(l line) *groupIn { return l.G })
	if len(list) == 0 {
		return nil
	}
	done, err := community.PutGroupsTx(tx, list)
	if err != nil {
		return err
	}
	for i, r := range done {
		out[at[i]].settle(r.Result, r.Group.String(), r.Err, "external_id")
	}
	return nil
}

func (s *Service) workMembers(tx *database.Tx, lines []line, out []Outcome) error {
	list, at := some(lines, func(l line) *humanIn { return l.M })
	if len(list) == 0 {
		return nil
	}
	done, err := s.Community.UpsertMembersTx(tx, list)
	if err != nil {
		return err
	}
	for i, r := range done {
		out[at[i]].settle(r.Result, r.Member.String(), r.Err, "mall_id")
	}
	return nil
}

var (
	errGroup = fault.New(fault.KindUnprocessable, "intake.group",
		"没有这个群，或有几个群同名；请先导入群，或改用群的编号", "there is no such group, or several of this name; bring in the groups first, or use the group's id")
	errPerson = fault.New(fault.KindUnprocessable, "intake.member",
		"没有这位会员；请先导入会员", "there is no such member; bring in the members first")
)

func (s *Service) workStays(tx *database.Tx, lines []line, out []Outcome) error {
	list, at := some(lines, func(l line) *stayIn { return l.S })
	groups, err := groupsOf(tx, list, func(x stayIn) string { return x.Group })
	if err != nil {
		return err
	}
	var by []community.Identity
	for _, x := range list {
		if x.Member == 0 {
			by = append(by, x.By)
		}
	}
	people, err := s.Community.ResolveIn(tx.DB, by)
	if err != nil {
		return err
	}
	var stays []community.MembershipOf
	var of []int
	for i, x := range list {
		g, member := groups[x.Group], cmp.Or(x.Member, people[x.By])
		switch {
		case g.ID == 0:
			out[at[i]].refuse(errGroup, "group")
		case member == 0:
			out[at[i]].refuse(errPerson, "mall_id")
		default:
			stays = append(stays, community.MembershipOf{Group: g.ID, MembershipIn: community.MembershipIn{MemberID: member, Role: x.Role, JoinedAt: x.Joined, LeftAt: x.Left}})
			of = append(of, at[i])
		}
	}
	if len(stays) == 0 {
		return nil
	}
	done, err := community.PutStaysTx(tx, stays)
	if err != nil {
		return err
	}
	for i, r := range done {
		out[of[i]].settle(r.Result, r.Member.String(), r.Err, "mall_id")
	}
	return nil
}

func workSends(tx *database.Tx, lines []line, out []Outcome) error {
	list, at := some(lines, func(l line) *sendIn { return l.A })
	groups, err := groupsOf(tx, list, func(x sendIn) string { return x.Group })
	if err != nil {
		return err
	}
	var ads []community.PastAd
	var of []int
	for i, x := range list {
		switch g := groups[x.Group]; {
		case g.ID == 0:
			out[at[i]].refuse(errGroup, "group")
		case x.At >= g.CreatedAt:
			out[at[i]].refuse(community.ErrPastAd, "time")
		default:
			ads, of = append(ads, community.PastAd{GroupID: g.ID, At: x.At, N: x.N}), append(of, at[i])
		}
	}
	if len(ads) == 0 {
		return nil
	}
	done, err := community.PutPastAdsTx(tx, ads)
	if err != nil {
		return err
	}
	for i, r := range done {
		out[of[i]].settle(r, ads[i].GroupID.String(), nil, "")
	}
	return nil
}

// groupsOf finds the groups that the lines name.
func groupsOf[T any](tx *database.Tx, list []T, name func(T) string) (map[string]community.Group, error) {
	seen := map[string]bool{}
	var named []string
	for _, x := range list {
		if n := name(x); !seen[n] {
			seen[n] = true
			named = append(named, n)
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	return community.GroupsNamed(tx.Context(), tx.DB, named)
}

// settle takes the result of a row as community gives it.
func (o *Outcome) settle(r community.RowResult, what string, refused *fault.Fault, field string) {
	switch {
	case refused != nil:
		o.refuse(refused, field)
	case r == community.RowCreated:
		o.Result, o.ID = ResultMade, what
	default:
		o.Result, o.ID = ResultUpdated, what
	}
}

func (o *Outcome) refuse(f *fault.Fault, field string) {
	o.Result = ResultRefused
	if len(f.Fields) > 0 {
		x := f.Fields[0]
		o.Why = &Remedy{x.Name, x.Code, x.ZH, x.EN}
		return
	}
	o.Why = &Remedy{field, f.Code, f.Text("zh"), f.Text("en")}
}
