package health

import (
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// Day is what a group's local day came to. Covered: something of it was
// reported, or that nothing was; Complete: all of it was. Of one member at most
// three events of a kind count. Hosts, the group's owner and admins, count in
// Host, Content and the notes alone.
type Day struct {
	GroupID     id.Group `json:"-" gorm:"column:group_id"`
	Day         int      `json:"day" gorm:"column:day"`
	Covered     bool     `json:"covered" gorm:"column:covered"`
	Complete    bool     `json:"complete" gorm:"column:complete"`
	Size        int      `json:"size" gorm:"column:size"` // members at the day's end, without hosts; Unknown if nobody was ever reported
	Joins       int      `json:"joins" gorm:"column:joins"`
	Leaves      int      `json:"leaves" gorm:"column:leaves"`
	People      int      `json:"people" gorm:"column:people"`
	Events      int      `json:"events" gorm:"column:events"`
	Points      int      `json:"points" gorm:"column:points"`
	TopicPeople int      `json:"topic_people" gorm:"column:topic_people"` // the most that one topic drew
	Drawn       int      `json:"drawn" gorm:"column:drawn"`               // the most people one interaction drew: topic, game, quiz or what the owner held
	Content     int      `json:"content" gorm:"column:content"`           // posts and answers, hosts' too, and three topics at most
	Said        int      `json:"said" gorm:"column:said"`                 // all that members did, every time
	Talk        int      `json:"talk" gorm:"column:talk"`                 // posts, replies and answers of members, every time
	Host        int      `json:"host" gorm:"column:host"`                 // all that hosts did, every time
	Checkins    int      `json:"checkins" gorm:"column:checkins"`
	Incentives  int      `json:"incentives" gorm:"column:incentives"`
	Violations  int      `json:"violations" gorm:"column:violations"`
	OffTopic    int      `json:"off_topic" gorm:"column:off_topic"`
}

// TableName is the table's.
func (Day) TableName() string { return "group_days" }

// perKind is how many events of one member and kind count a day: to say
// something good is worth more than to say much.
const perKind = 3

// count is what tallies, in order of day, make of the days. Members of the
// tallies are live ones; one who became one with another is counted with him.
func count(group id.Group, days []int, tallies []community.Tally, topics []community.TopicTally, complete map[int]bool, people roster) []Day {
	out := make([]Day, len(days))
	for i, d := range days {
		n := 0
		for n < len(tallies) && tallies[n].Day <= d {
			n++
		}
		out[i] = Day{GroupID: group, Day: d, Covered: n > 0 || complete[d], Complete: complete[d]}
		out[i].add(tallies[:n], people)
		tallies = tallies[n:]
		for n = 0; n < len(topics) && topics[n].Day <= d; {
			n++
		}
		out[i].discuss(topics[:n], people)
		topics = topics[n:]
		out[i].Size, out[i].Joins, out[i].Leaves = people.on(d)
	}
	return out
}

func (d *Day) add(tallies []community.Tally, people roster) {
	type deed struct {
		member id.Member
		kind   community.ActivityKind
	}
	did := make(map[deed]int, len(tallies))
	acted := make(map[id.Member]bool, len(tallies))
	drew := map[community.ActivityKind]int{}
	for _, t := range tallies {
		before := did[deed{t.Member, t.Kind}]
		did[deed{t.Member, t.Kind}] = before + t.N
		counts := min(before+t.N, perKind) - min(before, perKind)
		switch t.Kind {
		case community.ActivityIncentive:
			d.Incentives += t.N
		case community.ActivityViolation:
			d.Violations += t.N
		case community.ActivityOffTopic:
			d.OffTopic += t.N
		case community.ActivityPost, community.ActivityAnswer:
			d.Content += counts
		}
		switch {
		case !t.Kind.Counts():
			continue
		case people.hosts[t.Member]:
			d.Host += t.N
			continue
		}
		d.Said += t.N
		switch t.Kind {
		case community.ActivityPost, community.ActivityAnswer, community.ActivityReply:
			d.Talk += t.N
		}
		d.Events += counts
		d.Points += counts * t.Kind.Points()
		acted[t.Member] = true
		if before == 0 {
			drew[t.Kind]++
		}
	}
	d.People, d.Checkins = len(acted), drew[community.ActivityCheckin]
	d.Drawn = max(drew[community.ActivityGame], drew[community.ActivityQuiz])
}

// discuss counts the day's topics, each for itself: two that drew three people
// each are none that drew six.
func (d *Day) discuss(topics []community.TopicTally, people roster) {
	drew := map[string]map[id.Member]bool{}
	for _, t := range topics {
		if drew[t.Topic] == nil {
			drew[t.Topic] = map[id.Member]bool{}
		}
		if !people.hosts[t.Member] {
			drew[t.Topic][t.Member] = true
		}
	}
	for _, who := range drew {
		d.TopicPeople = max(d.TopicPeople, len(who))
	}
	d.Drawn = max(d.Drawn, d.TopicPeople)
	d.Content += min(len(drew), perKind)
}

// roster is who was in a group when, by local day.
type roster struct {
	hosts map[id.Member]bool
	stays []stay
}

// stay is one member's time in the group; to is the day he left on, 0 while he
// is in.
type stay struct{ from, to int }

func rosterOf(rows []community.Membership, zone *time.Location) roster {
	r := roster{hosts: map[id.Member]bool{}}
	for _, m := range rows {
		if m.Role.Host() {
			r.hosts[m.MemberID] = true
			continue
		}
		s := stay{from: clock.Day(m.JoinedAt.Time(), zone)}
		if m.LeftAt != 0 {
			s.to = clock.Day(m.LeftAt.Time(), zone)
		}
		r.stays = append(r.stays, s)
	}
	return r
}

// on is the group's size at a day's end, and who came and went that day.
func (r roster) on(day int) (size, joins, leaves int) {
	if len(r.stays) == 0 {
		return Unknown, 0, 0
	}
	for _, s := range r.stays {
		if s.from <= day && (s.to == 0 || s.to > day) {
			size++
		}
		if s.from == day {
			joins++
		}
		if s.to == day {
			leaves++
		}
	}
	return size, joins, leaves
}

// noon stands for a local day in arithmetic: every day has one.
func noon(day int) time.Time {
	return time.Date(day/10000, time.Month(day/100%100), day%100, 12, 0, 0, 0, time.UTC)
}

// plus is the day so many days later.
func plus(day, n int) int { return clock.Day(noon(day).AddDate(0, 0, n), time.UTC) }

// between is how many days b lies after a.
func between(a, b int) int { return int(noon(b).Sub(noon(a)) / (24 * time.Hour)) }
