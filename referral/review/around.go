package review

import (
	"fmt"
	"maps"
	"slices"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/payee"
)

// Bounds of what one look reads.
const (
	peopleAtOnce = 190 // in one list of a statement
	othersMost   = 500 // strangers with a mark of the two
)

// Around gathers what is known of two people and the invitations around them.
func Around(q *database.Query, f Facts) (Facts, error) {
	two := []id.Member{f.Inviter, f.Invitee}
	people := slices.Clone(two)
	for _, v := range f.Invitations {
		if v.Inviter == f.Inviter {
			people = append(people, v.Invitee)
		}
	}
	slices.Sort(people)
	people = slices.Compact(people)
	var err error
	if f.Blocked, err = community.BlockedIn(q, two, f.Now); err != nil {
		return f, err
	}
	f.Kept = map[id.Member]bool{}
	seen := map[Mark]bool{}
	for part := range slices.Chunk(people, peopleAtOnce) {
		kept, err := community.KeptIn(q, part)
		if err != nil {
			return f, err
		}
		for _, m := range kept {
			f.Kept[m] = true
		}
		if err := marks(q, seen, "member_id IN ?", len(part)*sightingsMost, part); err != nil {
			return f, err
		}
		if err := paid(q, seen, part); err != nil {
			return f, err
		}
	}
	if err := strangers(q, seen, two); err != nil {
		return f, err
	}
	f.Marks = slices.SortedFunc(maps.Keys(seen), byMark)
	return f, nil
}

// marks adds the sightings that fit.
func marks(q *database.Query, into map[Mark]bool, where string, most int, args ...any) error {
	var rows []Mark
	err := q.Raw("SELECT member_id AS member, kind, hash FROM sightings WHERE "+where+" ORDER BY id DESC LIMIT ?",
		append(args, most)...).Scan(&rows).Error
	for _, m := range rows {
		into[m] = true
	}
	if err != nil {
		return fmt.Errorf("review: sightings: %w", err)
	}
	return nil
}

// paid adds what the members, and all who share it, are paid under.
func paid(q *database.Query, into map[Mark]bool, members []id.Member) error {
	rows, err := payee.Alike(q, members)
	if err != nil {
		return err
	}
	for _, r := range rows {
		into[Mark{r.Member, MarkPerson, fmt.Sprint(r.Taxpayer)}] = true
		if r.Account != "" {
			into[Mark{r.Member, MarkAccount, r.Account}] = true
		}
	}
	return nil
}

// strangers adds who else was seen with a device or address of the two.
func strangers(q *database.Query, into map[Mark]bool, two []id.Member) error {
	for _, kind := range []MarkKind{MarkDevice, MarkAddress} {
		var hashes []string
		for m := range into {
			if m.Kind == kind && slices.Contains(two, m.Member) {
				hashes = append(hashes, m.Hash)
			}
		}
		if len(hashes) == 0 {
			continue
		}
		slices.Sort(hashes)
		hashes = slices.Compact(hashes)
		if err := marks(q, into, "kind = ? AND hash IN ?", othersMost, kind, hashes[:min(len(hashes), peopleAtOnce)]); err != nil {
			return err
		}
	}
	return nil
}
