package campaign

import (
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/money"
)

// NoticeTx has the member of an order told of something, if anybody delivers
// notices. Amount is what the template speaks of.
func NoticeTx(tx *database.Tx, name community.NoticeName, o Order, fact string, amount money.Amount) error {
	if heard, err := community.NoticesHeard(tx.DB); err != nil || !heard {
		return err
	}
	var c Campaign
	if err := tx.Raw("SELECT id, name, zone FROM campaigns WHERE id = ?", o.CampaignID).Scan(&c).Error; err != nil {
		return err
	}
	deadline, err := community.NoticeTime(o.DeadlineAt, c.Zone)
	if err != nil {
		return err
	}
	return community.NoticeTx(tx, community.Notice{Member: o.MemberID, Name: name, Fact: fact, Params: map[string]string{
		"campaign": c.Name, "order_id": o.ID.String(), "amount": community.NoticeAmount(amount), "deadline": deadline,
	}})
}
