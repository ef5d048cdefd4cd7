package referral

import (
	"fmt"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// WeighStay asks whether an invitee has done what his invitation's version
// wants of him in the days after it: stayed in the group, or been active.
type WeighStay struct {
	Binding id.Binding `json:"binding"`
}

// Kind names the task.
func (WeighStay) Kind() string { return "referral:weigh_stay" }

// awaitTx plans the look at an invitee who earns without an order.
func awaitTx(tx *database.Tx, b binding, rules Rules) error {
	if !rules.Trigger.WithoutOrder() {
		return nil
	}
	return task.EnqueueTx(tx, WeighStay{b.ID}, tx.Now.Add(days(rules.Terms.Days)))
}

// weighStayTx looks once at the end of the days. Who joined later than he was
// invited is looked at again when his own days are over, if the invitation
// still lives then; who has left by then earns nothing.
func weighStayTx(tx *database.Tx, a WeighStay) error {
	b, err := lockStanding(tx, a.Binding)
	if err != nil || b.ID == 0 {
		return err
	}
	rules, err := rulesOf(tx.DB, b.ProgramID, b.ProgramVersion)
	if err != nil {
		return err
	}
	since, err := community.InSince(tx.DB, b.InviteeID, b.GroupID)
	if err != nil || since == 0 {
		return err
	}
	if rules.Trigger == TriggerStayed {
		switch due := since.Add(days(rules.Terms.Days)); {
		case since < b.BoundAt.Add(-joinedAhead), due >= b.ExpiresAt && due > tx.Now:
			return nil // he was there before, or joined too late
		case due > tx.Now:
			return task.EnqueueTx(tx, a, due)
		}
	}
	if rules.Trigger == TriggerActivity {
		n, err := community.ActedIn(tx.DB, b.InviteeID, b.GroupID, rules.Terms.Kind, b.BoundAt, b.BoundAt.Add(days(rules.Terms.Days)))
		if err != nil || n < rules.Terms.Count {
			return err
		}
	}
	fact, err := factAround(tx, rules, b.InviterID, b.InviteeID, tx.Now)
	if err != nil {
		return err
	}
	doing, err := b.doing(tx, rules)
	if err != nil {
		return err
	}
	doing.level = fact.InviterLevel
	return earnTx(tx, rules, doing, rules.earned(fact))
}

// joinedAhead is how long before the invitation somebody may have joined by
// it: a channel reports when it likes.
const joinedAhead = time.Hour

// lockStanding locks the invitee and his binding; the zero binding says that
// nothing is to be earned by it: it has ended, or he earned it already, under
// whichever inviter and version.
func lockStanding(tx *database.Tx, which id.Binding) (binding, error) {
	var b binding
	find := func(lock string) error {
		return tx.Raw("SELECT "+bindingColumns+" FROM bindings WHERE id = ? AND live = 0"+lock, which).Scan(&b).Error
	}
	err := find("")
	if err == nil && b.ID != 0 {
		if err = community.LockTx(tx, []id.Member{b.InviteeID}); err == nil {
			b = binding{}
			err = find(tx.Dialect.ForUpdate)
		}
	}
	if err != nil || b.ID == 0 || b.InviterID == b.InviteeID {
		return binding{}, err
	}
	var earned int
	err = tx.Raw("SELECT COUNT(*) FROM rewards WHERE program_id = ? AND fact = ?", b.ProgramID, stayFact(b.InviteeID)).Scan(&earned).Error
	if err != nil || earned > 0 {
		return binding{}, err
	}
	return b, nil
}

func stayFact(m id.Member) string { return "stay:" + m.String() }

// doing is the act of an invitee without an order.
func (b binding) doing(tx *database.Tx, rules Rules) (act, error) {
	a := act{
		fact: stayFact(b.InviteeID), maturesAt: tx.Now.Add(days(rules.HoldDaysAfterReceipt)),
		to: map[Side]id.Member{SideInviter: b.InviterID, SideInvitee: b.InviteeID},
	}
	a.Invitee, a.Frozen = b.InviteeID, Frozen{b.ID, b.InviterID, b.CodeID, b.GroupID, b.ProgramID, b.ProgramVersion}
	err := tx.Raw("SELECT p.unit_id, c.campaign_id FROM programs p, codes c WHERE p.id = ? AND c.id = ?", b.ProgramID, b.CodeID).Row().Scan(&a.Unit, &a.Campaign)
	if err != nil {
		return a, fmt.Errorf("referral: unit and campaign of %s: %w", b.ID, err)
	}
	return a, nil
}

// checkWithoutOrder refuses money and shares for an act that is no purchase.
func (p Promise) checkWithoutOrder(c *fault.Check, i int) {
	at := fmt.Sprintf("rules.rewards[%d].", i)
	c.That(p.pays() != money.CNY, at+"currency", "head_count",
		"按进群、活跃付现金即按人头计酬，禁止传销条例第七条不允许；请用积分或优惠券",
		"money for joining or activity pays by head-count, which art. 7 of the regulation on pyramid selling forbids; use points or coupons")
	c.That(p.Mode == ModeFixed, at+"mode", "conflict", "没有订单，不能按比例", "there is no order to take a share of")
}
