package promotion

import (
	"context"
	"fmt"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Pace is how often a channel is called in any 60 seconds at most, over all
// processes: ads handed to it and taken back, and reminders; 0 is no limit. An
// ad that is over it waits, as long as its slot lasts. Attempts that fail count
// as well: the channel's own server counts them.
type Pace int

// wave is how many ads go out together: a tenth of a minute's, so that waves
// spread over the minute.
func (p Pace) wave() int {
	if p == 0 {
		return deliverMost
	}
	return min(deliverMost, max(1, int(p)/10))
}

// every is how far apart two ads must be, on average, so that no 60 seconds
// hold more than the pace, wherever they begin: what was handed out before the
// last wave of those seconds lies within them, and the last wave comes on top.
func (p Pace) every() time.Duration {
	rest := max(1, int(p)-p.wave())
	return (time.Minute + time.Duration(rest) - 1) / time.Duration(rest)
}

type paceRow struct {
	Channel  string      `gorm:"column:channel"`
	FreeAt   clock.Milli `gorm:"column:free_at"`
	SpreadAt clock.Milli `gorm:"column:spread_at"`
}

// TableName is the table's.
func (paceRow) TableName() string { return "channel_paces" }

// turn asks for n calls of a channel now. If it is not their turn, wait says for
// how long to stay away; each who asks is sent to a moment of his own.
func (s *Service) turn(ctx context.Context, channel string, n int) (wait time.Duration, err error) {
	pace := s.Paces[channel]
	if pace == 0 || n == 0 {
		return 0, nil
	}
	if err := s.paced(ctx, channel); err != nil {
		return 0, err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		var row paceRow
		err := tx.Raw("SELECT channel, free_at, spread_at FROM channel_paces WHERE channel = ?"+tx.Dialect.ForUpdate, channel).Scan(&row).Error
		if err != nil {
			return err
		}
		takes := time.Duration(n) * pace.every()
		if wait = 0; row.FreeAt <= tx.Now {
			row.FreeAt = tx.Now.Add(takes)
		} else {
			at := max(row.FreeAt, row.SpreadAt)
			wait, row.SpreadAt = at.Time().Sub(tx.Now.Time()), at.Add(takes)
		}
		return tx.Exec("UPDATE channel_paces SET free_at = ?, spread_at = ? WHERE channel = ?", row.FreeAt, row.SpreadAt, channel).Error
	})
	if err != nil {
		return 0, fmt.Errorf("promotion: pace of %s: %w", channel, err)
	}
	return wait, nil
}

// owe counts a call that cannot wait: the next turn is later by it.
func (s *Service) owe(ctx context.Context, channel string) error {
	pace := s.Paces[channel]
	if pace == 0 {
		return nil
	}
	if err := s.paced(ctx, channel); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		var free clock.Milli
		if err := tx.Raw("SELECT free_at FROM channel_paces WHERE channel = ?"+tx.Dialect.ForUpdate, channel).Scan(&free).Error; err != nil {
			return err
		}
		return tx.Exec("UPDATE channel_paces SET free_at = ? WHERE channel = ?", max(free, tx.Now).Add(pace.every()), channel).Error
	})
}

// paced makes sure that the channel has its row.
func (s *Service) paced(ctx context.Context, channel string) error {
	var there int
	err := s.DB.Read(ctx).Raw("SELECT COUNT(*) FROM channel_paces WHERE channel = ?", channel).Scan(&there).Error
	if err != nil || there == 1 {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error { return tx.Create(&paceRow{Channel: channel}).Error })
	if database.IsDuplicate(err) {
		return nil
	}
	return err
}

// unsent are those of the slots that no channel has yet, and their channel.
func (s *Service) unsent(ctx context.Context, slots []id.Slot) (channel string, left []id.Slot, err error) {
	var rows []struct {
		SlotID  id.Slot
		Channel string
	}
	err = s.DB.Read(ctx).Raw(`SELECT s.slot_id, p.channel FROM promotion_sends s JOIN promotions p ON p.id = s.promotion_id
		WHERE s.slot_id IN ? AND s.status = ?`, slots, SendReserved).Scan(&rows).Error
	if err != nil {
		return "", nil, fmt.Errorf("promotion: unsent: %w", err)
	}
	for _, r := range rows {
		channel, left = r.Channel, append(left, r.SlotID)
	}
	slices.Sort(left)
	return channel, left, nil
}
