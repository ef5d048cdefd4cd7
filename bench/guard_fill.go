package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// waveAt is when the waves come: a Monday, 10:00 in Shanghai.
var waveAt = time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)

// fill makes groups of two years' age with their charters and up to three ads
// each of the last nine days, confirmed, as the house would have kept them.
func (w *wave) fill(ctx context.Context, n int) ([]id.Group, error) {
	w.now = clock.MilliOf(waveAt)
	groups := make([]id.Group, 0, n)
	r := rand.New(rand.NewPCG(1, 1))
	err := w.leased(ctx, func(db *database.DB) error {
		for len(groups) < n {
			var made []id.Group
			err := db.Tx(ctx, func(tx *database.Tx) (err error) {
				made, err = w.insertGroups(tx, r, min(500, n-len(groups)))
				return err
			})
			if err != nil {
				return fmt.Errorf("groups: %w", err)
			}
			groups = append(groups, made...)
		}
		return nil
	})
	return groups, err
}

func (w *wave) insertGroups(tx *database.Tx, r *rand.Rand, n int) ([]id.Group, error) {
	var groups, charters, slots strings.Builder
	groups.WriteString("INSERT INTO chat_groups (id, unit_id, external_id, name, preset, zone, owner_id, born_at, imported, status, version, created_at) VALUES ")
	charters.WriteString("INSERT INTO charters (group_id, version, purpose, ads_per_day, ads_per_week, quiet_from, quiet_to, ends_at, announced_at, effective_at) VALUES ")
	slots.WriteString(`INSERT INTO slots (id, group_id, seq, unit_id, campaign_id, promotion_id, window_no, freed, from_at, to_at, first_at, last_at,
		reserved_at, started_at, confirmed_at, confirmed_seq, released_at, released_seq, release_reason, late, unplanned,
		cap_day, cap_week, cap_month, cap_life, gap_minutes, quiet_from, quiet_to, charter_quiet_from, charter_quiet_to,
		preset, mode, preset_version, policy_version, charter_version, zone) VALUES `)
	made := make([]id.Group, n)
	old, past := w.now.Add(-2*365*24*time.Hour), 0
	for i := range made {
		g := tx.Next()
		made[i] = id.Group(g)
		if i > 0 {
			groups.WriteByte(',')
			charters.WriteByte(',')
		}
		fmt.Fprintf(&groups, "(%d,0,'w%d','群 %d','retail','Asia/Shanghai',7,%d,0,'active',1,%d)", g, g, g, old, tx.Now)
		fmt.Fprintf(&charters, "(%d,1,'好价',1,4,1320,480,0,%d,%d)", g, old, old)
		for ad := range r.IntN(4) {
			// Three days apart, at 9 to 21 o'clock.
			at := w.now.Add(time.Duration(r.IntN(12*60)-60)*time.Minute - time.Duration(3*ad+1)*24*time.Hour)
			if past++; past > 1 {
				slots.WriteByte(',')
			}
			s := tx.Next()
			fmt.Fprintf(&slots, "(%d,%d,%d,0,0,0,0,%d,%d,%d,%d,%d,%d,%d,%d,%d,0,0,'',0,0,-1,-1,-1,-1,0,0,0,0,0,'retail','enforce',1,1,1,'Asia/Shanghai')",
				s, g, -10*ad-20, s, at, at+3_600_000, at, at, at, at, at, -10*ad-15)
		}
	}
	for _, b := range []*strings.Builder{&groups, &charters, &slots} {
		if err := tx.Exec(b.String()).Error; err != nil {
			return nil, err
		}
	}
	return made, nil
}
