package request

import (
	"context"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

func one(q *database.Query, request id.Request, lock string) (Request, error) {
	var r Request
	if err := q.Raw("SELECT "+columns+" FROM requests WHERE id = ?"+lock, request).Scan(&r).Error; err != nil {
		return r, fmt.Errorf("request: %s: %w", request, err)
	}
	if r.ID == 0 {
		return r, fault.NotFound
	}
	return r, nil
}

// lockSeen locks a request in a group that the actor may see.
func lockSeen(tx *database.Tx, request id.Request) (Request, error) {
	r, err := one(tx.DB, request, tx.Dialect.ForUpdate)
	if err != nil {
		return r, err
	}
	return r, seen(tx.DB, tx.Actor, r.GroupID)
}

// seen says whether the actor may see a group's requests: staff who see the
// group, and members who are in it.
func seen(q *database.Query, actor database.Actor, group id.Group) error {
	known, err := community.GroupsIn(q, []id.Group{group})
	if err != nil {
		return err
	}
	g := known[group]
	if g.ID == 0 || !g.SeenBy(actor) {
		return fault.NotFound
	}
	if actor.Kind != database.ActorMember && actor.Kind != database.ActorGuest {
		return nil
	}
	if _, err := groupOf(q, group, actor.Member); err != nil {
		return fault.NotFound
	}
	return nil
}

// Find reads a request that the actor may see.
func (s *Service) Find(ctx context.Context, request id.Request) (Request, error) {
	q := s.DB.Read(ctx)
	r, err := one(q, request, "")
	if err == nil {
		err = seen(q, database.ActorOf(ctx), r.GroupID)
	}
	if err != nil {
		return Request{}, err
	}
	return r, nil
}

// Filter narrows a list of requests; zero fields do not.
type Filter struct {
	Group  id.Group
	Status Status
}

// List lists requests of groups that the actor may see, newest first. Members
// name their group.
func (s *Service) List(ctx context.Context, f Filter, page database.Page) (database.Paged[Request], error) {
	var c fault.Check
	c.OneOf(string(f.Status), "status", append(statuses(), "")...)
	actor := database.ActorOf(ctx)
	staff := actor.Kind != database.ActorMember && actor.Kind != database.ActorGuest
	c.That(staff || f.Group != 0, "group_id", "required", "必填", "is required")
	if err := c.Err(); err != nil {
		return database.Paged[Request]{}, err
	}
	q := s.DB.Read(ctx)
	if f.Group != 0 {
		if err := seen(q, actor, f.Group); err != nil {
			return database.Paged[Request]{}, err
		}
	}
	cond, args := "", []any{page.Bound()}
	if f.Group != 0 {
		cond, args = cond+" AND group_id = ?", append(args, f.Group)
	}
	if f.Status != "" {
		cond, args = cond+" AND status = ?", append(args, f.Status)
	}
	if units, list := actor.Within("unit_id"); units != "" {
		cond, args = cond+" AND group_id IN (SELECT id FROM chat_groups WHERE 1 = 1"+units+")", append(args, list...)
	}
	own, owner := community.OwnGroups(actor, "group_id")
	var rows []Request
	err := q.Raw("SELECT "+columns+" FROM requests WHERE id < ?"+cond+own+" ORDER BY id DESC LIMIT ?", append(append(args, owner...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[Request]{}, fmt.Errorf("request: list: %w", err)
	}
	return database.Cut(page, rows, func(r Request) int64 { return int64(r.ID) }), nil
}

// WantedBy says which of the requests the member wants too.
func (s *Service) WantedBy(ctx context.Context, member id.Member, requests []id.Request) (map[id.Request]bool, error) {
	out := map[id.Request]bool{}
	if len(requests) == 0 {
		return out, nil
	}
	var list []id.Request
	err := s.DB.Read(ctx).Raw("SELECT request_id FROM request_wants WHERE member_id = ? AND request_id IN ?", member, requests).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("request: wants of %s: %w", member, err)
	}
	for _, r := range list {
		out[r] = true
	}
	return out, nil
}

// Wish is a request that somebody else made and a person wants too.
type Wish struct {
	RequestID id.Request  `json:"request_id"`
	At        clock.Milli `json:"at"`
}

// Personal is what this room knows about a person, for his right to a copy.
type Personal struct {
	Requests []Request `json:"requests"` // that he made
	Wants    []Wish    `json:"wants"`
}

// idsAtOnce is how many ids one statement is asked for.
const idsAtOnce = 190

// Of reads what stands under any of a person's ids, his own and those that
// were merged into it.
func (s *Service) Of(ctx context.Context, ids []id.Member) (Personal, error) {
	out := Personal{Requests: []Request{}, Wants: []Wish{}}
	q := s.DB.Read(ctx)
	for part := range slices.Chunk(ids, idsAtOnce) {
		var made []Request
		var wants []Wish
		for sql, into := range map[string]any{
			"SELECT " + columns + " FROM requests WHERE member_id IN ? ORDER BY id":                 &made,
			"SELECT request_id, at FROM request_wants WHERE member_id IN ? ORDER BY at, request_id": &wants,
		} {
			if err := q.Raw(sql, part).Scan(into).Error; err != nil {
				return Personal{}, fmt.Errorf("request: what is known of a person: %w", err)
			}
		}
		out.Requests, out.Wants = append(out.Requests, made...), append(out.Wants, wants...)
	}
	return out, nil
}

// overdueAtOnce is how many overdue requests one transaction tells of.
const overdueAtOnce = 100

// tellOverdue tells once of each request that nobody answered in time.
func (s *Service) tellOverdue(ctx context.Context, _ clock.Milli) error {
	for more := true; more; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var rows []Request
			err := tx.Raw("SELECT "+columns+" FROM requests WHERE status = ? AND alerted_at = 0 AND answer_by < ? ORDER BY id LIMIT ?"+tx.Dialect.ForUpdate,
				StatusOpen, tx.Now, overdueAtOnce).Scan(&rows).Error
			if err != nil {
				return fmt.Errorf("request: overdue: %w", err)
			}
			more = len(rows) == overdueAtOnce
			for _, r := range rows {
				if err := tx.Exec("UPDATE requests SET alerted_at = ? WHERE id = ?", tx.Now, r.ID).Error; err != nil {
					return err
				}
				if err := webhook.PublishTx(tx, eventOverdue, r.fact()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Verify proves V20: a request's counter is its rows, and nobody wants his own.
func Verify(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V20", Says: "the counter of a request is the people who want it too, none of them the asker; only what has an outcome is rated"}
	for after := id.Request(0); ; {
		var ids []id.Request
		err := db.Snapshot(ctx, func(q *database.Query) error {
			if err := q.Raw("SELECT id FROM requests WHERE id > ? ORDER BY id LIMIT 5000", after).Scan(&ids).Error; err != nil || len(ids) == 0 {
				return err
			}
			p.Checked += int64(len(ids))
			hi := ids[len(ids)-1]
			var broken []id.Request
			err := q.Raw(`SELECT r.id FROM requests r WHERE r.id > ? AND r.id <= ? AND (
				r.wants <> (SELECT COUNT(*) FROM request_wants w WHERE w.request_id = r.id)
				OR EXISTS (SELECT 1 FROM request_wants w WHERE w.request_id = r.id AND w.member_id = r.member_id)
				OR r.rating <> 0 AND r.status IN ?)`, after, hi, []Status{StatusOpen, StatusAnswered}).Scan(&broken).Error
			for _, b := range broken {
				p.Break("request %s: its counter, its people or its rating do not agree", b)
			}
			after = hi
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("request: verify: %w", err)
		}
		if len(ids) == 0 {
			return []database.Proof{p}, nil
		}
	}
}

// AskersIn are the live members who asked for each thing in a group since a
// moment or want it too, merged ones as the one they are today.
func AskersIn(q *database.Query, group id.Group, since clock.Milli) (map[id.Request][]id.Member, error) {
	var rows []struct {
		ID  id.Request
		Who id.Member
	}
	const live = "CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS who"
	err := q.Raw(`SELECT r.id, `+live+` FROM requests r JOIN members m ON m.id = r.member_id WHERE r.group_id = @group AND r.created_at >= @since
		UNION SELECT r.id, `+live+` FROM requests r JOIN request_wants w ON w.request_id = r.id JOIN members m ON m.id = w.member_id
		WHERE r.group_id = @group AND r.created_at >= @since`, map[string]any{"group": group, "since": since}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("request: askers in %s: %w", group, err)
	}
	out := map[id.Request][]id.Member{}
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], r.Who)
	}
	return out, nil
}
