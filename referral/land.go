package referral

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// Landing is what a scanned code opens.
type Landing struct {
	CodeID         id.Code
	Code           string
	URL            string
	InviterID      id.Member
	CampaignID     id.Campaign
	GroupID        id.Group
	ProgramID      id.Program
	ProgramName    string
	Scope          string
	ProgramVersion int
	ProgramStatus  ProgramStatus // only an active one takes invitations
	Rules          Rules
	// Page proves what was shown; the person who acts sends it back.
	Page string
}

// refusalFloor is how long a refused look-up takes at least, so that its time
// does not tell a wrong code from a revoked one.
const refusalFloor = 60 * time.Millisecond

// Land opens a code for anybody: unknown, mistyped, revoked and expired codes
// are refused alike, by the same fault and not before 60 ms. A code of somebody who
// may not invite now is not dead, and says so.
func (s *Service) Land(ctx context.Context, code string) (Landing, error) {
	started := time.Now()
	l, err := s.land(ctx, code)
	if errors.Is(err, ErrCode) {
		// The floor is wall time: it hides how long the work took.
		select {
		case <-ctx.Done():
		case <-time.After(refusalFloor - time.Since(started)):
		}
	}
	return l, err
}

func (s *Service) land(ctx context.Context, code string) (Landing, error) {
	q := s.DB.Read(ctx)
	now := clock.MilliOf(s.DB.Clock.Now())
	c, err := s.usable(q, code, now)
	if err != nil {
		return Landing{}, err
	}
	var p Program
	if err := q.Raw("SELECT id, name, scope, status, latest FROM programs WHERE id = ?", c.ProgramID).Take(&p).Error; err != nil {
		return Landing{}, database.Absent(err)
	}
	rules, err := rulesOf(s.DB.Read(ctx), p.ID, p.Latest)
	if err != nil {
		return Landing{}, err
	}
	if err := mayInvite(q, rules, c.InviterID); err != nil {
		return Landing{}, err
	}
	return Landing{
		CodeID: c.ID, Code: c.Code, URL: c.URL, InviterID: c.InviterID, CampaignID: c.CampaignID, GroupID: c.GroupID,
		ProgramID: p.ID, ProgramName: p.Name, Scope: p.Scope, ProgramVersion: p.Latest, ProgramStatus: p.Status, Rules: rules,
		Page: s.SignPage(c.ID, p.ID, p.Latest),
	}, nil
}

// pageFor is how long a page may stay open before it must be loaded again.
const pageFor = 7 * 24 * time.Hour

// SignPage seals which code and which program version a page shows, so that
// what a person saw is what he is bound to.
func (s *Service) SignPage(code id.Code, program id.Program, version int) string {
	var b []byte
	for _, n := range []int64{int64(code), int64(program), int64(version), s.DB.Clock.Now().UnixMilli()} {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	_, mac := s.Secrets.Sign(secret.Tokens, append([]byte("page:"), b...))
	return base64.RawURLEncoding.EncodeToString(append(b, mac[:16]...))
}

// openPage reads what SignPage made, if it is of this code, or of one that was
// rotated to it since, and not too old. It tells which code the page showed.
func (s *Service) openPage(page string, code Code, now clock.Milli) (of id.Code, program id.Program, version int, shown clock.Milli, err error) {
	b, err := base64.RawURLEncoding.DecodeString(page)
	if err != nil || len(b) != 4*8+16 {
		return 0, 0, 0, 0, ErrPage
	}
	body, mac := b[:32], b[32:]
	genuine := false
	for _, m := range s.Secrets.MACs(secret.Tokens, append([]byte("page:"), body...)) {
		genuine = hmac.Equal(m[:16], mac) || genuine
	}
	n := func(i int) int64 { return int64(binary.BigEndian.Uint64(body[8*i:])) }
	of = id.Code(n(0))
	if !genuine || of != code.ID && !slices.Contains(code.via, of) || clock.Milli(n(3)).Add(pageFor) <= now {
		return 0, 0, 0, 0, ErrPage
	}
	return of, id.Program(n(1)), int(n(2)), clock.Milli(n(3)), nil
}
