package referral

import (
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Fee says that the side is paid for its own work: opening a team, owning the
// group of a code, being a KOC of it. Nobody is paid for anybody else's.
func (s Side) Fee() bool { return s == SideOpener || s == SideGroupOwner || s == SideKOC }

func sides() []string {
	return []string{string(SideInviter), string(SideInvitee), string(SideOpener), string(SideGroupOwner), string(SideKOC)}
}

// checkFee refuses fees for what is nobody's work.
func (r Rules) checkFee(c *fault.Check, p Promise, at string) {
	if !p.To.Fee() {
		return
	}
	c.That(!r.Trigger.WithoutOrder(), at+"to", "conflict", "服务费需要订单，请换用订单触发条件", "a service fee hangs on an order; use a trigger with one")
	c.That(p.To != SideOpener || p.Mode == ModeFixed, at+"mode", "conflict", "开团服务费每团一笔，只能是固定数额", "an opener's fee is one for each team, so it is fixed")
}

// pays says whether the rules promise anything to a side.
func (r Rules) pays(s Side) bool {
	for _, p := range r.Rewards {
		if p.To == s {
			return true
		}
	}
	return false
}

// workersTx finds whose work an order of an invitation is beside the two: the
// owner of the group that its code names, and whether the inviter is a KOC of
// it. Roles are those of the moment. Nobody is paid a fee for what he buys.
func workersTx(tx *database.Tx, rules Rules, f *OrderFact, group id.Group, inviter, invitee id.Member) (owner id.Member, err error) {
	if group == 0 {
		return 0, nil
	}
	if rules.pays(SideKOC) {
		if f.InviterKOC, err = community.HoldsRole(tx.DB, group, inviter, community.RoleKOC); err != nil {
			return 0, err
		}
	}
	if !rules.pays(SideGroupOwner) {
		return 0, nil
	}
	if owner, err = community.OwnerOf(tx.DB, group); err != nil || owner == 0 || owner == invitee {
		return 0, err
	}
	f.Owned = true
	strong, err := community.StrongIn(tx.DB, []id.Member{owner})
	f.OwnerStrong = strong[owner]
	return owner, err
}

// OpenedTeam is a team that formed, by the order of who opened it. Refunded is
// what came back of that order's goods until now, Peers at most PeersMost of
// those who paid beside him.
type OpenedTeam struct {
	PaidOrder
	Team     id.Team
	OpenedAt clock.Milli
	Refunded money.Amount
	Peers    []id.Member
}

// OpenerPromise is the version of a program that promised its opener a fee when
// a team was opened: the newest of that moment. 0 says that none did.
func OpenerPromise(q *database.Query, p id.Program, openedAt clock.Milli) (int, error) {
	if p == 0 {
		return 0, nil
	}
	var number int
	err := q.Raw("SELECT COALESCE(MAX(number), 0) FROM program_versions WHERE program_id = ? AND created_at <= ?", p, openedAt).Scan(&number).Error
	if err != nil || number == 0 {
		return 0, err
	}
	rules, err := rulesOf(q, p, number)
	if err != nil || !rules.pays(SideOpener) {
		return 0, err
	}
	return number, nil
}

// OpenedTx writes the fee of who opened a team that formed, once for the team.
// It rests on his own order, whose refunds take their share of it back.
func OpenedTx(tx *database.Tx, t OpenedTeam) error {
	if t.Goods <= 0 {
		return nil
	}
	rules, err := rulesOf(tx.DB, t.Frozen.Program, t.Frozen.Version)
	if err != nil {
		return err
	}
	today, strong, err := community.TodayIn(tx.DB, []id.Member{t.Invitee})
	opener := today[t.Invitee]
	if err != nil || opener == 0 {
		return err
	}
	fact := TeamFact(t.Team)
	var paid int
	err = tx.Raw("SELECT COUNT(*) FROM rewards WHERE program_id = ? AND program_version = ? AND fact = ?", t.Frozen.Program, t.Frozen.Version, fact).Scan(&paid).Error
	if err != nil || paid > 0 {
		return err
	}
	if err := keepPeersTx(tx, fact, t.Peers); err != nil {
		return err
	}
	err = earnTx(tx, rules, act{
		PaidOrder: t.PaidOrder, fact: fact, maturesAt: rules.maturesUnreceived(t.PaidAt), to: map[Side]id.Member{SideOpener: opener},
	}, rules.ownWork(SideOpener, t.Goods, strong[opener]))
	if err != nil || t.Refunded == 0 {
		return err
	}
	return lostTx(tx, t.Order, "formed", t.Refunded)
}

// TeamFact names a team that formed as what its opener is paid for.
func TeamFact(t id.Team) string { return fmt.Sprint("team:", t) }
