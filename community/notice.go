package community

import (
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/english"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/webhook"
)

// eventNotice tells a channel what a member should be told.
const eventNotice webhook.Type = "notice.due"

// Notice is something a member should be told, once per fact.
type Notice struct {
	Member id.Member
	Name   NoticeName
	Fact   string            // an order, a refund, a reward, a campaign
	Params map[string]string // of the template's placeholders
}

// NoticesHeard says whether anybody delivers notices, so that a caller need
// not gather what nobody is told.
func NoticesHeard(q *database.Query) (bool, error) { return webhook.Wanted(q, eventNotice) }

// NoticeTx tells a webhook what the member should be told, with its texts, in
// the transaction of the fact. The unique key makes it once. Siyu keeps no
// phone numbers and sends nothing itself: the mall or a channel delivers. A
// member who withdrew his consent to marketing hears only of his own orders.
func NoticeTx(tx *database.Tx, n Notice) error {
	if heard, err := NoticesHeard(tx.DB); err != nil || !heard {
		return err
	}
	t, err := noticeTemplate(tx.DB, n.Name)
	if err != nil {
		return err
	}
	people, err := FollowMerges(tx.DB, []id.Member{n.Member})
	if err != nil {
		return err
	}
	who := people[n.Member]
	var status MemberStatus
	if err := tx.Raw("SELECT status FROM members WHERE id = ?", who).Scan(&status).Error; err != nil || status != MemberActive {
		return err // nobody is there to be told
	}
	if t.Marketing {
		if barred, err := refusesMarketing(tx.DB, who); err != nil || barred {
			return err
		}
	}
	row := id.Notice(tx.Next())
	err = tx.Exec("INSERT INTO notices (id, member_id, template, fact, created_at) VALUES (?, ?, ?, ?, ?)", row, who, n.Name, n.Fact, tx.Now).Error
	switch {
	case database.IsDuplicate(err):
		return nil
	case err != nil:
		return fmt.Errorf("community: notice %s of %s: %w", n.Name, n.Fact, err)
	}
	for _, p := range t.Placeholders {
		if _, ok := n.Params[p]; !ok {
			return fault.Internal.Wrap(fmt.Errorf("community: notice %s lacks {%s}", n.Name, p))
		}
	}
	return webhook.PublishTx(tx, eventNotice, map[string]any{
		"id": row, "member_id": who, "template": n.Name, "template_version": t.Version, "fact": n.Fact,
		"text_zh": render(t.TextZH, n.Params), "text_en": english.One(render(t.TextEN, n.Params)), "params": n.Params, "channels": t.Channels,
	})
}

// refusesMarketing says whether the member's last word on marketing was no.
func refusesMarketing(q *database.Query, m id.Member) (bool, error) {
	list, err := Consents(q, m)
	for _, c := range list {
		if c.Purpose == PurposeMarketing && !c.Granted {
			return true, err
		}
	}
	return false, err
}

// NoticeAmount shows fen as yuan.
func NoticeAmount(a money.Amount) string { return fmt.Sprintf("%d.%02d", int64(a)/100, int64(a)%100) }

// NoticeTime shows a time in its zone.
func NoticeTime(at clock.Milli, zone string) (string, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return "", err
	}
	return at.Time().In(loc).Format("2006-01-02 15:04"), nil
}
