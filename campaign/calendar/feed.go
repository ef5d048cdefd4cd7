package calendar

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// Feed is the address of one calendar app: it reads one unit's calendar and
// nothing else, until it is revoked. Its token is kept as a hash only.
type Feed struct {
	ID        id.Feed     `json:"id"`
	UnitID    id.Unit     `json:"unit_id"`
	Name      string      `json:"name"`
	Lang      string      `json:"lang"`
	Hash      string      `json:"-"`
	Status    FeedStatus  `json:"status"`
	CreatedAt clock.Milli `json:"created_at" gorm:"autoCreateTime:false"`
	RevokedAt clock.Milli `json:"revoked_at"`
}

// TableName is calendar_feeds.
func (Feed) TableName() string { return "calendar_feeds" }

// FeedStatus says whether the address answers.
type FeedStatus string

// The states of a feed.
const (
	FeedActive  FeedStatus = "active"
	FeedRevoked FeedStatus = "revoked"
)

// FeedIn is a new feed.
type FeedIn struct {
	UnitID id.Unit `json:"unit_id"` // default the caller's unit
	Name   string  `json:"name"`    // where it is read, like a phone
	Lang   string  `json:"lang"`    // zh-CN (default) or en
}

// Validate checks what needs no database.
func (in FeedIn) Validate() error {
	var c fault.Check
	c.Required(strings.TrimSpace(in.Name), "name")
	c.Length(in.Name, "name", 100)
	if in.Lang != "" {
		c.OneOf(in.Lang, "lang", "zh-CN", "en")
	}
	return c.Err()
}

// tokenPrefix begins every feed token, so that scanners of leaked secrets know one.
const tokenPrefix = "cal_siyu_"

// AddFeed makes a feed; its token is told this once.
func (s *Service) AddFeed(ctx context.Context, in FeedIn) (id.Feed, string, error) {
	if err := in.Validate(); err != nil {
		return 0, "", err
	}
	if in.Lang == "" {
		in.Lang = "zh-CN"
	}
	token := tokenPrefix + strings.ToLower(rand.Text())
	var made id.Feed
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		unit, err := unitOf(tx, in.UnitID)
		if err != nil {
			return err
		}
		f := Feed{ID: id.Feed(tx.Next()), UnitID: unit, Name: in.Name, Lang: in.Lang, Hash: hashOf(token), Status: FeedActive, CreatedAt: tx.Now}
		made = f.ID
		if err := tx.Create(&f).Error; err != nil {
			return err
		}
		tx.SetResult("calendar_feed", int64(made), 201)
		return database.AuditTx(tx, "calendar_feed.add", made, nil, f)
	})
	if err != nil {
		return 0, "", err
	}
	return made, token, nil
}

// hashOf is enough for a text of 130 random bits; it needs no slow hash.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// RevokeFeed ends the address for good; repeated it changes nothing.
func (s *Service) RevokeFeed(ctx context.Context, feed id.Feed) error {
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		f, err := findFeed(tx.DB, tx.Actor, feed)
		if err != nil || f.Status == FeedRevoked {
			return err
		}
		res := tx.Exec("UPDATE calendar_feeds SET status = ?, revoked_at = ? WHERE id = ?", FeedRevoked, tx.Now, feed)
		if err := database.One(res, fault.NotFound); err != nil {
			return err
		}
		return database.AuditTx(tx, "calendar_feed.revoke", feed, f, nil)
	})
}

// FindFeed is the feed without its token.
func (s *Service) FindFeed(ctx context.Context, feed id.Feed) (Feed, error) {
	return findFeed(s.DB.Read(ctx), database.ActorOf(ctx), feed)
}

func findFeed(q *database.Query, a database.Actor, feed id.Feed) (Feed, error) {
	var f Feed
	if err := q.Raw("SELECT * FROM calendar_feeds WHERE id = ?", feed).Scan(&f).Error; err != nil {
		return f, err
	}
	if f.ID == 0 || !a.Sees(f.UnitID) {
		return Feed{}, fault.NotFound
	}
	return f, nil
}

// ListFeeds are the feeds of the caller's units, newest first.
func (s *Service) ListFeeds(ctx context.Context, page database.Page) (database.Paged[Feed], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []Feed
	err := s.DB.Read(ctx).Raw("SELECT * FROM calendar_feeds WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	return database.Cut(page, rows, func(f Feed) int64 { return int64(f.ID) }), err
}

// The days a feed reaches back and ahead.
const (
	feedBack  = 30
	feedAhead = 365
)

// ErrFeed is the one answer to every token that opens nothing.
var ErrFeed = fault.New(fault.KindNotFound, "calendar.no_feed", "这个日历地址不存在或已停用，请向运营要一个新的", "this calendar address does not exist or was revoked; ask your marketer for a new one")

// Read is the feed's calendar as an iCalendar file.
func (s *Service) Read(ctx context.Context, token string) ([]byte, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 64 {
		return nil, ErrFeed
	}
	q := s.DB.Read(ctx)
	var f Feed
	if err := q.Raw("SELECT * FROM calendar_feeds WHERE hash = ? AND status = ?", hashOf(token), FeedActive).Scan(&f).Error; err != nil {
		return nil, err
	}
	if f.ID == 0 {
		return nil, ErrFeed
	}
	units, err := below(q, f.UnitID)
	if err != nil {
		return nil, err
	}
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		return nil, err
	}
	ctx = database.WithActor(ctx, database.Actor{Kind: database.ActorStaff, Unit: f.UnitID, Units: units})
	today := dateOf(clock.Day(s.DB.Clock.Now(), loc))
	p, err := s.Show(ctx, Ask{From: number(today.AddDate(0, 0, -feedBack)), To: number(today.AddDate(0, 0, feedAhead))})
	if err != nil {
		return nil, err
	}
	return ical(p, f.Lang), nil
}

// below are the units a feed of the unit reads: itself and those under it, or
// nil, which is all, at the root.
func below(q *database.Query, unit id.Unit) ([]id.Unit, error) {
	var u struct {
		ParentID id.Unit
		Path     string
	}
	if err := q.Raw("SELECT parent_id, path FROM units WHERE id = ?", unit).Scan(&u).Error; err != nil {
		return nil, err
	}
	if u.Path == "" {
		return []id.Unit{unit}, nil // never more than it was made for
	}
	if u.ParentID == 0 {
		return nil, nil
	}
	var units []id.Unit
	// Ids and slashes only, and '0' follows '/': a range, where LIKE would
	// take the underscore of an id for a wildcard.
	err := q.Raw("SELECT id FROM units WHERE path >= ? AND path < ?", u.Path, strings.TrimSuffix(u.Path, "/")+"0").Scan(&units).Error
	return units, err
}
