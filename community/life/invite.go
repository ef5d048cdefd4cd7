package life

import (
	"context"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// each runs a step for every open merger.
func (s *Service) each(ctx context.Context, step func(Merger) error) error {
	for after := id.Merger(0); ; {
		list, err := mergers(s.DB.Read(ctx), "closed = 0 AND id > ? ORDER BY id LIMIT ?", after, atOnce)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, m := range list {
			if err := step(m); err != nil {
				return err
			}
			after = m.ID
		}
	}
}

// inviteAll invites whoever is to be asked and was not yet; people who come
// into the group meanwhile too.
func (s *Service) inviteAll(ctx context.Context, _ clock.Milli) error {
	return s.each(ctx, func(m Merger) error {
		for more := true; more; {
			err := s.DB.Tx(ctx, func(tx *database.Tx) (err error) {
				more, err = inviteTx(tx, m)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// invitesAtOnce bounds a transaction: each of them tells a member.
const invitesAtOnce = 20

func inviteTx(tx *database.Tx, m Merger) (more bool, err error) {
	groups, err := community.LockGroupsTx(tx, m.FromID, m.IntoID)
	if err != nil {
		return false, err
	}
	if m, err = mergerOf(tx.DB, m.ID); err != nil || m.Status != StatusOpen {
		return false, err
	}
	var people []id.Member
	args := m.named()
	args["most"] = invitesAtOnce
	err = tx.Raw("SELECT m.member_id"+toAsk+` AND NOT EXISTS (SELECT 1 FROM merger_invites i WHERE i.merger_id = @merger AND i.member_id = m.member_id)
		ORDER BY m.member_id LIMIT @most`, args).Scan(&people).Error
	if err != nil {
		return false, fmt.Errorf("life: whom to invite for %s: %w", m.ID, err)
	}
	by, err := community.NoticeTime(m.ByAt, groups[m.FromID].Zone)
	if err != nil {
		return false, err
	}
	for _, who := range people {
		if err := tx.Exec("INSERT INTO merger_invites (merger_id, member_id, invited_at, declined_at) VALUES (?, ?, ?, 0)", m.ID, who, tx.Now).Error; err != nil {
			return false, fmt.Errorf("life: invite: %w", err)
		}
		err := community.NoticeTx(tx, community.Notice{Member: who, Name: community.NoticeGroupMerger, Fact: m.ID.String(), Params: map[string]string{
			"group": groups[m.FromID].Name, "into": groups[m.IntoID].Name, "into_id": m.IntoID.String(), "by": by,
		}})
		if err != nil {
			return false, err
		}
	}
	return len(people) == invitesAtOnce, nil
}

// finishAll ends the mergers of which nobody is left to ask, or whose date has
// come.
func (s *Service) finishAll(ctx context.Context, _ clock.Milli) error {
	return s.each(ctx, func(m Merger) error {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error { return finishTx(tx, m) })
		if errors.Is(err, ErrOver) {
			return nil
		}
		return err
	})
}

// finishTx closes the first group when the merger is done: nobody is left to
// ask, or its date has come. Where nobody was there to invite, who is in the
// group may not have been told yet, and only the date ends it. A merger into a
// group that was closed meanwhile leads nowhere and is called off.
func finishTx(tx *database.Tx, m Merger) error {
	groups, err := community.LockGroupsTx(tx, m.FromID, m.IntoID)
	if err != nil {
		return err
	}
	from, into := groups[m.FromID], groups[m.IntoID]
	if into.Status == community.GroupDissolved {
		return m.endTx(tx, StatusCancelled)
	}
	if from.Status == community.GroupDissolved {
		return m.endTx(tx, StatusDone)
	}
	p, err := progress(tx.DB, m)
	if err != nil || (p.Open > 0 || p.Invited == 0) && m.ByAt > tx.Now {
		return err
	}
	if err := m.endTx(tx, StatusDone); err != nil {
		return err
	}
	_, err = community.CloseTx(tx, from, m.Reason)
	return err
}

// Invitation is the open merger by which a live member is invited out of or
// into a group, if any: he was asked and is not in the other group.
func (s *Service) Invitation(ctx context.Context, member id.Member, group id.Group) (m Merger, invited bool, err error) {
	q := s.DB.Read(ctx)
	list, err := mergers(q, "closed = 0 AND (from_id = ? OR into_id = ?) ORDER BY id LIMIT ?", group, group, atOnce)
	if err != nil || len(list) == 0 {
		return m, false, err
	}
	in, err := community.GroupsOf(q, []id.Member{member})
	if err != nil {
		return m, false, err
	}
	is := map[id.Group]bool{}
	for _, g := range in[member] {
		is[g] = true
	}
	for _, m := range list {
		if is[m.FromID] && !is[m.IntoID] {
			return m, true, nil
		}
	}
	return m, false, nil
}

// Accept is the member's act by which he joins the other group, having seen
// its charter. A group with a gate is joined by applying to it.
func (s *Service) Accept(ctx context.Context, merger id.Merger, member id.Member, charter int) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, who, err := s.asked(tx, merger, member)
		if err != nil {
			return err
		}
		return community.AcceptTx(tx, m.IntoID, who, charter)
	})
}

// Decline notes that the member does not come along; he stays where he is.
// Once more changes nothing.
func (s *Service) Decline(ctx context.Context, merger id.Merger, member id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		m, who, err := s.asked(tx, merger, member)
		if err != nil {
			return err
		}
		var told int
		if err := tx.Raw("SELECT COUNT(*) FROM merger_invites WHERE merger_id = ? AND member_id = ?", m.ID, who).Scan(&told).Error; err != nil {
			return fmt.Errorf("life: decline %s: %w", m.ID, err)
		}
		if told == 0 { // he says so before he was told
			err = tx.Exec("INSERT INTO merger_invites (merger_id, member_id, invited_at, declined_at) VALUES (?, ?, ?, ?)", m.ID, who, tx.Now, tx.Now).Error
		} else {
			err = tx.Exec("UPDATE merger_invites SET declined_at = ? WHERE merger_id = ? AND member_id = ?", tx.Now, m.ID, who).Error
		}
		if err != nil {
			return fmt.Errorf("life: decline %s: %w", m.ID, err)
		}
		return nil
	})
}

// asked is the open merger of a group that the member, who is locked, is in.
// For anybody else it does not exist.
func (s *Service) asked(tx *database.Tx, merger id.Merger, member id.Member) (Merger, id.Member, error) {
	who, err := community.LockLiveTx(tx, member)
	if err != nil {
		return Merger{}, 0, err
	}
	m, err := mergerOf(tx.DB, merger)
	if err != nil {
		return m, 0, err
	}
	since, err := community.InSince(tx.DB, who, m.FromID)
	switch {
	case err != nil:
		return m, 0, err
	case since == 0:
		return m, 0, fault.NotFound
	case m.Status != StatusOpen:
		return m, 0, ErrOver.With("status", m.Status)
	}
	return m, who, nil
}
