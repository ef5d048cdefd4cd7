package community

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// Personal says where one table of the room holds what about a person, and
// what erasing him does there. Nothing else in the room names a person; a test
// compares this map with the schema.
type Personal struct {
	Table  string
	Person string   // the column that holds the member
	Holds  []string // the columns that tell something about him
	Erase  string   // the statement, with the member's id; "" keeps the rows
	Why    string
}

// PersonalData is the room's map. Erasing leaves opaque ids, so that ledgers
// and counts still add up.
func PersonalData() []Personal {
	return []Personal{
		{"members", "id", []string{"name"},
			"UPDATE members SET name = '已注销', guest = 0, status = 'erased', version = version + 1 WHERE id = ? AND status <> 'erased'",
			"the id stays, because orders and ledgers name it"},
		{"identities", "member_id", []string{"kind", "app", "value"},
			"DELETE FROM identities WHERE member_id = ?",
			"what leads from the outside to the person"},
		{"consents", "member_id", []string{"purpose", "granted", "text_version", "source", "at"},
			"", "proof of what was agreed; holds no name"},
		{"memberships", "member_id", []string{"group_id", "role", "joined_at", "left_at", "charter_version", "code_id", "inviter_id"},
			"", "the group's history by opaque id; EraseMember ends those that last"},
		{"member_facts", "member_id", []string{"kind", "ref", "at", "amount"},
			"", "opaque references that rewards rest on"},
		{"activity_events", "member_id", []string{"group_id", "event_id", "kind", "at", "day", "received_at", "to_id", "topic"},
			"", "EraseMember takes them away in parts; that another replied to him stays, by opaque id"},
		{"applications", "member_id", []string{"group_id", "status", "charter_version", "region", "answers", "reason", "fee", "paid", "looked", "waited_at", "created_at", "decided_at"},
			"UPDATE applications SET region = '', answers = '{}', reason = '' WHERE member_id = ?",
			"what he said of himself goes; that he asked stays, by opaque id"},
		{"requests", "member_id", []string{"group_id", "kind", "line", "status", "wants", "answer_by", "answer", "answered_at", "rating", "campaign_id", "created_at"},
			"UPDATE requests SET line = '已注销' WHERE member_id = ?",
			"what he asked goes; that somebody asked stays, by opaque id"},
		{"request_wants", "member_id", []string{"request_id", "at"},
			"", "what he wanted too, by opaque id"},
		{"vouches", "member_id", []string{"group_id", "used_by", "created_at"},
			"", "whom he vouched for, by opaque id"},
		{"gathering_seats", "member_id", []string{"gathering_id", "group_id", "status", "waited_at", "checked_at", "checked_by", "created_at", "reminded_for"},
			"", "that he came to an offline event, by opaque id"},
		{"member_grades", "member_id", []string{"group_id", "grade", "day", "days_in", "active_days", "replies", "attended"},
			"DELETE FROM member_grades WHERE member_id = ?",
			"how at home he was in a group, of no use without him"},
		{"grade_moves", "member_id", []string{"group_id", "day", "grade_before", "grade_after", "days_in", "active_days", "replies", "attended"},
			"DELETE FROM grade_moves WHERE member_id = ?",
			"how that changed, likewise"},
		{"merger_invites", "member_id", []string{"merger_id", "invited_at", "declined_at"},
			"", "that he was invited into another group, by opaque id"},
		{"group_split_seats", "member_id", []string{"split_id", "part", "talked", "met", "team", "asked", "came", "elsewhere", "invited_at", "declined_at"},
			"", "which sub-group he was to be invited into, by opaque id"},
		{"violations", "member_id", []string{"group_id", "rule", "at", "created_at"},
			"", "the group's order by opaque id; holds no text"},
		{"notices", "member_id", []string{"template", "fact", "created_at"},
			"", "that he was told of something, by opaque id; holds no text"},
		{"member_tags", "member_id", []string{"tag_id", "source", "day"},
			"DELETE FROM member_tags WHERE member_id = ?",
			"what the brand thinks of him, of no use without him"},
		{"member_blocks", "member_id", []string{"reason", "until_at", "created_at"},
			"DELETE FROM member_blocks WHERE member_id = ?",
			"the reason may tell something about him; whoever comes back is somebody new"},
		{"member_merges", "into_id", []string{"from_id", "at"},
			"", "leads from the ids on old ledgers to this one"},
	}
}

// Export is all this room knows about a person.
type Export struct {
	Member      Member       `json:"member"`
	MergedFrom  []id.Member  `json:"merged_from"`
	Consents    []Consent    `json:"consents"` // every decision ever made
	Memberships []Membership `json:"memberships"`
	Facts       []ExportFact `json:"facts"`
	Tags        []MemberTag  `json:"tags"`
	Blocks      []Block      `json:"blocks"` // at most one

	Activity []ExportActivity `json:"activity"`
}

// ExportActivity is one thing the person did in a group.
type ExportActivity struct {
	GroupID id.Group     `json:"group_id"`
	Kind    ActivityKind `json:"kind"`
	At      clock.Milli  `json:"at"`
}

// ExportFact is a fact as the person is shown it.
type ExportFact struct {
	Kind FactKind    `json:"kind"`
	At   clock.Milli `json:"at"`
}

// ExportMember reads all this room knows about a person, for his right to a
// copy.
func (s *Service) ExportMember(ctx context.Context, member id.Member) (Export, error) {
	m, err := s.FindMember(ctx, member)
	if err != nil {
		return Export{}, err
	}
	out := Export{Member: m, MergedFrom: []id.Member{}, Memberships: []Membership{}, Facts: []ExportFact{}, Blocks: []Block{}, Activity: []ExportActivity{}}
	q := s.DB.Read(ctx)
	for sql, into := range map[string]any{
		"SELECT id FROM members WHERE merged_into = ? ORDER BY id":                                           &out.MergedFrom,
		"SELECT " + membershipColumns + " FROM memberships WHERE member_id = ? ORDER BY joined_at, group_id": &out.Memberships,
		"SELECT * FROM member_blocks WHERE member_id = ?":                                                    &out.Blocks,
		"SELECT kind, at FROM member_facts WHERE member_id = ? ORDER BY at, id":                              &out.Facts,
	} {
		if err := q.Raw(sql, m.ID).Scan(into).Error; err != nil {
			return Export{}, fmt.Errorf("community: export %s: %w", m.ID, err)
		}
	}
	if out.Tags, err = tagsOf(q, m.ID); err != nil {
		return Export{}, err
	}
	// Events keep the id they were reported with.
	for part := range slices.Chunk(append([]id.Member{m.ID}, out.MergedFrom...), activityLook) {
		var rows []ExportActivity
		if err := q.Raw("SELECT group_id, kind, at FROM activity_events WHERE member_id IN ? ORDER BY at, event_id", part).Scan(&rows).Error; err != nil {
			return Export{}, fmt.Errorf("community: export %s: %w", m.ID, err)
		}
		out.Activity = append(out.Activity, rows...)
	}
	out.Consents, err = consentHistory(q, m.ID)
	return out, err
}

// EraseMember takes away what names a person: his identities go, his name is
// replaced, he leaves his groups, and what he did in them is taken away after
// that. Consents stay as proof. It may be repeated.
func (s *Service) EraseMember(ctx context.Context, member id.Member) error {
	err := Again(func() error {
		return s.DB.Tx(ctx, func(tx *database.Tx) error {
			m, err := lockLive(tx, member)
			if errors.Is(err, ErrMemberErased) {
				return nil
			}
			if err != nil {
				return err
			}
			for _, p := range PersonalData() {
				if p.Erase == "" {
					continue
				}
				if err := tx.Exec(p.Erase, m.ID).Error; err != nil {
					return fmt.Errorf("community: erase %s in %s: %w", m.ID, p.Table, err)
				}
			}
			err = tx.Exec("UPDATE memberships SET left_at = CASE WHEN joined_at > ? THEN joined_at ELSE ? END, version = version + 1 WHERE member_id = ? AND left_at = 0",
				tx.Now, tx.Now, m.ID).Error
			if err != nil {
				return fmt.Errorf("community: end memberships of %s: %w", m.ID, err)
			}
			if err := changedTx(tx); err != nil {
				return err
			}
			return database.AuditTx(tx, "member.erase", m.ID, nil, nil)
		})
	})
	if err != nil {
		return err
	}
	live, err := FollowMerges(s.DB.Read(ctx), []id.Member{member})
	if err != nil {
		return err
	}
	return s.forgetActivity(ctx, live[member])
}
