package invite

import (
	"context"
	"fmt"
	"slices"

	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// How many codes are looked at together, and how many invitees one
// transaction judges.
const (
	codesAtOnce    = 50
	inviteesAtOnce = 100
)

// invitee is a row of the table.
type invitee struct {
	ID         int64
	CampaignID id.Campaign
	InviteeID  id.Member
	InviterID  id.Member
	BindingID  id.Binding
	Void       bool
	Stayed     bool
	StaysAt    clock.Milli
	Bought     bool
	BoughtAt   clock.Milli
	Outcome    Outcome
	JudgedAt   clock.Milli
}

// TableName is the table's.
func (invitee) TableName() string { return "invitees" }

// walk judges everybody whom the campaign's codes brought.
func (s *Service) walk(ctx context.Context, c campaign.Campaign, r Rules) error {
	q := s.DB.Read(ctx)
	for code := id.Code(0); ; {
		codes, err := referral.CodesOf(q, c.ID, code, codesAtOnce)
		if err != nil || len(codes) == 0 {
			return err
		}
		for after := id.Binding(0); ; {
			page, err := referral.BroughtBy(q, codes, after, inviteesAtOnce)
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			err = s.DB.Tx(ctx, func(tx *database.Tx) error { return s.judgeTx(tx, c, r, page) })
			if err != nil {
				return err
			}
			after = page[len(page)-1].BindingID
		}
		code = codes[len(codes)-1]
	}
}

// judgeTx writes what the invitees of a page amount to now and counts anew for
// every inviter whom that touches.
func (s *Service) judgeTx(tx *database.Tx, c campaign.Campaign, r Rules, page []referral.Brought) error {
	run, err := lockRun(tx, c.ID)
	if err != nil {
		return err
	}
	end := run.end(c)
	page = slices.DeleteFunc(slices.Clone(page), func(b referral.Brought) bool { return b.BoundAt < c.StartsAt })
	if len(page) == 0 {
		return nil
	}
	members, bindings := make([]id.Member, len(page)), make([]id.Binding, len(page))
	for i, b := range page {
		members[i], bindings[i] = b.InviteeID, b.BindingID
	}
	stays, err := community.StaysOf(tx.DB, members)
	if err != nil {
		return err
	}
	orders, err := campaign.PaidBy(tx.DB, members)
	if err != nil {
		return err
	}
	var known []invitee
	err = tx.Raw("SELECT * FROM invitees WHERE campaign_id = ? AND invitee_id IN ? UNION SELECT * FROM invitees WHERE campaign_id = ? AND binding_id IN ?",
		c.ID, members, c.ID, bindings).Scan(&known).Error
	if err != nil {
		return fmt.Errorf("invite: invitees: %w", err)
	}
	touched := map[id.Member]bool{}
	book := newBook(known)
	// Who came as it ended does not count, nor what he was judged to be before
	// that was seen.
	page = slices.DeleteFunc(page, func(b referral.Brought) bool { return b.BoundAt >= end && book.byBinding[b.BindingID].ID == 0 })
	// Void ones first: they make room for those that stand.
	page = append(keep(page, true), keep(page, false)...)
	for _, b := range page {
		v := Judge(Deeds{b.BoundAt, b.Until, b.GroupID, stays[b.InviteeID], orders[b.InviteeID]}, r.StayDays, end, tx.Now)
		if err := book.note(tx, c.ID, b, v, touched); err != nil {
			return err
		}
	}
	return countTx(tx, c, r, run, touched)
}

// keep are those of the page that are void, or that are not.
func keep(page []referral.Brought, void bool) []referral.Brought {
	return slices.DeleteFunc(slices.Clone(page), func(b referral.Brought) bool { return b.Void != void })
}

// book is what is on record of a page's invitees.
type book struct {
	byBinding map[id.Binding]invitee
	byMember  map[id.Member]invitee
}

func newBook(known []invitee) book {
	b := book{map[id.Binding]invitee{}, map[id.Member]invitee{}}
	for _, x := range known {
		b.put(x)
	}
	return b
}

func (b book) put(x invitee) { b.byBinding[x.BindingID], b.byMember[x.InviteeID] = x, x }

// note writes one verdict. The first binding of a campaign that was not void
// speaks for its invitee; another one of his counts for nobody. Who stayed long
// enough has done so for good, and an outcome is final.
func (b book) note(tx *database.Tx, c id.Campaign, in referral.Brought, v Verdict, touched map[id.Member]bool) error {
	was, known := b.byBinding[in.BindingID]
	before := was // what this binding itself was judged to be
	if other, taken := b.byMember[in.InviteeID]; taken && other.BindingID != in.BindingID {
		switch {
		case in.Void || !other.Void:
			if !known {
				return nil
			}
			void := was // a merge made one person of two
			void.Void = true
			return b.write(tx, was, void, touched)
		case !known:
			was, known = other, true // his row is taken over, not what it counted for
		default:
			touched[other.InviterID] = true
			if err := tx.Exec("DELETE FROM invitees WHERE id = ?", other.ID).Error; err != nil {
				return err
			}
		}
	}
	next := invitee{
		ID: was.ID, CampaignID: c, InviteeID: in.InviteeID, InviterID: in.InviterID, BindingID: in.BindingID, Void: in.Void,
		Stayed: v.Stayed || before.Stayed, StaysAt: v.StaysAt, Bought: v.Bought, BoughtAt: v.BoughtAt,
		Outcome: v.Outcome, JudgedAt: before.JudgedAt,
	}
	if before.Stayed {
		next.StaysAt = before.StaysAt
	}
	switch {
	case before.ID != 0 && before.Outcome != OutcomeOpen:
		next.Outcome = before.Outcome
	case next.Outcome != OutcomeOpen:
		next.JudgedAt = tx.Now
	}
	if !known {
		next.ID = tx.Next()
		touched[next.InviterID] = true
		b.put(next)
		return tx.Create(&next).Error
	}
	return b.write(tx, was, next, touched)
}

func (b book) write(tx *database.Tx, was, next invitee, touched map[id.Member]bool) error {
	if was == next {
		return nil
	}
	touched[was.InviterID], touched[next.InviterID] = true, true
	b.put(next)
	return tx.Exec(`UPDATE invitees SET invitee_id = ?, inviter_id = ?, binding_id = ?, void = ?, stayed = ?, stays_at = ?,
			bought = ?, bought_at = ?, outcome = ?, judged_at = ? WHERE id = ?`,
		next.InviteeID, next.InviterID, next.BindingID, next.Void, next.Stayed, next.StaysAt,
		next.Bought, next.BoughtAt, next.Outcome, next.JudgedAt, next.ID).Error
}
