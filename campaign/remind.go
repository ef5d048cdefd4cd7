package campaign

import (
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// eventReminder is sent once per reminder; the mall passes it on to its member.
const eventReminder webhook.Type = "campaign.reminder"

// remindBatch is how many are told in one transaction: each is an event and a
// notice, and a delivery with its task of both for every webhook that wants it.
const remindBatch = 40

// remindRun tells everybody who is due for one start of a campaign.
type remindRun struct {
	Campaign id.Campaign `json:"campaign"`
	Session  clock.Milli `json:"session"`
	Due      clock.Milli `json:"due"`
}

// Kind names the task.
func (remindRun) Kind() string { return "campaign:remind" }

// remind tells one batch and enqueues the next. After the last it looks once
// more when the campaign begins, for those whose wish was committed while it
// ran; a wish is refused so shortly before the start that none comes later.
func (s *Service) remind(tx *database.Tx, a remindRun) error {
	var c Campaign
	if err := tx.Raw("SELECT * FROM campaigns WHERE id = ?", a.Campaign).Scan(&c).Error; err != nil || c.ID == 0 {
		return err
	}
	if err := readFaces(tx.DB, &c); err != nil {
		return err
	}
	var due []Reminder
	err := tx.Raw("SELECT * FROM reminders WHERE campaign_id = ? AND session_at = ? AND status = ? AND due_at <= ? ORDER BY id LIMIT ?"+tx.Dialect.ForUpdate,
		a.Campaign, a.Session, ReminderWaiting, tx.Now, remindBatch).Scan(&due).Error
	if err != nil {
		return err
	}
	if len(due) == 0 {
		if a.Due < a.Session && tx.Now < a.Session {
			return runOnce(tx, remindRun{a.Campaign, a.Session, a.Session})
		}
		return nil
	}
	state, err := s.stateAt(c, a.Session, tx.Now)
	if err != nil {
		return err
	}
	if err := tellBatch(tx, c, state, due); err != nil {
		return err
	}
	return task.EnqueueTx(tx, a, tx.Now)
}

// stateStarting is what a reminder of a start that stands says.
const stateStarting = "starting"

// stateAt is what a reminder says of the start: starting, or why it is not.
func (s *Service) stateAt(c Campaign, session, now clock.Milli) (string, error) {
	switch phase := c.Phase(now); phase {
	case StatusPaused, StatusCancelled, StatusEnded:
		return string(phase), nil
	}
	ok, err := s.startsAt(c, session)
	if err != nil || ok {
		return stateStarting, err
	}
	return string(StatusEnded), nil // its end was moved before this start
}

// tellBatch marks the reminders and publishes one event for each that may be told.
func tellBatch(tx *database.Tx, c Campaign, state string, due []Reminder) error {
	ids := make([]id.Reminder, len(due))
	members := make([]id.Member, len(due))
	for i, r := range due {
		ids[i], members[i] = r.ID, r.MemberID
	}
	silent, err := refusedSince(tx.DB, members, due)
	if err != nil {
		return err
	}
	begins, err := community.NoticeTime(due[0].SessionAt, c.Zone)
	if err != nil {
		return err
	}
	var dropped []id.Reminder
	for _, r := range due {
		if silent[r.ID] {
			dropped = append(dropped, r.ID)
			continue
		}
		err := webhook.PublishTx(tx, eventReminder, map[string]any{
			"id": r.ID, "campaign_id": c.ID, "member_id": r.MemberID, "kind": c.Kind, "name": c.Name,
			"session_at": r.SessionAt, "state": state, "texts": map[string]any{"zh": c.Texts.ZH.Title, "en": c.Texts.EN.Title},
		})
		if err == nil && state == stateStarting {
			err = community.NoticeTx(tx, community.Notice{
				Member: r.MemberID, Name: community.NoticeCampaignSoon, Fact: r.ID.String(),
				Params: map[string]string{"campaign": c.Name, "starts": begins},
			})
		}
		if err != nil {
			return err
		}
	}
	if err := tx.Exec("UPDATE reminders SET status = ?, told_at = ? WHERE id IN ?", ReminderTold, tx.Now, ids).Error; err != nil || len(dropped) == 0 {
		return err
	}
	return tx.Exec("UPDATE reminders SET status = ? WHERE id IN ?", ReminderDropped, dropped).Error
}

// refusedSince are the reminders whose members are gone, or have refused
// messages to themselves after they asked for this one.
func refusedSince(q *database.Query, members []id.Member, due []Reminder) (map[id.Reminder]bool, error) {
	known, err := community.StrongIn(q, members)
	if err != nil {
		return nil, err
	}
	refused, err := community.RefusedAt(q, community.PurposeMarketing, members)
	if err != nil {
		return nil, err
	}
	out := map[id.Reminder]bool{}
	for _, r := range due {
		if at, no := refused[r.MemberID]; !known[r.MemberID] || no && at >= r.CreatedAt {
			out[r.ID] = true
		}
	}
	return out, nil
}
