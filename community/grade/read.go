package grade

import (
	"context"
	"fmt"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// row is a grade as it lies in the table.
type row struct {
	ID       int64
	GroupID  id.Group
	MemberID id.Member
	Grade    string
	Day      int
	Rules    int
	Facts    `gorm:"embedded"`
}

const rowColumns = "id, group_id, member_id, grade, day, rules, days_in, active_days, replies, attended"

// Standing is the grade of somebody in a group, why, and what the next takes.
type Standing struct {
	GroupID  id.Group  `json:"group_id"`
	MemberID id.Member `json:"member_id"`
	Grade    Grade     `json:"grade"`
	Day      int       `json:"day"` // the local day on which it was judged
	Facts    Facts     `json:"facts"`
	Why      Text      `json:"why"`
	Next     *Next     `json:"next"` // none above the highest
	Moves    []Move    `json:"moves"`
}

// Next is the grade above one's own and what is lacking for it.
type Next struct {
	Grade Grade `json:"grade"`
	Lacks Text  `json:"lacks"`
}

// Move is one step of the past; Before is "" where it began.
type Move struct {
	Day    int    `json:"day"`
	Before string `json:"before" gorm:"column:grade_before"`
	After  string `json:"after" gorm:"column:grade_after"`
	Rules  int    `json:"rules_version"`
	Facts  Facts  `json:"facts" gorm:"embedded"`
	Why    Text   `json:"why" gorm:"-"`
}

// movesShown bounds a history.
const movesShown = 50

func (r Rules) standing(x row) Standing {
	s := Standing{GroupID: x.GroupID, MemberID: x.MemberID, Grade: r.of(x.Grade), Day: x.Day, Facts: x.Facts, Why: x.Facts.Say(), Moves: []Move{}}
	if n, ok := r.next(s.Grade.Key); ok {
		s.Next = &Next{n, n.Lacks(x.Facts)}
	}
	return s
}

// List lists the grades of who is in a group that the actor may see, newest
// first, without their moves.
func (s *Service) List(ctx context.Context, group id.Group, page database.Page) (database.Paged[Standing], error) {
	q := s.DB.Read(ctx)
	if err := seen(ctx, q, group); err != nil {
		return database.Paged[Standing]{}, err
	}
	r, err := rules(q)
	if err != nil {
		return database.Paged[Standing]{}, err
	}
	var rows []row
	err = q.Raw("SELECT "+rowColumns+` FROM member_grades g WHERE group_id = ? AND id < ?
		AND EXISTS (SELECT 1 FROM memberships m WHERE m.group_id = g.group_id AND m.member_id = g.member_id AND m.left_at = 0)
		ORDER BY id DESC LIMIT ?`, group, page.Bound(), page.Fetch()).Scan(&rows).Error
	if err != nil {
		return database.Paged[Standing]{}, fmt.Errorf("grade: grades of %s: %w", group, err)
	}
	cut := database.Cut(page, rows, func(x row) int64 { return x.ID })
	out := database.Paged[Standing]{Items: []Standing{}, NextCursor: cut.NextCursor}
	for _, x := range cut.Items {
		out.Items = append(out.Items, r.standing(x))
	}
	return out, nil
}

func seen(ctx context.Context, q *database.Query, group id.Group) error {
	known, err := community.GroupsIn(q, []id.Group{group})
	if err == nil && (known[group].ID == 0 || !known[group].SeenBy(database.ActorOf(ctx))) {
		err = fault.NotFound
	}
	return err
}

// Of is a member's grade in a group with its past, to staff who may see the
// group and to himself; NotFound while he was never judged there or is not in.
func (s *Service) Of(ctx context.Context, group id.Group, member id.Member) (Standing, error) {
	q := s.DB.Read(ctx)
	if err := seen(ctx, q, group); err != nil {
		return Standing{}, err
	}
	live, err := community.FollowMerges(q, []id.Member{member})
	if err != nil {
		return Standing{}, err
	}
	who := live[member]
	since, err := community.InSince(q, who, group)
	if err != nil {
		return Standing{}, err
	}
	r, err := rules(q)
	if err != nil {
		return Standing{}, err
	}
	were, err := community.MergedInto(q, []id.Member{who})
	if err != nil {
		return Standing{}, err
	}
	var rows []row
	if err := q.Raw("SELECT "+rowColumns+" FROM member_grades WHERE group_id = ? AND member_id = ?", group, who).Scan(&rows).Error; err != nil {
		return Standing{}, fmt.Errorf("grade: of %s: %w", who, err)
	}
	if since == 0 || len(rows) == 0 {
		return Standing{}, fault.NotFound
	}
	out := r.standing(rows[0])
	err = q.Raw(`SELECT day, grade_before, grade_after, rules, days_in, active_days, replies, attended FROM grade_moves
		WHERE group_id = ? AND member_id IN ? ORDER BY id DESC LIMIT ?`, group, append(were[who], who), movesShown).Scan(&out.Moves).Error
	if err != nil {
		return Standing{}, fmt.Errorf("grade: moves of %s: %w", who, err)
	}
	for i := range out.Moves {
		out.Moves[i].Why = out.Moves[i].Facts.Say()
	}
	return out, nil
}
