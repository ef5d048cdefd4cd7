package community

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// groupsMax bounds a batch: group, charter and edit of each stay far below
// 2,000 rows.
const groupsMax = 200

// GroupBatch is what PutGroups takes at once.
type GroupBatch struct {
	Groups []GroupIn `json:"groups"`
}

// Validate checks every row's form; each external id comes once.
func (b GroupBatch) Validate() error {
	var c fault.Check
	c.Range(int64(len(b.Groups)), "groups", 1, groupsMax)
	seen := map[string]bool{}
	for i, in := range b.Groups[:min(len(b.Groups), groupsMax)] {
		at := fmt.Sprintf("groups[%d].", i)
		in.check(&c, at)
		c.Required(in.ExternalID, at+"external_id")
		c.That(!seen[in.ExternalID], at+"external_id", "repeated", "同一批中重复", "comes twice in the batch")
		seen[in.ExternalID] = true
	}
	return c.Err()
}

// GroupResult is what became of one row; Err says why it is a conflict.
type GroupResult struct {
	Group  id.Group     `json:"group_id"`
	Result RowResult    `json:"result"`
	Err    *fault.Fault `json:"-"`
}

// PutGroups makes or updates up to 200 groups by external id in one
// transaction, a result for each row in order. A group made here lived before
// Siyu knew it and counts as imported. A charter that reads differently from
// the latest is published.
func (s *Service) PutGroups(ctx context.Context, rows []GroupIn) ([]GroupResult, error) {
	if err := (GroupBatch{rows}).Validate(); err != nil {
		return nil, err
	}
	var out []GroupResult
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			var err error
			out, err = PutGroupsTx(tx, rows)
			return err
		})
	})
	return out, err
}

// PutGroupsTx is PutGroups inside a transaction that the caller runs under
// Again.
func PutGroupsTx(tx *database.Tx, rows []GroupIn) ([]GroupResult, error) {
	externals := make([]string, len(rows))
	for i, in := range rows {
		externals[i] = in.ExternalID
	}
	var known []Group
	err := tx.Raw("SELECT "+groupColumns+" FROM chat_groups WHERE external_id IN ? ORDER BY id"+tx.Dialect.ForUpdate, externals).Scan(&known).Error
	if err != nil {
		return nil, fmt.Errorf("community: lock groups: %w", err)
	}
	out := make([]GroupResult, len(rows))
	for _, i := range inOrder(rows) {
		at := slices.IndexFunc(known, func(g Group) bool { return g.ExternalID == rows[i].ExternalID })
		if at < 0 {
			g, err := createTx(tx, rows[i], true)
			out[i] = GroupResult{Group: g.ID, Result: RowCreated}
			if out[i], err = settled(out[i], err); err != nil {
				return nil, err
			}
			continue
		}
		err := putGroup(tx, known[at], rows[i])
		out[i] = GroupResult{Group: known[at].ID, Result: RowUpdated}
		if out[i], err = settled(out[i], err); err != nil {
			return nil, err
		}
	}
	return out, database.AuditTx(tx, "groups.put", tx.Actor.Unit, nil, out)
}

// inOrder is the rows' order by external id, the same for every batch, so that
// two that make the same groups wait in a line.
func inOrder(rows []GroupIn) []int {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(rows[a].ExternalID, rows[b].ExternalID) })
	return order
}

// settled turns a refusal of one row into its result; other errors end the
// batch.
func settled(r GroupResult, err error) (GroupResult, error) {
	if f, ok := fault.As(err); ok && f.Kind < fault.KindInternal {
		return GroupResult{Result: RowConflict, Err: f}, nil
	}
	return r, err
}

// putGroup brings a locked group to what the row says.
func putGroup(tx *database.Tx, g Group, in GroupIn) error {
	switch {
	case !tx.Actor.Sees(g.UnitID):
		return ErrGroupTaken.With("external_id", g.ExternalID)
	case g.Status == GroupDissolved:
		return ErrGroupClosed.With("status", g.Status)
	}
	next := g
	next.Name = CleanLine(in.Name)
	next.UnitID = cmp.Or(in.UnitID, g.UnitID)
	next.Preset = cmp.Or(in.Preset, g.Preset)
	next.Zone = cmp.Or(in.Zone, g.Zone)
	next.OwnerID = cmp.Or(in.OwnerID, g.OwnerID)
	next.BornAt = cmp.Or(in.BornAt, g.BornAt)
	if in.Charter != nil {
		// Before the first write: the batch goes on after a refused row.
		if err := in.Charter.fits(next.Preset, tx.Now); err != nil {
			return err
		}
	}
	if next != g {
		if _, err := writeGroup(tx, next); err != nil {
			return err
		}
	}
	return republish(tx, next, in.Charter)
}

// republish publishes the charter unless the latest already reads like it.
func republish(tx *database.Tx, g Group, in *CharterIn) error {
	if in == nil {
		return nil
	}
	var latest Charter
	err := tx.Raw("SELECT "+charterColumns+" FROM charters WHERE group_id = ? ORDER BY version DESC LIMIT 1", g.ID).Scan(&latest).Error
	if err != nil {
		return fmt.Errorf("community: charter of %s: %w", g.ID, err)
	}
	if in.same(latest) {
		return nil
	}
	_, err = publishTx(tx, g, *in)
	return err
}
