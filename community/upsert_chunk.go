package community

import (
	"cmp"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// upsert is one chunk at work: whom the identities name, what each of these
// members is and holds, and what is to be written.
type upsert struct {
	tx      *database.Tx
	found   map[Identity]identityRow
	owners  map[Identity]*person
	fresh   []identityRow
	renewed []identityRow // phones that lay under an older key
}

type person struct {
	Member
	holds   []Identity
	created bool
	changed bool
}

// UpsertMembersTx is UpsertMembers for at most 200 rows, inside a transaction
// that the caller runs under Again.
func (s *Service) UpsertMembersTx(tx *database.Tx, chunk []MemberIn) ([]MemberResult, error) {
	var want []Identity
	for _, in := range chunk {
		for _, x := range in.Identities {
			want = append(want, s.stored(x)...)
		}
	}
	found, err := lookup(tx.DB, want)
	if err != nil {
		return nil, err
	}
	u := &upsert{tx: tx, found: found, owners: map[Identity]*person{}}
	people, err := u.lock()
	if err != nil {
		return nil, err
	}
	out := make([]MemberResult, len(chunk))
	for i, in := range chunk {
		forms := make([][]Identity, len(in.Identities))
		for j, x := range in.Identities {
			forms[j] = s.stored(x)
		}
		p, refused := u.row(in, forms)
		switch {
		case refused != nil:
			out[i] = MemberResult{Result: RowConflict, Err: refused}
			continue
		case p.created && !slices.Contains(people, p):
			people = append(people, p)
			out[i] = MemberResult{Member: p.ID, Result: RowCreated}
		default:
			out[i] = MemberResult{Member: p.ID, Result: RowUpdated}
		}
	}
	return out, u.write(people)
}

// lock takes the rows of the members found, by id ascending, and reads what
// they hold. A member that was merged or erased since the look means that the
// look is stale.
func (u *upsert) lock() ([]*person, error) {
	ids := make([]id.Member, 0, len(u.found))
	for _, r := range u.found {
		ids = append(ids, r.MemberID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := lockMembers(u.tx, ids)
	if err != nil {
		return nil, err
	}
	var held []identityRow
	if err := u.tx.Raw("SELECT id, kind, app, value, member_id FROM identities WHERE member_id IN ?", ids).Scan(&held).Error; err != nil {
		return nil, fmt.Errorf("community: identities: %w", err)
	}
	byID := make(map[id.Member]*person, len(rows))
	people := make([]*person, len(rows))
	for i, m := range rows {
		if m.Status != MemberActive {
			return nil, errRaced
		}
		people[i] = &person{Member: m}
		byID[m.ID] = people[i]
	}
	for _, r := range held {
		p := byID[r.MemberID]
		p.holds = append(p.holds, r.identity())
		u.owners[r.identity()] = p
	}
	for x := range u.found {
		if u.owners[x] == nil {
			return nil, errRaced
		}
	}
	return people, nil
}

// lockMembers locks members by id ascending and reads them.
func lockMembers(tx *database.Tx, ids []id.Member) ([]Member, error) {
	var rows []Member
	err := tx.Raw("SELECT "+memberColumns+" FROM members WHERE id IN ? ORDER BY id"+tx.Dialect.ForUpdate, ids).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("community: lock members: %w", err)
	}
	return rows, nil
}

// row finds or makes the person of one row and gives him what is new. A
// refused row leaves nothing behind.
func (u *upsert) row(in MemberIn, forms [][]Identity) (*person, *fault.Fault) {
	var owners []*person
	var missing []Identity
	for _, f := range forms {
		known := false
		for _, x := range f {
			p := u.owners[x]
			if known = known || p != nil; p != nil && !slices.Contains(owners, p) {
				owners = append(owners, p)
			}
		}
		if !known {
			missing = append(missing, f[0])
		}
	}
	if refused := u.refuse(in, owners, missing); refused != nil {
		return nil, refused
	}
	if len(owners) == 0 {
		p := &person{Member: Member{
			ID: id.Member(u.tx.Next()), UnitID: u.tx.Actor.Unit, Guest: true, Status: MemberActive,
			Version: 1, CreatedAt: u.tx.Now,
		}, created: true}
		owners = append(owners, p)
	}
	p := owners[0]
	p.set(in)
	for _, x := range missing {
		if u.owners[x] == p { // named twice in the row
			continue
		}
		u.fresh = append(u.fresh, identityRow{u.tx.Next(), x.Kind, x.App, x.Value, p.ID, u.tx.Now})
		u.owners[x] = p
		p.holds = append(p.holds, x)
		if p.Guest {
			p.Guest, p.changed = false, true
		}
	}
	for _, f := range forms {
		u.renew(f)
	}
	return p, nil
}

// refuse says why a row cannot stand.
func (u *upsert) refuse(in MemberIn, owners []*person, missing []Identity) *fault.Fault {
	for _, p := range owners {
		if !u.tx.Actor.Sees(p.UnitID) {
			return ErrMemberElsewhere
		}
	}
	switch {
	case in.UnitID != 0 && !u.tx.Actor.Sees(in.UnitID):
		return ErrUnitUnknown
	case len(owners) > 1:
		first, second := min(owners[0].ID, owners[1].ID), max(owners[0].ID, owners[1].ID)
		return ErrIdentityConflict.With("first", first).With("second", second)
	}
	for _, x := range missing {
		if x.Kind == IdentityGuest {
			return ErrGuestUnknown
		}
		if len(owners) == 1 && slices.Contains(single, x.Kind) &&
			slices.ContainsFunc(owners[0].holds, func(h Identity) bool { return h.Kind == x.Kind }) {
			return ErrIdentityTaken.With("member", owners[0].ID).With("kind", x.Kind)
		}
	}
	return nil
}

func (p *person) set(in MemberIn) {
	if name := CleanLine(in.Name); name != "" && name != p.Name {
		p.Name, p.changed = name, true
	}
	if in.UnitID != 0 && in.UnitID != p.UnitID {
		p.UnitID, p.changed = in.UnitID, true
	}
}

// renew moves a phone's hash to the key that signs now, so that the older key
// can be retired once every member has been seen again.
func (u *upsert) renew(forms []Identity) {
	for _, old := range forms[1:] {
		if r, ok := u.found[old]; ok && u.owners[forms[0]] == nil {
			u.owners[forms[0]] = u.owners[old]
			r.Value = forms[0].Value
			u.renewed = append(u.renewed, r)
		}
	}
}

// write writes what the rows came to. A duplicate means that another
// transaction made one of these identities after our look.
func (u *upsert) write(people []*person) error {
	var created []Member
	var ids struct {
		Created []id.Member `json:"created"`
		Updated []id.Member `json:"updated"`
	}
	for _, p := range people {
		switch {
		case p.created:
			created = append(created, p.Member)
			ids.Created = append(ids.Created, p.ID)
		case p.changed:
			ids.Updated = append(ids.Updated, p.ID)
			err := database.One(u.tx.Exec("UPDATE members SET unit_id = ?, name = ?, guest = ?, version = version + 1 WHERE id = ?",
				p.UnitID, p.Name, p.Guest, p.ID), errRaced)
			if err != nil {
				return err
			}
		}
	}
	if len(created) > 0 {
		if err := u.tx.Create(&created).Error; err != nil {
			return fmt.Errorf("community: members: %w", err)
		}
	}
	if err := u.writeIdentities(); err != nil {
		return err
	}
	return database.AuditTx(u.tx, "members.put", u.tx.Actor.Unit, nil, ids)
}

func (u *upsert) writeIdentities() error {
	for _, r := range u.renewed {
		err := u.tx.Exec("UPDATE identities SET value = ? WHERE id = ?", r.Value, r.ID).Error
		if err != nil {
			return raced(err)
		}
	}
	if len(u.fresh) == 0 {
		return nil
	}
	// One order for all, so that two batches wait for each other in a line.
	slices.SortFunc(u.fresh, func(a, b identityRow) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.App, b.App), cmp.Compare(a.Value, b.Value))
	})
	return raced(u.tx.Create(&u.fresh).Error)
}

// raced turns a unique key's refusal into errRaced.
func raced(err error) error {
	if database.IsDuplicate(err) {
		return errRaced
	}
	return err
}
