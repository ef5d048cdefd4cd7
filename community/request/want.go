package request

import (
	"context"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// Want notes 我也要 of somebody else in the group; once more changes nothing.
func (s *Service) Want(ctx context.Context, request id.Request, member id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, err := community.LockLiveTx(tx, member)
		if err != nil {
			return err
		}
		r, err := one(tx.DB, request, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		if _, err := groupOf(tx.DB, r.GroupID, who); err != nil {
			return err
		}
		ids, err := everyIDOf(tx.DB, who)
		switch {
		case err != nil:
			return err
		case slices.Contains(ids, r.MemberID):
			return ErrOwn
		case r.Status.final():
			return ErrOver.With("status", r.Status)
		}
		tx.SetResult("request", int64(r.ID), 200)
		var stands int
		if err := tx.Raw("SELECT COUNT(*) FROM request_wants WHERE request_id = ? AND member_id IN ?", r.ID, ids).Scan(&stands).Error; err != nil || stands > 0 {
			return err
		}
		if err := tx.Exec("INSERT INTO request_wants (request_id, member_id, at) VALUES (?, ?, ?)", r.ID, who, tx.Now).Error; err != nil {
			return fmt.Errorf("request: want %s: %w", r.ID, err)
		}
		return tx.Exec("UPDATE requests SET wants = wants + 1 WHERE id = ?", r.ID).Error
	})
}

// everyIDOf are a live member's id and those that were merged into it, under
// which he asked and wanted things before.
func everyIDOf(q *database.Query, who id.Member) ([]id.Member, error) {
	merged, err := community.MergedInto(q, []id.Member{who})
	if err != nil {
		return nil, err
	}
	return append([]id.Member{who}, merged[who]...), nil
}

// AnswerIn is what somebody who answers for the group says.
type AnswerIn struct {
	Status Status `json:"status"`
	Answer string `json:"answer"`
}

// Validate checks the answer's form.
func (in AnswerIn) Validate() error {
	var c fault.Check
	c.OneOf(string(in.Status), "status", statuses()[1:]...)
	line := community.CleanLine(in.Answer)
	c.That(line != "" || in.Status == StatusSolved, "answer", "required", "请写明答复、替代或原因", "say the answer, what else there is, or why not")
	c.Length(line, "answer", 300)
	return c.Err()
}

// Answer answers a request or gives its outcome; those who wanted it are told.
func (s *Service) Answer(ctx context.Context, request id.Request, in AnswerIn) error {
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		before, err := lockSeen(tx, request)
		if err != nil {
			return err
		}
		if before.Status.final() {
			return ErrOver.With("status", before.Status)
		}
		after := before
		after.Status, after.AnsweredBy = in.Status, tx.Actor.Staff
		if line := community.CleanLine(in.Answer); line != "" {
			after.Answer = line
		}
		if before.AnsweredAt == 0 {
			after.AnsweredAt = tx.Now // how long it took is up to the first word
		}
		err = database.One(tx.Exec("UPDATE requests SET status = ?, answer = ?, answered_by = ?, answered_at = ? WHERE id = ?"+tx.Only("status = ?"),
			after.Status, after.Answer, after.AnsweredBy, after.AnsweredAt, after.ID, before.Status), ErrOver.With("status", before.Status))
		if err != nil {
			return err
		}
		if err := tellAskers(tx, eventAnswered, after); err != nil {
			return err
		}
		tx.SetResult("request", int64(after.ID), 200)
		return database.AuditTx(tx, "request.answer", after.ID, before.fact(), after.fact())
	})
}

// Rate is the asker's word on an outcome, once.
func (s *Service) Rate(ctx context.Context, request id.Request, member id.Member, stars int) error {
	var c fault.Check
	c.Range(int64(stars), "stars", 1, 5)
	if err := c.Err(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		r, err := one(tx.DB, request, tx.Dialect.ForUpdate)
		if err != nil {
			return err
		}
		live, err := community.FollowMerges(tx.DB, []id.Member{r.MemberID, member})
		switch {
		case err != nil:
			return err
		case live[r.MemberID] != live[member]:
			return fault.NotFound
		case !r.Status.final():
			return ErrRated
		}
		tx.SetResult("request", int64(r.ID), 200)
		return database.One(tx.Exec("UPDATE requests SET rating = ? WHERE id = ?"+tx.Only("rating = 0"), stars, r.ID), ErrRated)
	})
}

// BuyTx locks a request that a group-buy may be drafted for, or was.
func BuyTx(tx *database.Tx, request id.Request) (Request, error) {
	r, err := lockSeen(tx, request)
	if err != nil {
		return r, err
	}
	return r, r.buys()
}

// DraftedTx notes the group-buy that was drafted for a request under its lock,
// and tells all who want it.
func (r Request) DraftedTx(tx *database.Tx, campaign id.Campaign) error {
	err := database.One(tx.Exec("UPDATE requests SET campaign_id = ? WHERE id = ?"+tx.Only("campaign_id = 0"), campaign, r.ID), ErrBuys)
	if err != nil {
		return err
	}
	r.CampaignID = campaign
	if err := tellAskers(tx, eventGroupBuy, r); err != nil {
		return err
	}
	return database.AuditTx(tx, "request.group_buy", r.ID, nil, map[string]any{"campaign_id": campaign})
}

// buys refuses what becomes no group-buy. What is over has what it asked for,
// something else, or a no; a draft made before stays.
func (r Request) buys() error {
	switch {
	case r.Kind != KindBuy:
		return ErrBuys
	case r.CampaignID == 0 && r.Status.final():
		return ErrMet.With("status", r.Status)
	}
	return nil
}

// Buys reads a request of which a group-buy may be made, or was.
func (s *Service) Buys(ctx context.Context, request id.Request) (Request, error) {
	r, err := s.Find(ctx, request)
	if err != nil {
		return r, err
	}
	return r, r.buys()
}

// askersAtOnce bounds the members one event names.
const askersAtOnce = 200

// tellAskers publishes what became of a request, naming who asked and who
// wants it too, so many at a time. A group has some hundreds of people.
func tellAskers(tx *database.Tx, event webhook.Type, r Request) error {
	var askers []id.Member
	if err := tx.Raw("SELECT member_id FROM request_wants WHERE request_id = ? ORDER BY at, member_id LIMIT 2000", r.ID).Scan(&askers).Error; err != nil {
		return fmt.Errorf("request: askers of %s: %w", r.ID, err)
	}
	askers = append([]id.Member{r.MemberID}, askers...)
	for from := 0; from < len(askers); from += askersAtOnce {
		fact := r.fact()
		fact["campaign_id"], fact["member_ids"] = r.CampaignID, askers[from:min(from+askersAtOnce, len(askers))]
		if err := webhook.PublishTx(tx, event, fact); err != nil {
			return err
		}
	}
	return nil
}
