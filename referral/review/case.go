package review

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// State is where a case stands.
type State string

// The states. Moot is a case whose reward came to nothing while it was open,
// by a refund.
const (
	StateOpen    State = "open"
	StatePassed  State = "passed"
	StateRefused State = "refused"
	StateMoot    State = "moot"
)

// Words name the state.
func (s State) Words() (zh, en string) {
	return map[State]string{StateOpen: "待审核", StatePassed: "已放行", StateRefused: "已拒绝", StateMoot: "已无需审核"}[s], string(s)
}

// Finding is what the first person thinks of a case.
type Finding string

// The findings.
const (
	FindPass   Finding = "pass"
	FindRefuse Finding = "refuse"
)

// Case is one reward stopped for a human, or refused by a rule.
type Case struct {
	ID            id.ReviewCase `json:"id"`
	RewardID      id.Reward     `json:"reward_id"`
	UnitID        id.Unit       `json:"unit_id"`
	OrderID       id.Order      `json:"order_id"`
	BeneficiaryID id.Member     `json:"beneficiary_id"`
	InviterID     id.Member     `json:"inviter_id"`
	InviteeID     id.Member     `json:"invitee_id"`
	State         State         `json:"state"`
	PolicyNo      int           `json:"policy_version"`
	Reasons       Reasons       `json:"reasons" gorm:"-"`
	ReasonsText   string        `json:"-" gorm:"column:reasons"` // as they lie in the table
	Note          string        `json:"note"`                    // why a person opened it
	OpenedBy      id.Staff      `json:"opened_by"`
	OpenedAt      clock.Milli   `json:"opened_at"`
	Found         Finding       `json:"found"`
	FoundNote     string        `json:"found_note"`
	FoundBy       id.Staff      `json:"found_by"`
	FoundAt       clock.Milli   `json:"found_at"`
	DecidedNote   string        `json:"decided_note"`
	DecidedBy     id.Staff      `json:"decided_by"`
	DecidedAt     clock.Milli   `json:"decided_at"`
	AlarmedAt     clock.Milli   `json:"alarmed_at"`
}

// TableName is the table's.
func (Case) TableName() string { return "review_cases" }

// Reasons is a list of them, kept as one text.
type Reasons []Reason

// cases reads rows of the table.
func cases(q *database.Query, sql string, args ...any) ([]Case, error) {
	var rows []Case
	if err := q.Raw(sql, args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("review: cases: %w", err)
	}
	for i, c := range rows {
		if err := json.Unmarshal([]byte(c.ReasonsText), &rows[i].Reasons); err != nil {
			return nil, fmt.Errorf("review: reasons of %s: %w", c.ID, err)
		}
	}
	return rows, nil
}

func (l Reasons) text() string {
	b, err := json.Marshal([]Reason(l))
	if err != nil {
		panic(err) // texts and integers only
	}
	return string(b)
}

// MarshalJSON adds the sentence in both languages; none is an empty list.
func (l Reasons) MarshalJSON() ([]byte, error) {
	type worded struct {
		Reason
		ZH string `json:"text_zh"`
		EN string `json:"text_en"`
	}
	out := make([]worded, len(l))
	for i, r := range l {
		out[i] = worded{r, r.Text("zh"), r.Text("en")}
	}
	return json.Marshal(out)
}

// AlarmCase asks whether a case still waits.
type AlarmCase struct {
	Case id.ReviewCase `json:"case"`
}

// Kind names the task.
func (AlarmCase) Kind() string { return "review:alarm_case" }

// Register tells the worker what this room works on.
func (s *Service) Register(r *task.Registry) {
	task.Handle(r, alarmTx)
	task.Every(r, "review:forget_sightings", time.Hour, s.Forget)
}

// OpenTx writes a case for a reward whose row the caller has locked: open for
// people to look at, or refused by a rule at once.
func OpenTx(tx *database.Tx, c Case) error {
	c.ID, c.OpenedAt, c.OpenedBy = id.ReviewCase(tx.Next()), tx.Now, tx.Actor.Staff
	if c.State == StateRefused {
		c.DecidedAt = tx.Now
	}
	err := tx.Exec(`INSERT INTO review_cases (id, reward_id, unit_id, order_id, beneficiary_id, inviter_id, invitee_id, state, policy_no,
			reasons, note, opened_by, opened_at, found, found_note, found_by, found_at, decided_note, decided_by, decided_at, alarmed_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', 0, 0, '', 0, ?, 0)`,
		c.ID, c.RewardID, c.UnitID, c.OrderID, c.BeneficiaryID, c.InviterID, c.InviteeID, c.State, c.PolicyNo,
		c.Reasons.text(), c.Note, c.OpenedBy, c.OpenedAt, c.DecidedAt).Error
	if err != nil {
		return fmt.Errorf("review: case of %s: %w", c.RewardID, err)
	}
	if c.State != StateOpen {
		return publish(tx, eventDecided, c)
	}
	p, err := PolicyNow(tx.DB)
	if err != nil {
		return err
	}
	if err := task.EnqueueTx(tx, AlarmCase{c.ID}, tx.Now.Add(p.alarmAfter())); err != nil {
		return err
	}
	return publish(tx, eventOpened, c)
}

func (p Policy) alarmAfter() time.Duration { return time.Duration(p.AlarmDays) * 24 * time.Hour }

// alarmTx tells of a case that is still open, and asks again later. An alarm
// never decides anything.
func alarmTx(tx *database.Tx, a AlarmCase) error {
	rows, err := cases(tx.DB, "SELECT * FROM review_cases WHERE id = ?"+tx.Dialect.ForUpdate, a.Case)
	if err != nil || len(rows) == 0 || rows[0].State != StateOpen {
		return err
	}
	c := rows[0]
	if err := tx.Exec("UPDATE review_cases SET alarmed_at = ? WHERE id = ?", tx.Now, c.ID).Error; err != nil {
		return err
	}
	p, err := PolicyNow(tx.DB)
	if err != nil {
		return err
	}
	if err := task.EnqueueTx(tx, a, tx.Now.Add(p.alarmAfter())); err != nil {
		return err
	}
	c.AlarmedAt = tx.Now
	return publish(tx, eventOverdue, c)
}

// OfTx is the case of a reward, whose row the caller has locked; its id is 0
// if there is none.
func OfTx(tx *database.Tx, r id.Reward) (Case, error) {
	rows, err := cases(tx.DB, "SELECT * FROM review_cases WHERE reward_id = ?"+tx.Dialect.ForUpdate, r)
	if err != nil || len(rows) == 0 {
		return Case{}, err
	}
	return rows[0], nil
}

// FindTx writes what the first person found. He may change his mind until
// another decides.
func (c Case) FindTx(tx *database.Tx, found Finding, note string) error {
	res := tx.Exec("UPDATE review_cases SET found = ?, found_note = ?, found_by = ?, found_at = ? WHERE id = ?"+tx.Only("state = 'open'"),
		found, note, tx.Actor.Staff, tx.Now, c.ID)
	return database.One(res, ErrState.With("state", c.State))
}

// DecideTx ends an open case by the word of a second person.
func (c Case) DecideTx(tx *database.Tx, to State, note string) error {
	switch {
	case c.State != StateOpen:
		return ErrState.With("state", c.State)
	case tx.Actor.Staff == 0:
		return ErrNotStaff
	case c.Found == "":
		return ErrUnseen
	case c.FoundBy == tx.Actor.Staff:
		return ErrSamePerson
	}
	c.State, c.DecidedNote, c.DecidedBy, c.DecidedAt = to, note, tx.Actor.Staff, tx.Now
	return c.end(tx)
}

// MootTx ends an open case whose reward came to nothing.
func (c Case) MootTx(tx *database.Tx) error {
	c.State, c.DecidedAt = StateMoot, tx.Now
	return c.end(tx)
}

func (c Case) end(tx *database.Tx) error {
	res := tx.Exec("UPDATE review_cases SET state = ?, decided_note = ?, decided_by = ?, decided_at = ? WHERE id = ?"+tx.Only("state = 'open'"),
		c.State, c.DecidedNote, c.DecidedBy, c.DecidedAt, c.ID)
	if err := database.One(res, ErrState.With("state", c.State)); err != nil {
		return err
	}
	return publish(tx, eventDecided, c)
}

// Filter narrows a list of cases; zero fields do not.
type Filter struct {
	State  State
	Member id.Member // inviter or invitee
}

// ListCases lists the cases of the caller's units, oldest first.
func (s *Service) ListCases(ctx context.Context, f Filter, page database.Page) (database.Paged[Case], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	if f.State != "" {
		var c fault.Check
		c.OneOf(string(f.State), "state", string(StateOpen), string(StatePassed), string(StateRefused), string(StateMoot))
		if err := c.Err(); err != nil {
			return database.Paged[Case]{}, err
		}
		cond, args = cond+" AND state = ?", append(args, f.State)
	}
	if f.Member != 0 {
		cond, args = cond+" AND (inviter_id = ? OR invitee_id = ?)", append(args, f.Member, f.Member)
	}
	rows, err := cases(s.DB.Read(ctx), "SELECT * FROM review_cases WHERE id > ?"+cond+" ORDER BY id LIMIT ?",
		append(append([]any{page.Before}, args...), page.Fetch())...)
	if err != nil {
		return database.Paged[Case]{}, err
	}
	return database.Cut(page, rows, func(c Case) int64 { return int64(c.ID) }), nil
}

// FindCase is one case.
func (s *Service) FindCase(ctx context.Context, cid id.ReviewCase) (Case, error) {
	rows, err := cases(s.DB.Read(ctx), "SELECT * FROM review_cases WHERE id = ?", cid)
	if err != nil {
		return Case{}, err
	}
	if len(rows) == 0 || !database.ActorOf(ctx).Sees(rows[0].UnitID) {
		return Case{}, fault.NotFound
	}
	return rows[0], nil
}
