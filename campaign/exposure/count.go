package exposure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"siyu/campaign/guard"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Bounds of one step of a count.
const (
	groupsAtOnce = 190
	rowsAtOnce   = 20 // blocks written or forgotten in one transaction
)

// steps are how many memberships are read at once and how many members make a
// block, of some 30 KB.
type steps struct{ stays, block int }

// counting is a count under way.
type counting struct {
	Counted
	steps
	book   book
	groups map[id.Group]*groupTally
	spread seen                     // of all people
	units  map[id.Unit][]*unitTally // each with those above it
	open   block
	full   []block

	who    id.Member // whose stays are being gathered
	gather []community.Stay
	own    []int

	turn    int64 // members settled
	touched []*unitTally
}

// groupTally is what is known of a group while members are walked.
type groupTally struct {
	ads     []ad
	whole   bool // Siyu knew it during the whole window
	members int
	known   int // of members: whose groups were all known during the whole window
	seen    seen
	units   []*unitTally // whose people its members are
}

// Count counts anew, from memberships and slots as they stand. It may be run at
// any time, by several at once: the last to be done is the one that is read.
// Switched off it counts nothing.
func (s *Service) Count(ctx context.Context) error { return s.count(ctx, steps{20_000, 4_000}) }

func (s *Service) count(ctx context.Context, by steps) error {
	q := s.DB.Read(ctx)
	b, err := readBook(q)
	now := s.now()
	if err != nil || !b.asks(guard.ModeAdvise, now) {
		return err
	}
	p := b.house(now)
	c := counting{steps: by, book: b, groups: map[id.Group]*groupTally{}, Counted: Counted{AsOf: now, WindowDays: p.WindowDays, From: now.Add(-time.Duration(p.WindowDays) * 24 * time.Hour)}}
	if err := c.readGroups(q); err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		c.ID = tx.Next()
		return tx.Create(&c.Counted).Error
	})
	if err != nil {
		return fmt.Errorf("exposure: count: %w", err)
	}
	if err := s.walk(ctx, &c); err != nil {
		return err
	}
	if err := s.writeGroups(ctx, &c); err != nil {
		return err
	}
	if err := s.writeUnits(ctx, &c); err != nil {
		return err
	}
	return s.finish(ctx, &c)
}

// readGroups reads every group's ads within the window.
func (c *counting) readGroups(q *database.Query) (err error) {
	if c.units, err = readUnits(q); err != nil {
		return err
	}
	for after := id.Group(0); ; {
		groups, units, since, err := community.GroupsAfter(q, after, groupsAtOnce)
		if err != nil || len(groups) == 0 {
			return err
		}
		for i, g := range groups {
			c.groups[g] = &groupTally{whole: since[i] <= c.From, units: c.units[units[i]]}
		}
		err = guard.CountedSince(q, groups, c.From, func(x guard.Counted) {
			g := c.groups[x.GroupID]
			g.ads = append(g.ads, ad{x.First, x.Last})
			c.Ads++
		})
		if err != nil {
			return err
		}
		after = groups[len(groups)-1]
	}
}

// walk goes through all memberships by member, a page at a time. The last
// member of a full page is read again with the next one.
func (s *Service) walk(ctx context.Context, c *counting) error {
	for after, limit := id.Member(0), c.steps.stays; ; {
		n, err := community.StaysByMember(s.DB.Read(ctx), after, c.From, limit, c.take)
		if err != nil {
			return err
		}
		if n < limit {
			c.settle()
			return s.writeBlocks(ctx, c, true)
		}
		if c.who-1 == after {
			limit *= 2 // one member fills the page
		}
		after, c.who, c.gather = c.who-1, 0, c.gather[:0]
		if err := s.writeBlocks(ctx, c, false); err != nil {
			return err
		}
	}
}

// take gathers the stays of one member after the other.
func (c *counting) take(s community.Stay) {
	if s.MemberID != c.who {
		c.settle()
		c.who = s.MemberID
	}
	c.gather = append(c.gather, s)
}

// settle counts the member whose stays were gathered.
func (c *counting) settle() {
	total, whole, in := 0, true, false
	c.own = c.own[:0]
	for _, s := range c.gather {
		n := 0
		if g := c.groups[s.GroupID]; g != nil && !s.Host {
			n = seenBy(g.ads, s)
			whole, in = whole && g.whole, in || s.LeftAt == 0
			c.Stays++
		}
		c.own, total = append(c.own, n), total+n
	}
	for i, s := range c.gather {
		g := c.groups[s.GroupID]
		if g == nil || s.Host || s.LeftAt != 0 {
			continue
		}
		g.members++
		if whole {
			g.known++
		}
		if across(total, c.own[i]) {
			g.seen.add(total)
		}
	}
	if in {
		c.People++
		c.spread.add(total)
		if whole {
			c.Known++
		}
	}
	c.settleUnits(total, whole)
	if total > 0 {
		c.Members++
		c.open.add(c.who, total)
		if c.open.n == c.steps.block {
			c.full, c.open = append(c.full, c.open), block{}
		}
	}
	c.gather = c.gather[:0]
}

type blockRow struct {
	CountID int64     `gorm:"column:count_id"`
	FirstID id.Member `gorm:"column:first_id"`
	LastID  id.Member `gorm:"column:last_id"`
	N       int       `gorm:"column:member_n"`
	Seen    []byte    `gorm:"column:seen"`
}

// TableName is the table's.
func (blockRow) TableName() string { return "exposure_members" }

// writeBlocks writes the blocks that are full, at the end the last one too.
func (s *Service) writeBlocks(ctx context.Context, c *counting, end bool) error {
	if end && c.open.n > 0 {
		c.full, c.open = append(c.full, c.open), block{}
	}
	for part := range slices.Chunk(c.full, rowsAtOnce) {
		rows := make([]blockRow, len(part))
		for i, b := range part {
			rows[i] = blockRow{c.ID, b.first, b.last, b.n, b.packed}
		}
		if err := s.DB.Tx(ctx, func(tx *database.Tx) error { return tx.Create(&rows).Error }); err != nil {
			return fmt.Errorf("exposure: members: %w", err)
		}
	}
	c.full = c.full[:0]
	return nil
}

type groupRow struct {
	GroupID id.Group `gorm:"column:group_id;primaryKey;autoIncrement:false"`
	Members int      `gorm:"column:members"`
	Known   int      `gorm:"column:known"`
	Seen    string   `gorm:"column:seen"`
	ShareBP int      `gorm:"column:share_bp"`
}

// TableName is the table's.
func (groupRow) TableName() string { return "exposure_groups" }

// writeGroups writes what changed of groups; one without members has no row.
func (s *Service) writeGroups(ctx context.Context, c *counting) error {
	for _, t := range c.groups {
		if t.members > 0 {
			c.Groups++
		}
	}
	for part := range slices.Chunk(slices.Sorted(maps.Keys(c.groups)), groupsAtOnce) {
		had, err := groupRows(s.DB.Read(ctx), part)
		if err != nil {
			return err
		}
		of, err := c.book.policies(s.DB.Read(ctx), part, c.AsOf)
		if err != nil {
			return err
		}
		var gone []id.Group
		var rows []groupRow
		for _, g := range part {
			t := c.groups[g]
			at := Verdict{Policy: of[g], Members: t.members, Over: t.seen.over(of[g].Ceiling)}
			is := groupRow{g, t.members, t.known, t.seen.String(), at.ShareBP()}
			was, stood := had[g]
			if was == is || !stood && t.members == 0 {
				continue
			}
			gone = append(gone, g)
			if t.members > 0 {
				rows = append(rows, is)
			}
		}
		if len(gone) == 0 {
			continue
		}
		err = s.DB.Tx(ctx, func(tx *database.Tx) error {
			err := tx.Exec("DELETE FROM exposure_groups WHERE group_id IN ?", gone).Error
			if err != nil || len(rows) == 0 {
				return err
			}
			return tx.Create(&rows).Error
		})
		if err != nil {
			return fmt.Errorf("exposure: groups: %w", err)
		}
	}
	return nil
}

func groupRows(q *database.Query, groups []id.Group) (map[id.Group]groupRow, error) {
	var rows []groupRow
	if err := q.Raw("SELECT group_id, members, known, seen, share_bp FROM exposure_groups WHERE group_id IN ?", groups).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("exposure: groups: %w", err)
	}
	out := make(map[id.Group]groupRow, len(rows))
	for _, r := range rows {
		out[r.GroupID] = r
	}
	return out, nil
}

// finish makes the count the newest and forgets those before the last one,
// which somebody may still be reading.
func (s *Service) finish(ctx context.Context, c *counting) error {
	last, err := newest(s.DB.Read(ctx))
	if err != nil {
		return err
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		return tx.Exec("UPDATE exposure_counts SET group_n = ?, ad_n = ?, stay_n = ?, member_n = ?, people_n = ?, known_n = ?, spread = ?, unit_n = ?, done_at = ? WHERE id = ?",
			c.Groups, c.Ads, c.Stays, c.Counted.Members, c.People, c.Known, c.spread.String(), c.Units, tx.Now, c.ID).Error
	})
	if err != nil {
		return fmt.Errorf("exposure: count: %w", err)
	}
	for more := true; more; {
		err := s.DB.Tx(ctx, func(tx *database.Tx) error {
			var rows []blockRow
			err := tx.Raw("SELECT count_id, first_id FROM exposure_members WHERE count_id < ? ORDER BY count_id, first_id LIMIT ?", last.ID, rowsAtOnce).Scan(&rows).Error
			for _, r := range rows {
				if err == nil {
					err = tx.Exec("DELETE FROM exposure_members WHERE count_id = ? AND first_id = ?", r.CountID, r.FirstID).Error
				}
			}
			if more = len(rows) == rowsAtOnce; err != nil || more {
				return err
			}
			if more, err = forgetUnits(tx, last.ID); err != nil || more {
				return err
			}
			return tx.Exec("DELETE FROM exposure_counts WHERE id < ?", last.ID).Error
		})
		if err != nil {
			return fmt.Errorf("exposure: forget: %w", err)
		}
	}
	return nil
}
