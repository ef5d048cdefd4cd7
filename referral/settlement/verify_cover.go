package settlement

import (
	"context"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/referral"
)

// rangeAt is how many source rows one snapshot covers, eventsAt how many events,
// of which a reward has two or more.
const (
	rangeAt  = 2000
	eventsAt = 2 * rangeAt
)

// proveLive walks the lines by their sources: none stands on two live lines,
// and none is of a reward that is no money.
func (s *Service) proveLive(ctx context.Context, p *database.Proof) error {
	_, err := s.DB.InRanges(ctx, "settlement_lines", "source_id", rangeAt, func(q *database.Query, after, upto int64) error {
		if err := proveTwins(q, after, upto, p); err != nil {
			return err
		}
		return proveCash(q, after, upto, p)
	})
	return err
}

// proveTaken walks what happened to rewards: what was due is on a line. It goes
// by reward, in whose order the indexes of events and of lines lie side by side;
// in the order of events each line would be looked for by itself. That is done
// only where something is on no line, to hold it against its clearing.
func (s *Service) proveTaken(ctx context.Context, p *database.Proof) error {
	unsettled := false
	n, err := s.DB.InRanges(ctx, "reward_events", "reward_id", eventsAt, func(q *database.Query, after, upto int64) error {
		if err := proveClawbacks(q, after, upto, p); err != nil {
			return err
		}
		loose, err := anyLoose(q, after, upto)
		if err != nil || !loose {
			return err
		}
		unsettled = true
		if err := proveRewardMarks(q, after, upto, p); err != nil {
			return err
		}
		return proveCover(q, after, upto, p)
	})
	p.Checked += n
	if err != nil || !unsettled {
		return err
	}
	_, err = s.DB.InRanges(ctx, "reward_events", "id", rangeAt, func(q *database.Query, after, upto int64) error {
		return proveMarks(q, after, upto, p)
	})
	return err
}

// anyLoose says whether a reward of a range was cleared and is on no live line.
// Where everything is settled none is, and nothing more need be asked.
func anyLoose(q *database.Query, after, upto int64) (bool, error) {
	var one int64
	err := q.Raw(`SELECT e.id FROM reward_events e WHERE e.reward_id > ? AND e.reward_id <= ? AND e.kind = 'cleared' AND NOT EXISTS
		(SELECT 1 FROM settlement_lines l WHERE l.source_id = e.reward_id AND l.kind = ? AND l.freed = 0) LIMIT 1`, after, upto, KindReward).Scan(&one).Error
	return one != 0, err
}

// proveTwins looks for sources on two live lines.
func proveTwins(q *database.Query, after, upto int64, p *database.Proof) error {
	var twins []struct {
		SourceID int64
		Kind     Kind
	}
	err := q.Raw(`SELECT source_id, kind FROM settlement_lines WHERE source_id > ? AND source_id <= ? AND freed = 0
		GROUP BY source_id, kind HAVING COUNT(*) > 1`, after, upto).Scan(&twins).Error
	for _, t := range twins {
		name := fmt.Sprint(t.Kind, " ", t.SourceID)
		if t.Kind == KindReward {
			name = id.Reward(t.SourceID).String()
		}
		p.Break("%s stands on two live lines", name)
	}
	return err
}

// notFreed leaves out sources that a rejection freed after the settlement s had
// begun to close: that settlement could not take them.
const notFreed = `NOT EXISTS (SELECT 1 FROM settlement_lines f JOIN settlements x ON x.id = f.freed
	WHERE f.source_id = u.source_id AND f.kind = ? AND (x.freed_at = 0 OR x.freed_at >= s.closing_at))`

// itsPayer is that the settlement s is of the payer of a row u.
const itsPayer = `(u.payer_id = s.payer_id OR u.payer_id = 0 AND EXISTS (SELECT 1 FROM payers d WHERE d.id = s.payer_id AND d.unit_id = d.id))`

// proveCover looks for rewards that a sealed settlement of their scope should
// have taken, where it took all that was due (what was asked for V23 proves): cleared five minutes before its cut-off and on no live line.
func proveCover(q *database.Query, after, upto int64, p *database.Proof) error {
	var missed []missed
	err := q.Raw(`SELECT u.source_id, u.source_id AS reward_id, MIN(s.id) AS settlement_id
			FROM (SELECT e.reward_id AS source_id, e.at, r.program_id, `+referral.PayerOf("r")+` AS payer_id, r.currency FROM reward_events e JOIN rewards r ON r.id = e.reward_id
				WHERE e.reward_id > ? AND e.reward_id <= ? AND e.kind = 'cleared' AND NOT EXISTS
					(SELECT 1 FROM settlement_lines l WHERE l.source_id = e.reward_id AND l.kind = ? AND l.freed = 0)) u
			JOIN settlement_programs p ON p.program_id = u.program_id
			JOIN settlements s ON s.id = p.settlement_id AND s.status IN ? AND s.currency = u.currency AND s.on_request = 0 AND s.cut_at >= u.at + ?
			WHERE `+itsPayer+` AND `+notFreed+` GROUP BY u.source_id ORDER BY u.source_id LIMIT 50`,
		after, upto, KindReward, standing, settle.Milliseconds(), KindReward).Scan(&missed).Error
	for _, m := range missed {
		p.Break("%s was cleared in time for %s but stands on no live line", m.RewardID, m.SettlementID)
	}
	return err
}

// proveMarks looks for rewards that closing would pass over: of a clearing that
// is marked settled, and on no live line. One freed by a release before the
// marks waits for the next closing, which opens it.
func proveMarks(q *database.Query, after, upto int64, p *database.Proof) error {
	var marks []referral.Clearing
	err := q.Raw("SELECT id, reward_count FROM clearings WHERE id > ? AND id <= ? AND settled = 1 ORDER BY id",
		after-referral.ClearingMost, upto).Scan(&marks).Error
	if err != nil || len(marks) == 0 {
		return err
	}
	var loose []missed
	err = q.Raw(`SELECT e.id AS source_id, e.reward_id FROM reward_events e WHERE e.id > ? AND e.id <= ? AND e.kind = 'cleared'
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = e.reward_id AND l.kind = ? AND l.freed = 0)
			AND NOT EXISTS (SELECT 1 FROM settlement_lines f JOIN settlements x ON x.id = f.freed
				WHERE f.source_id = e.reward_id AND f.kind = ? AND x.reopened = 0) ORDER BY e.id`, after, upto, KindReward, KindReward).Scan(&loose).Error
	for _, m := range loose {
		for len(marks) > 0 && marks[0].ID+int64(marks[0].RewardCount) <= m.SourceID {
			marks = marks[1:]
		}
		if len(marks) > 0 && marks[0].ID <= m.SourceID {
			p.Break("%s is marked settled but stands on no live line", m.RewardID)
		}
	}
	return err
}

// proveRewardMarks looks for rewards that a member's look at what is due to him
// would pass over: marked, and on no live line. One freed by a release before the
// marks waits for the next marking, which takes its mark.
func proveRewardMarks(q *database.Query, after, upto int64, p *database.Proof) error {
	var loose []id.Reward
	err := q.Raw(`SELECT e.reward_id FROM reward_events e JOIN rewards r ON r.id = e.reward_id AND r.settled = 1 AND r.currency = ?
			WHERE e.reward_id > ? AND e.reward_id <= ? AND e.kind = 'cleared'
			AND NOT EXISTS (SELECT 1 FROM settlement_lines l WHERE l.source_id = e.reward_id AND l.kind = ? AND l.freed = 0)
			AND NOT EXISTS (SELECT 1 FROM settlement_lines f JOIN settlements x ON x.id = f.settlement_id
				WHERE f.source_id = e.reward_id AND f.kind = ? AND x.status = ? AND x.rewards_marked > ?) ORDER BY e.reward_id`,
		money.CNY, after, upto, KindReward, KindReward, StatusRejected, marksNone).Scan(&loose).Error
	for _, r := range loose {
		p.Break("%s is marked settled for its member but stands on no live line", r)
	}
	return err
}

type missed struct {
	SourceID     int64
	RewardID     id.Reward
	SettlementID id.Settlement
}

// proveClawbacks looks for corrections that a sealed settlement should have
// carried: of a reward on a live line of its own or of one sealed before it
// began to close.
func proveClawbacks(q *database.Query, after, upto int64, p *database.Proof) error {
	var missed []missed
	err := q.Raw(`SELECT u.source_id, u.reward_id, MIN(s.id) AS settlement_id
			FROM (SELECT e.id AS source_id, e.reward_id, e.at, r.program_id, `+referral.PayerOf("r")+` AS payer_id, l.settlement_id AS holder FROM reward_events e
				JOIN rewards r ON r.id = e.reward_id
				JOIN settlement_lines l ON l.source_id = e.reward_id AND l.kind = ? AND l.freed = 0
				WHERE e.reward_id > ? AND e.reward_id <= ? AND e.kind = 'clawed_back' AND NOT EXISTS
					(SELECT 1 FROM settlement_lines k WHERE k.source_id = e.id AND k.kind = ? AND k.freed = 0)) u
			JOIN settlement_programs p ON p.program_id = u.program_id
			JOIN settlements s ON s.id = p.settlement_id AND s.status IN ? AND s.cut_at >= u.at + ?
			JOIN settlement_chain c ON c.settlement_id = u.holder
			WHERE (u.holder = s.id OR c.sealed_at <= s.closing_at) AND `+itsPayer+` AND `+notFreed+`
			GROUP BY u.source_id, u.reward_id ORDER BY u.source_id LIMIT 50`,
		KindReward, after, upto, KindClawback, standing, settle.Milliseconds(), KindClawback).Scan(&missed).Error
	for _, m := range missed {
		p.Break("a clawback of %s was in time for %s but stands on no live line", m.RewardID, m.SettlementID)
	}
	return err
}
