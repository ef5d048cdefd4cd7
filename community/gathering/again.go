package gathering

import (
	"context"
	"fmt"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// againAtOnce is how many events one look takes.
const againAtOnce = 100

// seatAgain gives those their place back who gave it up after they were checked
// in, which an older version let them: they had been there, and stood on no list.
// Where their place was given on, the event had one more than it was meant to.
func (s *Service) seatAgain(ctx context.Context, _ clock.Milli) error {
	for {
		var events []id.Gathering
		err := s.DB.Read(ctx).Raw("SELECT DISTINCT gathering_id FROM gathering_seats WHERE checked_at > 0 AND status <> ? ORDER BY gathering_id LIMIT ?",
			SeatIn, againAtOnce).Scan(&events).Error
		if err != nil {
			return fmt.Errorf("gathering: checked in without a place: %w", err)
		}
		for _, g := range events {
			if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return seatAgainTx(tx, g) }); err != nil {
				return err
			}
		}
		if len(events) < againAtOnce {
			return nil
		}
	}
}

func seatAgainTx(tx *database.Tx, gathering id.Gathering) error {
	g, err := one(tx.DB, gathering, tx.Dialect.ForUpdate)
	if err != nil {
		return err
	}
	if err := tx.Exec("UPDATE gathering_seats SET status = ? WHERE gathering_id = ? AND checked_at > 0", SeatIn, g.ID).Error; err != nil {
		return fmt.Errorf("gathering: seats of %s: %w", g.ID, err)
	}
	var in int
	if err := tx.Raw("SELECT COUNT(*) FROM gathering_seats WHERE gathering_id = ? AND status = ?", g.ID, SeatIn).Scan(&in).Error; err != nil {
		return fmt.Errorf("gathering: seats of %s: %w", g.ID, err)
	}
	return tx.Exec("UPDATE gatherings SET taken = ?, capacity = ? WHERE id = ?", in, max(in, g.Capacity), g.ID).Error
}
