package community

import (
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Bounds of a batch of members. A chunk is one transaction: 200 rows with 8
// identities each stay under 2,000 rows written.
const (
	membersMax  = 500
	memberChunk = 200
)

// MemberIn is one person as the mall knows him: all identities given name the
// same person. An empty name or unit leaves what is there; a new member gets
// the caller's unit.
type MemberIn struct {
	Identities []Identity `json:"identities"`
	Name       string     `json:"name"`
	UnitID     id.Unit    `json:"unit_id"`
}

// MemberBatch is what UpsertMembers takes at once.
type MemberBatch struct {
	Members []MemberIn `json:"members"`
}

// Validate checks every row's form.
func (b MemberBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.Members)), "members", 1, membersMax)
	for i, m := range b.Members[:min(len(b.Members), membersMax)] {
		at := fmt.Sprintf("members[%d]", i)
		checkName(&c, m.Name, at+".name")
		c.Range(int64(len(m.Identities)), at+".identities", 1, identitiesMax)
		for j, x := range m.Identities[:min(len(m.Identities), identitiesMax)] {
			x.check(&c, fmt.Sprintf("%s.identities[%d]", at, j))
		}
		c.That(!twice(m.Identities), at+".identities", "repeated",
			"一人只有一个商城号和一个 unionid", "one person has one mall id and one unionid")
	}
	return c.Err()
}

// single are the kinds of which one person brings one. Only a merge gives a
// member two: a phone number that has changed hands must not join two people.
var single = []IdentityKind{IdentityMall, IdentityUnionID}

func twice(list []Identity) bool {
	for _, kind := range single {
		values := map[string]bool{}
		for _, x := range list {
			if x.Kind == kind {
				values[x.Value] = true
			}
		}
		if len(values) > 1 {
			return true
		}
	}
	return false
}

// RowResult is what became of one row of a batch.
type RowResult string

// The results. Updated also when the row said what was already so.
const (
	RowCreated  RowResult = "created"
	RowUpdated  RowResult = "updated"
	RowConflict RowResult = "conflict"
)

// MemberResult is what became of one row; Err says why it is a conflict.
type MemberResult struct {
	Member id.Member    `json:"member_id"`
	Result RowResult    `json:"result"`
	Err    *fault.Fault `json:"-"`
}

// UpsertMembers makes or updates up to 500 members by identity, a result for
// each row in order. Rows in conflict change nothing; the others stand. Chunks
// commit one by one, so a batch that was cut off is sent again as it is.
func (s *Service) UpsertMembers(ctx context.Context, rows []MemberIn) ([]MemberResult, error) {
	if err := (MemberBatch{rows}).Validate(); err != nil {
		return nil, err
	}
	out := make([]MemberResult, 0, len(rows))
	for chunk := range slices.Chunk(rows, memberChunk) {
		var done []MemberResult
		err := Again(func() error {
			return s.DB.Tx(ctx, func(tx *database.Tx) error {
				var err error
				done, err = s.UpsertMembersTx(tx, chunk)
				return err
			})
		})
		if err != nil {
			return nil, err
		}
		out = append(out, done...)
	}
	return out, nil
}
