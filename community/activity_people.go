package community

import (
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
)

// Tie says that one member replied to or helped another in a group; both are
// the live ones they are today.
type Tie struct{ Giver, Taker id.Member }

// TiesOf are the distinct ties of a group since a day.
func TiesOf(q *database.Query, group id.Group, since int) ([]Tie, error) {
	var ties []Tie
	err := q.Raw(`SELECT DISTINCT CASE WHEN a.merged_into <> 0 THEN a.merged_into ELSE a.id END AS giver,
			CASE WHEN b.merged_into <> 0 THEN b.merged_into ELSE b.id END AS taker
		FROM activity_events e JOIN members a ON a.id = e.member_id JOIN members b ON b.id = e.to_id
		WHERE e.group_id = ? AND e.day >= ? AND e.kind IN (?, ?) AND e.to_id <> 0`,
		group, since, ActivityReply, ActivityAnswer).Scan(&ties).Error
	if err != nil {
		return nil, fmt.Errorf("community: ties in %s: %w", group, err)
	}
	return ties, nil
}

// Dealings are what a live member bought and brought.
type Dealings struct {
	OrderedAt  clock.Milli  // his last paid order
	Bought     money.Amount // all he ever paid
	RewardedAt clock.Milli  // his last reward was earned
	Kept       int          // whom he brought and who stayed, since the day asked for

	// What those whom he brought paid since then, less refunds, in how many
	// orders of which anything was kept.
	Referred       money.Amount
	ReferredOrders int
}

// DealingsOf reads the dealings of live members; what they brought since a
// moment.
func DealingsOf(q *database.Query, members []id.Member, since clock.Milli) (map[id.Member]Dealings, error) {
	out := make(map[id.Member]Dealings, len(members))
	for part := range slices.Chunk(members, activityLook) {
		var rows []struct {
			MemberID id.Member
			Kind     FactKind
			Latest   clock.Milli
			Bought   money.Amount
			Recent   money.Amount
			N        int
		}
		err := q.Raw(`SELECT member_id, kind, MAX(at) AS latest, SUM(amount) AS bought,
			SUM(CASE WHEN at >= ? AND (kind <> ? OR amount > 0) THEN 1 ELSE 0 END) AS n, SUM(CASE WHEN at >= ? THEN amount ELSE 0 END) AS recent
			FROM member_facts WHERE member_id IN ? GROUP BY member_id, kind`, since, FactReferredPaid, since, part).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: dealings: %w", err)
		}
		for _, r := range rows {
			d := out[r.MemberID]
			switch r.Kind {
			case FactOrderPaid:
				d.OrderedAt, d.Bought = r.Latest, r.Bought
			case FactRewardOpen:
				d.RewardedAt = r.Latest
			case FactReferralKept:
				d.Kept = r.N
			case FactReferredPaid:
				d.Referred, d.ReferredOrders = r.Recent, r.N
			}
			out[r.MemberID] = d
		}
	}
	return out, nil
}

// RepliesTo counts the replies and answers of others that each live member got
// in a group from one day to another.
func RepliesTo(q *database.Query, group id.Group, from, to int) (map[id.Member]int, error) {
	var rows []struct {
		Taker id.Member
		N     int
	}
	err := q.Raw(`SELECT x.taker, COUNT(*) AS n FROM (SELECT CASE WHEN a.merged_into <> 0 THEN a.merged_into ELSE a.id END AS giver,
			CASE WHEN b.merged_into <> 0 THEN b.merged_into ELSE b.id END AS taker
		FROM activity_events e JOIN members a ON a.id = e.member_id JOIN members b ON b.id = e.to_id
		WHERE e.group_id = ? AND e.day >= ? AND e.day <= ? AND e.kind IN (?, ?) AND e.to_id <> 0) x
		WHERE x.giver <> x.taker GROUP BY x.taker`, group, from, to, ActivityReply, ActivityAnswer).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: replies in %s: %w", group, err)
	}
	out := make(map[id.Member]int, len(rows))
	for _, r := range rows {
		out[r.Taker] = r.N
	}
	return out, nil
}

// topicDays is for how many days after its own a topic is still joined.
const topicDays = 7

// TopicPeople counts who took part in each of a group's topics, hosts left out,
// merged members once. Days are those the topics were planned for.
func TopicPeople(q *database.Query, group id.Group, topics []string, days []int) (map[string]int, error) {
	out := make(map[string]int, len(topics))
	if len(topics) == 0 {
		return out, nil
	}
	last := slices.Max(days)
	until := clock.Day(time.Date(last/10000, time.Month(last/100%100), last%100+topicDays, 12, 0, 0, 0, time.UTC), time.UTC)
	for part := range slices.Chunk(topics, activityLook) {
		var rows []struct {
			Topic string
			N     int
		}
		err := q.Raw(`SELECT e.topic, COUNT(DISTINCT CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END) AS n
			FROM activity_events e JOIN members m ON m.id = e.member_id
			WHERE e.group_id = ? AND e.day >= ? AND e.day <= ? AND e.kind = ? AND e.topic IN ?
			AND NOT EXISTS (SELECT 1 FROM memberships s WHERE s.group_id = e.group_id AND s.role IN (?, ?)
				AND s.member_id = CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END)
			GROUP BY e.topic`, group, slices.Min(days), until, ActivityTopic, part, RoleAdmin, RoleOwner).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: topics of %s: %w", group, err)
		}
		for _, r := range rows {
			out[r.Topic] = r.N
		}
	}
	return out, nil
}
