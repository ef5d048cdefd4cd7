package gate

import (
	"context"
	"encoding/json"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// Status is where an application stands.
type Status string

// The statuses. The first three are open.
const (
	StatusFee       Status = "fee_due"
	StatusReview    Status = "review"
	StatusWaiting   Status = "waiting"
	StatusAdmitted  Status = "admitted"
	StatusRefused   Status = "refused"
	StatusWithdrawn Status = "withdrawn"
)

// Words name the state.
func (s Status) Words() (zh, en string) {
	return map[Status]string{StatusFee: "待付费", StatusReview: "待审核", StatusWaiting: "候补中", StatusAdmitted: "已通过", StatusRefused: "未通过", StatusWithdrawn: "已撤回"}[s], string(s)
}

func statuses() []string {
	return []string{string(StatusFee), string(StatusReview), string(StatusWaiting), string(StatusAdmitted), string(StatusRefused), string(StatusWithdrawn)}
}

// open says that the application still waits for something.
func (s Status) open() bool { return s == StatusFee || s == StatusReview || s == StatusWaiting }

// Application is somebody who wants into a group.
type Application struct {
	ID             id.Application    `json:"id"`
	GroupID        id.Group          `json:"group_id"`
	MemberID       id.Member         `json:"member_id"`
	Status         Status            `json:"status"`
	CharterVersion int               `json:"charter_version"`
	Region         string            `json:"region"`
	Answers        map[string]string `json:"answers" gorm:"-"`
	Reason         string            `json:"reason"` // why it was refused
	Fee            money.Amount      `json:"fee_fen"`
	Paid           money.Amount      `json:"paid_fen"`
	Ahead          int               `json:"ahead" gorm:"-"` // of a waiting one, how many wait before it; read by Find alone
	WaitedAt       clock.Milli       `json:"waited_at"`
	CreatedAt      clock.Milli       `json:"created_at"`
	DecidedAt      clock.Milli       `json:"decided_at"`

	review  bool // somebody looks at it once the fee is paid
	answers string
}

const applicationColumns = "id, group_id, member_id, status, charter_version, region, answers, reason, fee, paid, looked, waited_at, created_at, decided_at"

// What this room tells webhooks; docs/events.md says when.
const (
	eventFeeDue    webhook.Type = "application.fee_due"
	eventWaiting   webhook.Type = "application.waiting"
	eventAdmitted  webhook.Type = "application.admitted"
	eventRefused   webhook.Type = "application.refused"
	eventFeeReturn webhook.Type = "application.fee_return"
)

var told = map[Status]webhook.Type{StatusFee: eventFeeDue, StatusWaiting: eventWaiting, StatusAdmitted: eventAdmitted, StatusRefused: eventRefused}

// tell publishes where the application stands, without what he said of himself.
func tell(tx *database.Tx, a Application) error {
	event, ok := told[a.Status]
	if !ok {
		return nil
	}
	return webhook.PublishTx(tx, event, a.fact())
}

func (a Application) fact() map[string]any {
	return map[string]any{"id": a.ID, "group_id": a.GroupID, "member_id": a.MemberID, "status": a.Status, "fee_fen": a.Fee, "paid_fen": a.Paid}
}

// read reads applications by a condition.
func read(q *database.Query, cond string, args ...any) ([]Application, error) {
	var rows []struct {
		Application
		Looked     int
		AnswerText string `gorm:"column:answers"`
	}
	if err := q.Raw("SELECT "+applicationColumns+" FROM applications WHERE "+cond, args...).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("gate: applications: %w", err)
	}
	out := make([]Application, len(rows))
	for i, r := range rows {
		a := r.Application
		a.review, a.answers = r.Looked != 0, r.AnswerText
		if err := json.Unmarshal([]byte(r.AnswerText), &a.Answers); err != nil {
			return nil, fmt.Errorf("gate: answers of %s: %w", a.ID, err)
		}
		out[i] = a
	}
	return out, nil
}

func one(q *database.Query, application id.Application, lock string) (Application, error) {
	list, err := read(q, "id = ?"+lock, application)
	if err == nil && len(list) == 0 {
		err = fault.NotFound
	}
	if err != nil {
		return Application{}, err
	}
	return list[0], nil
}

// may says whether the actor may see the application: his own, or one to a
// group he sees.
func may(ctx context.Context, q *database.Query, a Application) error {
	actor := database.ActorOf(ctx)
	switch actor.Kind {
	case database.ActorMember, database.ActorGuest:
		if a.MemberID != actor.Member {
			return fault.NotFound
		}
		return nil
	}
	_, err := seen(ctx, q, a.GroupID)
	return err
}

// FindApplication reads an application with its place in the line.
func (s *Service) FindApplication(ctx context.Context, application id.Application) (Application, error) {
	q := s.DB.Read(ctx)
	a, err := one(q, application, "")
	if err != nil {
		return a, err
	}
	if err := may(ctx, q, a); err != nil {
		return Application{}, err
	}
	return s.placed(q, a)
}

// placed counts who waits before a waiting application.
func (s *Service) placed(q *database.Query, a Application) (Application, error) {
	if a.Status != StatusWaiting {
		return a, nil
	}
	err := q.Raw("SELECT COUNT(*) FROM applications WHERE group_id = ? AND status = ? AND (waited_at < ? OR waited_at = ? AND id < ?)",
		a.GroupID, StatusWaiting, a.WaitedAt, a.WaitedAt, a.ID).Scan(&a.Ahead).Error
	if err != nil {
		return a, fmt.Errorf("gate: line of %s: %w", a.GroupID, err)
	}
	return a, nil
}

// Mine is the member's newest application to a group, if any.
func (s *Service) Mine(ctx context.Context, group id.Group, member id.Member) (Application, bool, error) {
	q := s.DB.Read(ctx)
	list, err := read(q, "group_id = ? AND member_id = ? ORDER BY id DESC LIMIT 1", group, member)
	if err != nil || len(list) == 0 {
		return Application{}, false, err
	}
	a, err := s.placed(q, list[0])
	return a, true, err
}

// ListApplications lists a group's applications, newest first; status "" lists
// all.
func (s *Service) ListApplications(ctx context.Context, group id.Group, status Status, page database.Page) (database.Paged[Application], error) {
	var c fault.Check
	c.OneOf(string(status), "status", append(statuses(), "")...)
	if err := c.Err(); err != nil {
		return database.Paged[Application]{}, err
	}
	q := s.DB.Read(ctx)
	if _, err := seen(ctx, q, group); err != nil {
		return database.Paged[Application]{}, err
	}
	list, err := read(q, "group_id = ? AND id < ? AND (? = '' OR status = ?) ORDER BY id DESC LIMIT ?", group, page.Bound(), status, status, page.Fetch())
	if err != nil {
		return database.Paged[Application]{}, err
	}
	return database.Cut(page, list, func(a Application) int64 { return int64(a.ID) }), nil
}

// decideMost bounds a list of applications that wait for a word.
const decideMost = 100

// ListToDecide lists the applications in review to some groups, of those that
// the actor sees, the oldest first.
func (s *Service) ListToDecide(ctx context.Context, groups []id.Group) ([]Application, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	actor := database.ActorOf(ctx)
	within, args := actor.Within("unit_id")
	own, mine := community.OwnGroups(actor, "id")
	args = append(append([]any{StatusReview, groups}, args...), mine...)
	return read(s.DB.Read(ctx), "status = ? AND group_id IN ? AND group_id IN (SELECT id FROM chat_groups WHERE 1 = 1"+within+own+") ORDER BY id LIMIT ?",
		append(args, decideMost)...)
}
