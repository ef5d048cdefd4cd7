package campaign

import (
	"context"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/task"
)

// ReminderStatus is where a reminder stands.
type ReminderStatus string

// The states of a reminder: waiting until its moment, told by one event, or
// dropped because its member has since refused or is gone.
const (
	ReminderWaiting ReminderStatus = "waiting"
	ReminderTold    ReminderStatus = "told"
	ReminderDropped ReminderStatus = "dropped"
)

// Reminder is a member's wish to be told before a campaign, or one session of
// it, begins.
type Reminder struct {
	ID         id.Reminder    `json:"id"`
	CampaignID id.Campaign    `json:"campaign_id"`
	MemberID   id.Member      `json:"-"`
	SessionAt  clock.Milli    `json:"session_at"`
	DueAt      clock.Milli    `json:"due_at"`
	Status     ReminderStatus `json:"status"`
	CreatedAt  clock.Milli    `json:"created_at" gorm:"autoCreateTime:false"`
	ToldAt     clock.Milli    `json:"told_at"`
}

// TableName is reminders.
func (Reminder) TableName() string { return "reminders" }

// ReminderIn asks for a reminder.
type ReminderIn struct {
	Campaign  id.Campaign `json:"-"`
	Member    id.Member   `json:"-"`
	SessionAt clock.Milli `json:"session_at"` // default the next start
	LeadS     int         `json:"lead_s"`     // default 300
}

// Bounds of a reminder.
const (
	leadDefault  = 300
	leadLeast    = 60
	leadMost     = 86400
	remindLatest = 10 * time.Second // before the start; later the page itself tells
	remindersMax = 200              // a member's list
)

// Validate checks the request.
func (in ReminderIn) Validate() error {
	var c fault.Check
	if in.LeadS != 0 {
		c.Range(int64(in.LeadS), "lead_s", leadLeast, leadMost)
	}
	c.That(in.SessionAt >= 0, "session_at", "range", "请填写场次的开始时间", "must be the start of a session")
	return c.Err()
}

// The refusals of a reminder.
var (
	ErrNoStart = fault.New(fault.KindConflict, "reminder.no_start", "没有可提醒的下一场，请直接参加", "there is no start ahead to be reminded of; take part now")
	ErrTooLate = fault.New(fault.KindConflict, "reminder.too_late", "马上就开始了，请留在本页", "it is about to begin; stay on this page")
)

// Remind notes the member's wish, once per start: asked again it is the same
// reminder, with the lead it was first asked with. Asking is agreeing to this
// one message; whoever refuses marketing_1to1 later is not told.
func (s *Service) Remind(ctx context.Context, in ReminderIn) (id.Reminder, error) {
	if err := in.Validate(); err != nil {
		return 0, err
	}
	if in.LeadS == 0 {
		in.LeadS = leadDefault
	}
	var made id.Reminder
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		member, err := reachable(tx, in.Member)
		if err != nil {
			return err
		}
		if in.SessionAt, err = s.remindable(tx, in); err != nil {
			return err
		}
		row := Reminder{
			ID: id.Reminder(tx.Next()), CampaignID: in.Campaign, MemberID: member, SessionAt: in.SessionAt,
			DueAt: dueAt(in.SessionAt, in.LeadS, tx.Now), Status: ReminderWaiting, CreatedAt: tx.Now,
		}
		err = tx.Exec("INSERT INTO reminders (id, campaign_id, member_id, session_at, due_at, status, created_at, told_at) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
			row.ID, row.CampaignID, row.MemberID, row.SessionAt, row.DueAt, row.Status, row.CreatedAt).Error
		if database.IsDuplicate(err) {
			err = tx.Raw("SELECT id FROM reminders WHERE member_id = ? AND campaign_id = ? AND session_at = ?", member, in.Campaign, in.SessionAt).Scan(&row.ID).Error
		} else if err == nil {
			err = runOnce(tx, remindRun{row.CampaignID, row.SessionAt, row.DueAt})
		}
		made = row.ID
		tx.SetResult("reminder", int64(made), 201)
		return err
	})
	return made, err
}

// reachable is the live member behind the caller; a guest cannot be told.
func reachable(tx *database.Tx, member id.Member) (id.Member, error) {
	live, err := community.FollowMerges(tx.DB, []id.Member{member})
	if err != nil {
		return 0, err
	}
	if into := live[member]; into != 0 {
		member = into
	}
	strong, err := community.StrongIn(tx.DB, []id.Member{member})
	if err == nil && !strong[member] {
		err = ErrIdentity
	}
	return member, err
}

// remindable is the start to be reminded of.
func (s *Service) remindable(tx *database.Tx, in ReminderIn) (clock.Milli, error) {
	var c Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", in.Campaign).Scan(&c).Error; err != nil {
		return 0, err
	}
	if c.ID == 0 || c.Status == StatusDraft {
		return 0, fault.NotFound
	}
	if phase := c.Phase(tx.Now); phase == StatusEnded || phase == StatusCancelled {
		return 0, ErrTransition.With("state", phase)
	}
	if in.SessionAt == 0 {
		next, err := s.nextStart(c, tx.Now)
		if err != nil {
			return 0, err
		}
		if in.SessionAt = next; next == 0 {
			return 0, ErrNoStart
		}
	}
	ok, err := s.startsAt(c, in.SessionAt)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, fault.Invalid.Field("session_at", "no_session", "没有在此时开始的场次，请从活动日历取开始时间", "no session begins then; take a start from the campaign's sessions")
	}
	if in.SessionAt < tx.Now.Add(remindLatest) {
		return 0, ErrTooLate
	}
	return in.SessionAt, nil
}

// dueAt is when the reminder is told: the lead before the start, or, where that
// has passed, within ten seconds, in steps so that latecomers share a task.
func dueAt(session clock.Milli, leadS int, now clock.Milli) clock.Milli {
	const step = clock.Milli(10_000)
	due := session.Add(-time.Duration(leadS) * time.Second)
	return max(due, min(now/step*step+step, session))
}

// runOnce enqueues the task of a moment, unless somebody has.
func runOnce(tx *database.Tx, run remindRun) error {
	var n int
	err := tx.Raw("SELECT COUNT(*) FROM reminder_runs WHERE campaign_id = ? AND session_at = ? AND due_at = ?", run.Campaign, run.Session, run.Due).Scan(&n).Error
	if err != nil || n > 0 {
		return err
	}
	err = tx.Exec("INSERT INTO reminder_runs (campaign_id, session_at, due_at) VALUES (?, ?, ?)", run.Campaign, run.Session, run.Due).Error
	if database.IsDuplicate(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return task.EnqueueTx(tx, run, run.Due)
}

// Forget takes the member's waiting reminders of the campaign back, or only
// the one of a session; what was told stays told.
func (s *Service) Forget(ctx context.Context, cid id.Campaign, session clock.Milli) error {
	if _, err := s.FindCampaign(ctx, cid); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		members, err := claimersOf(tx.DB, tx.Actor.Member)
		if err != nil {
			return err
		}
		cond, args := "", []any{members, cid, ReminderWaiting}
		if session != 0 {
			cond, args = " AND session_at = ?", append(args, session)
		}
		return tx.Exec("DELETE FROM reminders WHERE member_id IN ? AND campaign_id = ? AND status = ?"+cond, args...).Error
	})
}

// FindReminder is the caller's own reminder.
func (s *Service) FindReminder(ctx context.Context, rid id.Reminder) (Reminder, error) {
	var r Reminder
	if err := s.DB.Read(ctx).Raw("SELECT * FROM reminders WHERE id = ?", rid).Scan(&r).Error; err != nil {
		return r, err
	}
	if r.ID == 0 {
		return r, fault.NotFound
	}
	return r, nil
}

// ListReminders are the caller's own reminders of the campaign, by start.
func (s *Service) ListReminders(ctx context.Context, cid id.Campaign) ([]Reminder, error) {
	if _, err := s.FindCampaign(ctx, cid); err != nil {
		return nil, err
	}
	return s.reminders(ctx, database.ActorOf(ctx).Member, " AND campaign_id = ?", cid)
}

// RemindersOf are all of a member's reminders, the newest of them first, for
// his export.
func (s *Service) RemindersOf(ctx context.Context, member id.Member) ([]Reminder, error) {
	return s.reminders(ctx, member, "")
}

func (s *Service) reminders(ctx context.Context, member id.Member, cond string, args ...any) ([]Reminder, error) {
	q := s.DB.Read(ctx)
	members, err := claimersOf(q, member)
	if err != nil {
		return nil, err
	}
	rows := []Reminder{}
	err = q.Raw("SELECT * FROM reminders WHERE member_id IN ?"+cond+" ORDER BY session_at DESC, id DESC LIMIT ?",
		append(append([]any{members}, args...), remindersMax)...).Scan(&rows).Error
	return rows, err
}

// moveReminders hands a merged member's reminders to the member he became.
// Where both had one of the same start, only that of the member who stays is
// told.
func moveReminders(tx *database.Tx, from, into id.Member) (int, error) {
	var rows, theirs []Reminder
	if err := tx.Raw("SELECT * FROM reminders WHERE member_id = ? LIMIT ?", from, mergeMax+1).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return 0, err
	}
	if len(rows) > mergeMax {
		return 0, ErrMergeTooLarge.With("rows", len(rows))
	}
	if err := tx.Raw("SELECT * FROM reminders WHERE member_id = ?", into).Scan(&theirs).Error; err != nil {
		return 0, err
	}
	type start struct {
		campaign id.Campaign
		at       clock.Milli
	}
	has := map[start]bool{}
	for _, r := range theirs {
		has[start{r.CampaignID, r.SessionAt}] = true
	}
	for _, r := range rows {
		do := "UPDATE reminders SET member_id = ? WHERE id = ?"
		if has[start{r.CampaignID, r.SessionAt}] {
			do = "DELETE FROM reminders WHERE member_id <> ? AND id = ?"
		}
		if err := tx.Exec(do, into, r.ID).Error; err != nil {
			return 0, err
		}
	}
	return len(rows), nil
}
