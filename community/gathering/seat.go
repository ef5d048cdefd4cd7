package gathering

import (
	"context"
	"errors"
	"fmt"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/webhook"
)

// SeatStatus is how somebody stands to an event.
type SeatStatus string

// The statuses of a seat.
const (
	SeatIn      SeatStatus = "in"
	SeatWaiting SeatStatus = "waiting"
	SeatLeft    SeatStatus = "left"
)

// Seat is somebody at an event. CheckedBy is the colleague who scanned him,
// none if he scanned the door himself.
type Seat struct {
	ID          int64        `json:"-"`
	GatheringID id.Gathering `json:"gathering_id"`
	GroupID     id.Group     `json:"group_id"`
	MemberID    id.Member    `json:"member_id"`
	Status      SeatStatus   `json:"status"`
	WaitedAt    clock.Milli  `json:"waited_at"`
	CheckedAt   clock.Milli  `json:"checked_at"`
	CheckedBy   id.Staff     `json:"checked_by"`
	CreatedAt   clock.Milli  `json:"created_at"`
}

const seatColumns = "id, gathering_id, group_id, member_id, status, waited_at, checked_at, checked_by, created_at"

// SignUp gives a member of the group a place, or a place in the line. Who has
// either keeps it.
func (s *Service) SignUp(ctx context.Context, gathering id.Gathering, member id.Member) (Seat, error) {
	var out Seat
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		who, g, seat, err := s.lockFor(tx, gathering, member)
		if err != nil {
			return err
		}
		since, err := community.InSince(tx.DB, who, g.GroupID)
		switch {
		case err != nil:
			return err
		case since == 0:
			return ErrNotIn
		}
		tx.SetResult("gathering", int64(g.ID), 201)
		if out = seat; seat.Status == SeatIn || seat.Status == SeatWaiting {
			return nil
		}
		if seat.ID == 0 {
			out = Seat{ID: tx.Next(), GatheringID: g.ID, GroupID: g.GroupID, MemberID: who, CreatedAt: tx.Now}
			err := tx.Exec("INSERT INTO gathering_seats ("+seatColumns+") VALUES (?, ?, ?, ?, ?, 0, 0, 0, ?)", out.ID, g.ID, g.GroupID, who, SeatLeft, tx.Now).Error
			if err != nil {
				return fmt.Errorf("gathering: sign up for %s: %w", g.ID, err)
			}
		}
		if g.Taken < g.Capacity {
			return g.seatTx(tx, &out)
		}
		out.Status, out.WaitedAt = SeatWaiting, tx.Now
		return tx.Exec("UPDATE gathering_seats SET status = ?, waited_at = ? WHERE id = ?", out.Status, out.WaitedAt, out.ID).Error
	})
	return out, err
}

// seatTx takes a place of the locked event; the condition holds the capacity
// once more.
func (g *Gathering) seatTx(tx *database.Tx, seat *Seat) error {
	err := database.One(tx.Exec("UPDATE gatherings SET taken = taken + 1 WHERE id = ?"+tx.Only("taken < capacity"), g.ID), ErrSeat)
	if err != nil {
		return err
	}
	g.Taken++
	seat.Status = SeatIn
	return tx.Exec("UPDATE gathering_seats SET status = ? WHERE id = ?", SeatIn, seat.ID).Error
}

// Leave gives a place up; the head of the line has it in the same transaction.
func (s *Service) Leave(ctx context.Context, gathering id.Gathering, member id.Member) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		_, g, seat, err := s.lockFor(tx, gathering, member)
		switch {
		case err != nil:
			return err
		case seat.ID == 0:
			return ErrSeat
		case seat.Status == SeatLeft:
			return nil
		case seat.CheckedAt != 0: // that he was there must not be lost
			return ErrThere
		}
		if err := tx.Exec("UPDATE gathering_seats SET status = ? WHERE id = ?", SeatLeft, seat.ID).Error; err != nil {
			return err
		}
		if seat.Status == SeatWaiting {
			return nil
		}
		if err := database.One(tx.Exec("UPDATE gatherings SET taken = taken - 1 WHERE id = ?"+tx.Only("taken > 0"), g.ID), ErrSeat); err != nil {
			return err
		}
		g.Taken--
		_, err = g.nextTx(tx)
		return err
	})
}

// nextTx seats the head of the line, if there is one. Somebody who left the
// group meanwhile, or is no more, is passed over.
func (g *Gathering) nextTx(tx *database.Tx) (seated bool, err error) {
	for {
		var head Seat
		err := tx.Raw("SELECT "+seatColumns+" FROM gathering_seats WHERE gathering_id = ? AND status = ? ORDER BY waited_at, id LIMIT 1", g.ID, SeatWaiting).Scan(&head).Error
		if err != nil || head.ID == 0 {
			return false, err
		}
		live, err := community.FollowMerges(tx.DB, []id.Member{head.MemberID})
		if err != nil {
			return false, err
		}
		since, err := community.InSince(tx.DB, live[head.MemberID], g.GroupID)
		if err != nil {
			return false, err
		}
		if since == 0 {
			if err := tx.Exec("UPDATE gathering_seats SET status = ? WHERE id = ?", SeatLeft, head.ID).Error; err != nil {
				return false, err
			}
			continue
		}
		if err := g.seatTx(tx, &head); err != nil {
			return false, err
		}
		fact := g.fact()
		fact["member_id"] = live[head.MemberID]
		return true, webhook.PublishTx(tx, eventSeat, fact)
	}
}

// lockFor locks the live member and an event that is neither cancelled nor
// begun, and reads his seat under any id he had.
func (s *Service) lockFor(tx *database.Tx, gathering id.Gathering, member id.Member) (id.Member, Gathering, Seat, error) {
	who, err := community.LockLiveTx(tx, member)
	if err != nil {
		return 0, Gathering{}, Seat{}, err
	}
	g, err := one(tx.DB, gathering, tx.Dialect.ForUpdate)
	switch {
	case err != nil:
		return 0, g, Seat{}, err
	case g.Status == StatusCancelled:
		return 0, g, Seat{}, ErrCancelled
	case g.StartsAt <= tx.Now:
		return 0, g, Seat{}, ErrBegun
	}
	seat, err := seatOf(tx.DB, g.ID, who)
	if errors.Is(err, ErrSeat) {
		err = nil
	}
	return who, g, seat, err
}

// seatOf is the live member's seat under any id he had, the best of them.
func seatOf(q *database.Query, gathering id.Gathering, who id.Member) (Seat, error) {
	were, err := community.MergedInto(q, []id.Member{who})
	if err != nil {
		return Seat{}, err
	}
	var seat Seat
	err = q.Raw("SELECT "+seatColumns+` FROM gathering_seats WHERE gathering_id = ? AND member_id IN ?
		ORDER BY CASE status WHEN 'in' THEN 0 WHEN 'waiting' THEN 1 ELSE 2 END, id LIMIT 1`, gathering, append(were[who], who)).Scan(&seat).Error
	if err != nil {
		return seat, fmt.Errorf("gathering: seat at %s: %w", gathering, err)
	}
	if seat.ID == 0 {
		return seat, ErrSeat
	}
	return seat, nil
}

// Mine is the member's seat at an event; ErrSeat if he never had one.
func (s *Service) Mine(ctx context.Context, gathering id.Gathering, member id.Member) (Seat, error) {
	return seatOf(s.DB.Read(ctx), gathering, member)
}

// ListSeats lists who comes and who waits, in the order of signing up.
func (s *Service) ListSeats(ctx context.Context, gathering id.Gathering) ([]Seat, error) {
	if _, err := s.Find(ctx, gathering); err != nil {
		return nil, err
	}
	list := []Seat{}
	err := s.DB.Read(ctx).Raw("SELECT "+seatColumns+` FROM gathering_seats WHERE gathering_id = ? AND status <> ?
		ORDER BY CASE status WHEN 'in' THEN 0 ELSE 1 END, waited_at, id LIMIT ?`, gathering, SeatLeft, 2*capacityMost).Scan(&list).Error
	if err != nil {
		return nil, fmt.Errorf("gathering: seats of %s: %w", gathering, err)
	}
	return list, nil
}

// AttendedIn counts the events of a group that each live member was at since a
// moment, merged members as the one they are today.
func AttendedIn(q *database.Query, group id.Group, since clock.Milli) (map[id.Member]int, error) {
	var rows []struct {
		Who id.Member
		N   int
	}
	err := q.Raw(`SELECT CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS who, COUNT(DISTINCT s.gathering_id) AS n
		FROM gathering_seats s JOIN members m ON m.id = s.member_id WHERE s.group_id = ? AND s.checked_at >= ? AND s.checked_at > 0
		GROUP BY CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END`, group, since).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("gathering: attended in %s: %w", group, err)
	}
	out := make(map[id.Member]int, len(rows))
	for _, r := range rows {
		out[r.Who] = r.N
	}
	return out, nil
}

// GuestsIn are the live members who were at each event of a group since a
// moment, merged ones as the one they are today.
func GuestsIn(q *database.Query, group id.Group, since clock.Milli) (map[id.Gathering][]id.Member, error) {
	var rows []struct {
		GatheringID id.Gathering
		Who         id.Member
	}
	err := q.Raw(`SELECT DISTINCT s.gathering_id, CASE WHEN m.merged_into <> 0 THEN m.merged_into ELSE m.id END AS who
		FROM gathering_seats s JOIN members m ON m.id = s.member_id WHERE s.group_id = ? AND s.checked_at >= ? AND s.checked_at > 0`, group, since).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("gathering: guests of %s: %w", group, err)
	}
	out := map[id.Gathering][]id.Member{}
	for _, r := range rows {
		out[r.GatheringID] = append(out[r.GatheringID], r.Who)
	}
	return out, nil
}
