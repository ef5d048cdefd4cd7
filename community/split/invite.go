package split

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// live is who a seat's person is today.
const live = "CASE WHEN x.merged_into <> 0 THEN x.merged_into ELSE x.id END"

// toAsk are the seats of those who are still in the large group, in none of its
// new sub-groups, and have not said no.
const toAsk = ` FROM group_split_seats s JOIN members x ON x.id = s.member_id
	JOIN memberships m ON m.group_id = @group AND m.left_at = 0 AND m.member_id = ` + live + `
	WHERE s.split_id = @split AND s.declined_at = 0 AND NOT EXISTS (SELECT 1 FROM group_split_parts p JOIN memberships o
		ON o.group_id = p.group_id AND o.left_at = 0 AND o.member_id = m.member_id WHERE p.split_id = s.split_id)`

func (s Split) named() map[string]any { return map[string]any{"split": s.ID, "group": s.GroupID} }

// invitesAtOnce bounds a transaction: each of them tells a member.
const invitesAtOnce = 20

// inviteAll invites whoever has a place in an approved proposal and was not
// told yet.
func (s *Service) inviteAll(ctx context.Context, _ clock.Milli) error {
	return s.each(ctx, StatusApproved, func(p Split) error {
		for more := true; more; {
			err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
				more, err = inviteTx(tx, p)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func inviteTx(tx *database.Tx, p Split) (more bool, err error) {
	groups, err := community.LockGroupsTx(tx, p.GroupID)
	if err != nil {
		return false, err
	}
	g := groups[p.GroupID]
	if p, err = one(tx.DB, p.ID); err != nil || p.Status != StatusApproved || g.Status == community.GroupDissolved {
		return false, err
	}
	var people []struct {
		MemberID id.Member
		Part     int
	}
	args := p.named()
	args["most"] = invitesAtOnce
	err = tx.Raw("SELECT s.member_id, s.part"+toAsk+" AND s.invited_at = 0 ORDER BY s.member_id LIMIT @most", args).Scan(&people).Error
	if err != nil {
		return false, fmt.Errorf("split: whom to invite for %s: %w", p.ID, err)
	}
	by, err := community.NoticeTime(p.ByAt, g.Zone)
	if err != nil {
		return false, err
	}
	into := map[id.Group]community.Group{}
	if len(people) > 0 {
		if into, err = community.GroupsIn(tx.DB, p.groups()); err != nil {
			return false, err
		}
	}
	for _, who := range people {
		sub := into[p.Parts[who.Part-1].GroupID]
		if err := tx.Exec("UPDATE group_split_seats SET invited_at = ? WHERE split_id = ? AND member_id = ?", tx.Now, p.ID, who.MemberID).Error; err != nil {
			return false, fmt.Errorf("split: invite: %w", err)
		}
		err := community.NoticeTx(tx, community.Notice{Member: who.MemberID, Name: community.NoticeGroupSplit, Fact: p.ID.String(), Params: map[string]string{
			"group": g.Name, "into": sub.Name, "into_id": sub.ID.String(), "by": by,
		}})
		if err != nil {
			return false, err
		}
	}
	return len(people) == invitesAtOnce, nil
}

func (s Split) groups() (list []id.Group) {
	for _, p := range s.Parts {
		list = append(list, p.GroupID)
	}
	return list
}

// Invitation is a place that a live member was given in an approved proposal:
// From is the large group, Into his sub-group.
type Invitation struct {
	Split id.Split
	From  id.Group
	Into  id.Group
	By    clock.Milli
	Seat  Seat
}

// Invitation is how a live member is invited out of or into a group, if he is:
// he has a place, is in the large group and in none of the sub-groups.
func (s *Service) Invitation(ctx context.Context, member id.Member, group id.Group) (i Invitation, invited bool, err error) {
	q := s.DB.Read(ctx)
	list, err := splits(q, `closed = 0 AND status = ? AND (group_id = ? OR id IN (SELECT split_id FROM group_split_parts WHERE group_id = ?)) ORDER BY id DESC LIMIT 1`,
		StatusApproved, group, group)
	if err != nil || len(list) == 0 {
		return i, false, err
	}
	p := list[0]
	var seats []Seat
	args := p.named()
	args["member"] = member
	err = q.Raw("SELECT s."+seatsOf+toAsk+" AND m.member_id = @member ORDER BY s.member_id LIMIT 1", args).Scan(&seats).Error
	if err != nil || len(seats) == 0 {
		return i, false, err
	}
	if p, err = withParts(q, p); err != nil {
		return i, false, err
	}
	i = Invitation{p.ID, p.GroupID, p.Parts[seats[0].Part-1].GroupID, p.ByAt, seats[0]}
	return i, group == i.From || group == i.Into, nil
}

// Accept is the member's act by which he joins his sub-group, having seen its
// charter; he stays in the large group too.
func (s *Service) Accept(ctx context.Context, split id.Split, member id.Member, charter int) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		p, seat, who, err := asked(tx, split, member)
		if err != nil {
			return err
		}
		return community.AcceptTx(tx, p.Parts[seat.Part-1].GroupID, who, charter)
	})
}

// Decline notes that the member joins no sub-group. Once more changes nothing.
func (s *Service) Decline(ctx context.Context, split id.Split, member id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		p, seat, _, err := asked(tx, split, member)
		if err != nil {
			return err
		}
		return tx.Exec("UPDATE group_split_seats SET declined_at = ? WHERE split_id = ? AND member_id = ?", tx.Now, p.ID, seat.Member).Error
	})
}

// asked is the approved proposal in which the member, who is locked and in the
// large group, has a place. For anybody else it does not exist.
func asked(tx *database.Tx, split id.Split, member id.Member) (p Split, seat Seat, who id.Member, err error) {
	if who, err = community.LockLiveTx(tx, member); err != nil {
		return p, seat, 0, err
	}
	if p, err = one(tx.DB, split); err != nil {
		return p, seat, 0, err
	}
	var seats []Seat
	err = tx.Raw("SELECT s."+seatsOf+` FROM group_split_seats s JOIN members x ON x.id = s.member_id
		WHERE s.split_id = ? AND (x.id = ? OR x.merged_into = ?) ORDER BY s.member_id LIMIT 1`, split, who, who).Scan(&seats).Error
	if err != nil {
		return p, seat, 0, fmt.Errorf("split: seat in %s: %w", split, err)
	}
	since, err := community.InSince(tx.DB, who, p.GroupID)
	switch {
	case err != nil:
		return p, seat, 0, err
	case len(seats) == 0, since == 0, p.Status == StatusProposed:
		return p, seat, 0, fault.NotFound
	case p.Status != StatusApproved:
		return p, seat, 0, ErrOver.With("status", p.Status)
	}
	return p, seats[0], who, nil
}
