package community

import (
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/id"
)

// Tally is how often one member did one kind of thing on one day.
type Tally struct {
	Day    int
	Kind   ActivityKind
	Member id.Member
	N      int
}

// Tallies are a group's on the days, in order of day, merged members as the
// live one they are today. They come from the covering index alone.
func Tallies(q *database.Query, group id.Group, days []int) ([]Tally, error) {
	var out []Tally
	for part := range slices.Chunk(days, activityLook) {
		rows, err := q.Raw(`SELECT day, kind, member_id, COUNT(*) FROM activity_events WHERE group_id = ? AND day IN ?
			GROUP BY day, kind, member_id ORDER BY day, kind, member_id`, group, part).Rows()
		if err != nil {
			return nil, fmt.Errorf("community: tallies of %s: %w", group, err)
		}
		for rows.Next() {
			var t Tally
			if err := rows.Scan(&t.Day, &t.Kind, &t.Member, &t.N); err != nil {
				rows.Close()
				return nil, fmt.Errorf("community: tallies of %s: %w", group, err)
			}
			out = append(out, t)
		}
		if err := rows.Close(); err != nil {
			return nil, fmt.Errorf("community: tallies of %s: %w", group, err)
		}
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("community: tallies of %s: %w", group, err)
		}
	}
	return out, followTallies(q, out)
}

// TopicTally is that a member took part in a topic on a day.
type TopicTally struct {
	Day    int
	Topic  string
	Member id.Member
}

// TopicTallies say who took part in which topic of a group on the days, in
// order of day, merged members as the live one they are today.
func TopicTallies(q *database.Query, group id.Group, days []int) ([]TopicTally, error) {
	var out []TopicTally
	for part := range slices.Chunk(days, activityLook) {
		var rows []TopicTally
		err := q.Raw(`SELECT DISTINCT day, topic, member_id AS member FROM activity_events
			WHERE group_id = ? AND day IN ? AND kind = ? ORDER BY day, topic, member_id`, group, part, ActivityTopic).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: topics of %s: %w", group, err)
		}
		out = append(out, rows...)
	}
	live := map[id.Member]id.Member{}
	for _, t := range out {
		live[t.Member] = t.Member
	}
	err := followAll(q, live)
	for i := range out {
		out[i].Member = live[out[i].Member]
	}
	return out, err
}

// followTallies puts the live member for each merged one.
func followTallies(q *database.Query, list []Tally) error {
	live := map[id.Member]id.Member{}
	for _, t := range list {
		live[t.Member] = t.Member
	}
	err := followAll(q, live)
	for i := range list {
		list[i].Member = live[list[i].Member]
	}
	return err
}

// followAll finds the live member for each that was merged.
func followAll(q *database.Query, live map[id.Member]id.Member) error {
	named := make([]id.Member, 0, len(live))
	for m := range live {
		named = append(named, m)
	}
	slices.Sort(named)
	for part := range slices.Chunk(named, activityLook) {
		found, err := FollowMerges(q, part)
		if err != nil {
			return err
		}
		for from, into := range found {
			live[from] = into
		}
	}
	return nil
}

// CompleteDays are those of the days of which a reporter said that all was
// reported.
func CompleteDays(q *database.Query, group id.Group, days []int) (map[int]bool, error) {
	out := map[int]bool{}
	for part := range slices.Chunk(days, activityLook) {
		var found []int
		if err := q.Raw("SELECT day FROM activity_reports WHERE group_id = ? AND day IN ?", group, part).Scan(&found).Error; err != nil {
			return nil, fmt.Errorf("community: reports of %s: %w", group, err)
		}
		for _, d := range found {
			out[d] = true
		}
	}
	return out, nil
}

// RosterOf are all memberships a group ever had.
func RosterOf(q *database.Query, group id.Group) ([]Membership, error) {
	var rows []Membership
	if err := q.Raw("SELECT "+membershipColumns+" FROM memberships WHERE group_id = ? ORDER BY id", group).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("community: memberships of %s: %w", group, err)
	}
	return rows, nil
}

// LockGroupTx locks a group that goes on, whoever asks.
func LockGroupTx(tx *database.Tx, group id.Group) (Group, error) {
	return lockGroup(tx, group)
}
