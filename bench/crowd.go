package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/id"
)

// crowd is the members who claim, each with a token of his own. Rounds use
// the same members again on another item.
type crowd struct {
	groups []id.Group
	ids    []id.Member
	tokens []string

	authorized time.Time // when the tokens were issued
}

// audienceGroups is how many chat groups the crowd is spread over; campaigns
// are for members of these groups, so that the audience is checked.
const audienceGroups = 10

// gather makes n members straight in the tables: with a mall identity and a
// place in a group, as the mall's import would, only faster.
func gather(ctx context.Context, db *database.DB, groups []id.Group, n int) (crowd, error) {
	c := crowd{groups: groups, ids: make([]id.Member, n)}
	for i := range c.ids {
		c.ids[i] = id.Member(db.IDs.Next())
	}
	const chunk = 500
	for from := 0; from < n; from += chunk {
		part := c.ids[from:min(from+chunk, n)]
		err := db.Tx(ctx, func(tx *database.Tx) error { return c.insert(tx, part, from) })
		if err != nil {
			return c, fmt.Errorf("members: %w", err)
		}
	}
	return c, nil
}

func (c crowd) insert(tx *database.Tx, part []id.Member, from int) error {
	var members, identities, places strings.Builder
	members.WriteString("INSERT INTO members (id, unit_id, name, guest, status, merged_into, version, created_at) VALUES ")
	identities.WriteString("INSERT INTO identities (id, kind, app, value, member_id, created_at) VALUES ")
	places.WriteString("INSERT INTO memberships (id, group_id, member_id, role, joined_at, left_at, charter_version, code_id, version) VALUES ")
	for i, m := range part {
		if i > 0 {
			members.WriteByte(',')
			identities.WriteByte(',')
			places.WriteByte(',')
		}
		fmt.Fprintf(&members, "(%d,0,'bench',0,'active',0,1,%d)", m, tx.Now)
		fmt.Fprintf(&identities, "(%d,'mall','','bench%d',%d,%d)", tx.Next(), m, m, tx.Now)
		fmt.Fprintf(&places, "(%d,%d,%d,'member',%d,0,1,0,1)", tx.Next(), c.groups[(from+i)%len(c.groups)], m, tx.Now)
	}
	for _, text := range []string{members.String(), identities.String(), places.String()} {
		if err := tx.Exec(text).Error; err != nil {
			return err
		}
	}
	return nil
}

// authorize issues every member a token, with the house's own keys; they live
// for a quarter of an hour. Issuing is not part of what is measured.
func (c *crowd) authorize(ctx context.Context, s *access.Service) error {
	c.tokens, c.authorized = make([]string, len(c.ids)), time.Now()
	for i, m := range c.ids {
		t, err := s.IssueMemberToken(ctx, m, access.MemberTokenFor)
		if err != nil {
			return err
		}
		c.tokens[i] = t
	}
	return nil
}
