package gathering

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// checkAround is how long before and after an event one checks in.
const checkAround = time.Hour

// codeFor is how long a code is good, the door's and a seat's: long enough to
// walk up and scan, too short to be handed on.
const codeFor = 3 * time.Minute

// use is what a code is for, so that one never passes for the other.
type use byte

const (
	useDoor use = 1
	useSeat use = 2
)

const codeBytes = 1 + 8 + 8 + 8

// code signs an event, a member (0 at the door) and an end.
func (s *Service) code(u use, gathering id.Gathering, member id.Member) string {
	p := make([]byte, codeBytes)
	p[0] = byte(u)
	binary.BigEndian.PutUint64(p[1:], uint64(gathering))
	binary.BigEndian.PutUint64(p[9:], uint64(member))
	binary.BigEndian.PutUint64(p[17:], uint64(clock.MilliOf(s.DB.Clock.Now().Add(codeFor))))
	kid, mac := s.Secrets.Sign(secret.Tokens, codeText(p))
	return kid + "." + base64.RawURLEncoding.EncodeToString(append(p, mac...))
}

func codeText(p []byte) []byte { return append([]byte("gathering:"), p...) }

// read says whose code it is, if it is one of this event, for this, and good.
func (s *Service) read(u use, gathering id.Gathering, code string) (id.Member, error) {
	kid, text, _ := strings.Cut(code, ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) <= codeBytes {
		return 0, ErrCode
	}
	p, mac := b[:codeBytes], b[codeBytes:]
	if !s.Secrets.Verify(secret.Tokens, kid, codeText(p), mac) || use(p[0]) != u || id.Gathering(binary.BigEndian.Uint64(p[1:])) != gathering ||
		clock.Milli(binary.BigEndian.Uint64(p[17:])) <= clock.MilliOf(s.DB.Clock.Now()) {
		return 0, ErrCode
	}
	return id.Member(binary.BigEndian.Uint64(p[9:])), nil
}

// DoorCode is what the QR at the door says now, for who may see the event.
func (s *Service) DoorCode(ctx context.Context, gathering id.Gathering) (string, error) {
	if _, err := s.Find(ctx, gathering); err != nil {
		return "", err
	}
	return s.code(useDoor, gathering, 0), nil
}

// SeatCode is what the QR of a member's own seat says now.
func (s *Service) SeatCode(ctx context.Context, gathering id.Gathering, member id.Member) (string, error) {
	seat, err := s.Mine(ctx, gathering, member)
	if err == nil && seat.Status != SeatIn {
		err = ErrSeat
	}
	if err != nil {
		return "", err
	}
	return s.code(useSeat, gathering, seat.MemberID), nil
}

// CheckIn notes that a member who scanned the door is there; once more changes
// nothing.
func (s *Service) CheckIn(ctx context.Context, gathering id.Gathering, member id.Member, door string) error {
	if _, err := s.read(useDoor, gathering, door); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error { return checkTx(tx, gathering, member) })
}

// ScanIn is what a colleague scanned at the door: the code of a seat.
type ScanIn struct {
	Seat string `json:"seat"`
}

// Validate checks the scan's form.
func (in ScanIn) Validate() error {
	var c fault.Check
	c.Required(in.Seat, "seat")
	c.Length(in.Seat, "seat", 200)
	return c.Err()
}

// Scan notes that the member whose seat's code was scanned is there, and says
// who it is.
func (s *Service) Scan(ctx context.Context, gathering id.Gathering, in ScanIn) (Seat, error) {
	if err := in.Validate(); err != nil {
		return Seat{}, err
	}
	if _, err := s.Find(ctx, gathering); err != nil {
		return Seat{}, err
	}
	member, err := s.read(useSeat, gathering, in.Seat)
	if err != nil {
		return Seat{}, err
	}
	var who id.Member
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		live, err := community.FollowMerges(tx.DB, []id.Member{member})
		if err != nil {
			return err
		}
		who = live[member]
		if err := checkTx(tx, gathering, who); err != nil {
			return err
		}
		return database.AuditTx(tx, "gathering.scan", gathering, nil, map[string]any{"member_id": who})
	})
	if err != nil {
		return Seat{}, err
	}
	return s.Mine(ctx, gathering, who)
}

// checkTx checks the member's seat in, once.
func checkTx(tx *database.Tx, gathering id.Gathering, member id.Member) error {
	who, err := community.LockLiveTx(tx, member)
	if err != nil {
		return err
	}
	g, err := one(tx.DB, gathering, tx.Dialect.ForUpdate)
	switch {
	case err != nil:
		return err
	case g.Status == StatusCancelled:
		return ErrCancelled
	case tx.Now < g.StartsAt.Add(-checkAround) || tx.Now > g.EndsAt.Add(checkAround):
		return ErrHours
	}
	seat, err := seatOf(tx.DB, g.ID, who)
	switch {
	case err != nil:
		return err
	case seat.Status != SeatIn:
		return ErrSeat
	case seat.CheckedAt != 0:
		return nil
	}
	return database.One(tx.Exec("UPDATE gathering_seats SET checked_at = ?, checked_by = ? WHERE id = ?"+tx.Only("checked_at = 0"), tx.Now, tx.Actor.Staff, seat.ID), ErrSeat)
}
