package community

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// IdentityKind is where a person is known by an identity.
type IdentityKind string

// The kinds. An openid counts within its app; a guest identity is made by
// NewGuest and is the guest's own id.
const (
	IdentityMall          IdentityKind = "mall"
	IdentityUnionID       IdentityKind = "unionid"
	IdentityOpenID        IdentityKind = "openid"
	IdentityWecomExternal IdentityKind = "wecom_external"
	IdentityPhone         IdentityKind = "phone"
	IdentityGuest         IdentityKind = "guest"
)

// strongKinds prove one person well enough for limits and rewards.
var strongKinds = []IdentityKind{IdentityMall, IdentityUnionID, IdentityWecomExternal, IdentityPhone}

// identitiesMax bounds the identities of one row of a batch.
const identitiesMax = 8

// Identity names a person within a kind. Value is empty when a phone is read
// back, because only its keyed hash is kept.
type Identity struct {
	Kind  IdentityKind `json:"kind"`
	App   string       `json:"app,omitempty"`
	Value string       `json:"value,omitempty"`
}

type identityRow struct {
	ID        int64        `gorm:"column:id;primaryKey;autoIncrement:false"`
	Kind      IdentityKind `gorm:"column:kind"`
	App       string       `gorm:"column:app"`
	Value     string       `gorm:"column:value"`
	MemberID  id.Member    `gorm:"column:member_id"`
	CreatedAt clock.Milli  `gorm:"column:created_at;autoCreateTime:false"`
}

func (identityRow) TableName() string { return "identities" }

func (r identityRow) identity() Identity { return Identity{r.Kind, r.App, r.Value} }

// shown is the identity as people may see it.
func (r identityRow) shown() Identity {
	if r.Kind == IdentityPhone {
		return Identity{Kind: r.Kind}
	}
	return r.identity()
}

// check notes what is wrong with the identity under the field name.
func (i Identity) check(c *fault.Check, field string) {
	c.OneOf(string(i.Kind), field+".kind", string(IdentityMall), string(IdentityUnionID), string(IdentityOpenID),
		string(IdentityWecomExternal), string(IdentityPhone), string(IdentityGuest))
	if i.Kind == IdentityOpenID {
		c.Required(i.App, field+".app")
	} else {
		c.That(i.App == "", field+".app", "unknown", "只有 openid 需要 app", "only an openid has an app")
	}
	c.Length(i.App, field+".app", 64)
	c.Required(i.Value, field+".value")
	c.Length(i.Value, field+".value", 128)
	c.That(plain(i.App) && plain(i.Value), field+".value", "format",
		"不能含空白或控制字符", "must hold neither spaces nor control characters")
	if i.Kind == IdentityPhone {
		c.That(phone(i.Value) != "", field+".value", "format",
			"请填写 11 位手机号，或带国家码的 +8613800000000 格式", "give an 11 digit mainland number, or + with the country code")
	}
}

// plain says that an opaque value has no character that a log, a URL or an eye
// would lose.
func plain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) < 0
}

// phone is the number in international form, or "" if it is none.
func phone(s string) string {
	s = strings.NewReplacer("-", "", "(", "", ")", "").Replace(s)
	digits := strings.TrimPrefix(s, "+")
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	switch {
	case s != digits && len(digits) >= 8 && len(digits) <= 15 && digits[0] != '0':
		return s
	case s == digits && len(digits) == 11 && digits[0] == '1':
		return "+86" + digits
	}
	return ""
}

// stored are the forms under which the identity may lie in the table, the one
// to write first. A phone has one per live key, so that keys can be rotated.
func (s *Service) stored(i Identity) []Identity {
	if i.Kind != IdentityPhone {
		return []Identity{i}
	}
	var out []Identity
	for _, mac := range s.Secrets.MACs(secret.PII, []byte("phone "+phone(i.Value))) {
		out = append(out, Identity{Kind: i.Kind, Value: hex.EncodeToString(mac)})
	}
	return out
}

// lookup reads which members the stored identities name.
func lookup(q *database.Query, want []Identity) (map[Identity]identityRow, error) {
	type place struct {
		kind IdentityKind
		app  string
	}
	values := map[place][]string{}
	for _, i := range want {
		p := place{i.Kind, i.App}
		values[p] = append(values[p], i.Value)
	}
	found := map[Identity]identityRow{}
	for p, vs := range values {
		var rows []identityRow
		err := q.Raw("SELECT id, kind, app, value, member_id FROM identities WHERE kind = ? AND app = ? AND value IN ?",
			p.kind, p.app, vs).Scan(&rows).Error
		if err != nil {
			return nil, fmt.Errorf("community: identities: %w", err)
		}
		for _, r := range rows {
			found[r.identity()] = r
		}
	}
	return found, nil
}

// Resolve finds the member an identity names.
func (s *Service) Resolve(q *database.Query, kind, app, value string) (id.Member, error) {
	i := Identity{IdentityKind(kind), app, value}
	var c fault.Check
	i.check(&c, "identity")
	if err := c.Err(); err != nil {
		return 0, err
	}
	forms := s.stored(i)
	found, err := lookup(q, forms)
	if err != nil {
		return 0, err
	}
	for _, f := range forms {
		if r, ok := found[f]; ok {
			return r.MemberID, nil
		}
	}
	return 0, fault.NotFound
}

// ResolveIn finds the members that identities name; unknown ones are left out.
func (s *Service) ResolveIn(q *database.Query, identities []Identity) (map[Identity]id.Member, error) {
	out := make(map[Identity]id.Member, len(identities))
	for part := range slices.Chunk(identities, 100) { // a phone has a form per live key
		var want []Identity
		for _, i := range part {
			want = append(want, s.stored(i)...)
		}
		found, err := lookup(q, want)
		if err != nil {
			return nil, err
		}
		for _, i := range part {
			for _, f := range s.stored(i) {
				if r, ok := found[f]; ok {
					out[i] = r.MemberID
				}
			}
		}
	}
	return out, nil
}

// StrongIn says which of the live members have a strong identity: mall id,
// unionid, WeCom external id or phone. A merged member has none left; follow
// merges first.
func StrongIn(q *database.Query, members []id.Member) (map[id.Member]bool, error) {
	out := make(map[id.Member]bool, len(members))
	if len(members) == 0 {
		return out, nil
	}
	var strong []id.Member
	err := q.Raw("SELECT DISTINCT member_id FROM identities WHERE member_id IN ? AND kind IN ?", members, strongKinds).Scan(&strong).Error
	if err != nil {
		return nil, fmt.Errorf("community: strong identities: %w", err)
	}
	for _, m := range strong {
		out[m] = true
	}
	return out, nil
}

// TodayIn is FollowMerges and StrongIn in one read: who these members are now,
// and which of those have a strong identity.
func TodayIn(q *database.Query, members []id.Member) (today map[id.Member]id.Member, strong map[id.Member]bool, err error) {
	today, strong = make(map[id.Member]id.Member, len(members)), make(map[id.Member]bool, len(members))
	if len(members) == 0 {
		return today, strong, nil
	}
	var rows []struct {
		ID, Live id.Member
		Strong   bool
	}
	err = q.Raw(`SELECT m.id, m.live, EXISTS (SELECT 1 FROM identities i WHERE i.member_id = m.live AND i.kind IN ?) AS strong
		FROM (SELECT id, CASE WHEN merged_into = 0 THEN id ELSE merged_into END AS live FROM members WHERE id IN ?) m`,
		strongKinds, members).Scan(&rows).Error
	if err != nil {
		return nil, nil, fmt.Errorf("community: members of today: %w", err)
	}
	for _, r := range rows {
		today[r.ID] = r.Live
		if r.Strong {
			strong[r.Live] = true
		}
	}
	return today, strong, nil
}
