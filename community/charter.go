package community

import (
	"context"
	"fmt"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

const (
	dayMinutes = 24 * 60

	// quietMin is the shortest quiet time a charter may promise, in minutes.
	quietMin = 7 * 60

	// noticeFor is how long a looser charter is announced before it counts.
	noticeFor = 7 * 24 * time.Hour
)

// Charter is what a group promises its members, one version of it. It is the
// ceiling of everything Siyu sends into the group. QuietFrom and QuietTo are
// minutes of the local day in the group's zone; the quiet may cross midnight.
type Charter struct {
	GroupID     id.Group    `json:"group_id"`
	Version     int         `json:"version"`
	Purpose     string      `json:"purpose"`
	AdsPerDay   int         `json:"ads_per_day"`
	AdsPerWeek  int         `json:"ads_per_week"`
	QuietFrom   int         `json:"quiet_from"`
	QuietTo     int         `json:"quiet_to"`
	EndsAt      clock.Milli `json:"ends_at"`
	AnnouncedAt clock.Milli `json:"announced_at"`
	EffectiveAt clock.Milli `json:"effective_at"`
	CharterWords
}

// CharterWords are what a charter says beside its purpose and its numbers: whom
// the group is for, what members get of it, and the rules they agree to. The
// guard does not read them.
type CharterWords struct {
	Audience string `json:"audience"`
	Benefits string `json:"benefits"`
	Rules    string `json:"rules"`
}

func (w CharterWords) check(c *fault.Check, at string) {
	c.Length(w.Audience, at+"audience", 500)
	c.Length(w.Benefits, at+"benefits", 500)
	c.Length(w.Rules, at+"rules", 1000)
}

func (w CharterWords) clean() CharterWords {
	return CharterWords{cleanText(w.Audience), cleanText(w.Benefits), cleanText(w.Rules)}
}

const charterColumns = "group_id, version, purpose, ads_per_day, ads_per_week, quiet_from, quiet_to, ends_at, announced_at, effective_at, audience, benefits, rules"

// CharterIn is a charter to publish.
type CharterIn struct {
	Purpose    string      `json:"purpose"`
	AdsPerDay  int         `json:"ads_per_day"`
	AdsPerWeek int         `json:"ads_per_week"`
	QuietFrom  int         `json:"quiet_from"`
	QuietTo    int         `json:"quiet_to"`
	EndsAt     clock.Milli `json:"ends_at"` // from then on the group is promised no ad
	CharterWords
}

// Validate checks the promise against the bounds every group has.
func (in CharterIn) Validate() error {
	var c fault.Check
	in.check(&c, "")
	return c.Err()
}

func (in CharterIn) check(c *fault.Check, at string) {
	c.Required(cleanText(in.Purpose), at+"purpose")
	c.Length(cleanText(in.Purpose), at+"purpose", 1000)
	in.clean().check(c, at)
	c.Range(int64(in.AdsPerDay), at+"ads_per_day", 0, 6)
	c.Range(int64(in.AdsPerWeek), at+"ads_per_week", 0, 30)
	c.That(in.AdsPerWeek >= in.AdsPerDay, at+"ads_per_week", "range", "每周上限不能低于每日上限", "the week's cap cannot be below the day's")
	c.Range(int64(in.QuietFrom), at+"quiet_from", 0, dayMinutes-1)
	c.Range(int64(in.QuietTo), at+"quiet_to", 0, dayMinutes-1)
	c.That(quietFor(in.QuietFrom, in.QuietTo) >= quietMin, at+"quiet_to", "range",
		"免打扰时间至少 7 小时", "quiet hours must last 7 hours or more")
}

// fits says whether a group of the preset may promise this from now on.
func (in CharterIn) fits(p Preset, now clock.Milli) error {
	if p == PresetFlash && (in.EndsAt == 0 || in.EndsAt > now.Add(flashLife)) {
		return fault.Invalid.Field("ends_at", "range", "快闪群须写明 14 天内的结束时间", "a flash group must end within 14 days")
	}
	return nil
}

// quietFor is the length of the quiet time in minutes.
func quietFor(from, to int) int { return (to - from + dayMinutes) % dayMinutes }

// looser says that in lets something through that c keeps out: more ads, a
// minute that was quiet, or a later end.
func (in CharterIn) looser(c Charter) bool {
	later := (c.QuietFrom - in.QuietFrom + dayMinutes) % dayMinutes
	covered := later+quietFor(c.QuietFrom, c.QuietTo) <= quietFor(in.QuietFrom, in.QuietTo)
	return in.AdsPerDay > c.AdsPerDay || in.AdsPerWeek > c.AdsPerWeek || !covered ||
		c.EndsAt != 0 && (in.EndsAt == 0 || in.EndsAt > c.EndsAt)
}

// same says that the charter already reads like this.
func (in CharterIn) same(c Charter) bool {
	in.Purpose, in.CharterWords = cleanText(in.Purpose), in.clean()
	return in == c.again()
}

// again is the charter as it would be published once more.
func (c Charter) again() CharterIn {
	return CharterIn{c.Purpose, c.AdsPerDay, c.AdsPerWeek, c.QuietFrom, c.QuietTo, c.EndsAt, c.CharterWords}
}

// PublishCharter announces a new version for the group: a looser one counts in
// seven days, any other at once.
func (s *Service) PublishCharter(ctx context.Context, group id.Group, in CharterIn) (Charter, error) {
	if err := in.Validate(); err != nil {
		return Charter{}, err
	}
	var out Charter
	err := s.DB.Tx(ctx, func(tx *database.Tx) error {
		g, err := lockGroup(tx, group)
		if err != nil {
			return err
		}
		before, err := Charters(tx.DB, []id.Group{group}, tx.Now)
		if err != nil {
			return err
		}
		if out, err = publishTx(tx, g, in); err != nil {
			return err
		}
		tx.SetResult("charter", int64(out.Version), 201)
		return database.AuditTx(tx, "group.charter", group, before[group], out)
	})
	return out, err
}

// publishTx writes the next version; the group's row is locked or new.
func publishTx(tx *database.Tx, g Group, in CharterIn) (Charter, error) {
	if err := in.fits(g.Preset, tx.Now); err != nil {
		return Charter{}, err
	}
	in.Purpose, in.CharterWords = cleanText(in.Purpose), in.clean()
	var latest int
	if err := tx.Raw("SELECT COALESCE(MAX(version), 0) FROM charters WHERE group_id = ?", g.ID).Scan(&latest).Error; err != nil {
		return Charter{}, fmt.Errorf("community: charters of %s: %w", g.ID, err)
	}
	ended := in.EndsAt != 0 && in.EndsAt <= tx.Now
	c := Charter{g.ID, latest + 1, in.Purpose, in.AdsPerDay, in.AdsPerWeek, in.QuietFrom, in.QuietTo, in.EndsAt, tx.Now, tx.Now, in.CharterWords}
	if latest > 0 {
		now, err := charterAsWritten(tx.DB, []id.Group{g.ID}, tx.Now)
		if err != nil {
			return Charter{}, err
		}
		if in.looser(now[g.ID]) {
			c.EffectiveAt = tx.Now.Add(noticeFor)
		}
		ended = ended && in.EndsAt != now[g.ID].EndsAt // it may say once more what it said
	}
	if ended {
		return Charter{}, fault.Invalid.Field("ends_at", "past", "结束时间应在现在之后", "must lie in the future")
	}
	err := tx.Exec("INSERT INTO charters ("+charterColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		c.GroupID, c.Version, c.Purpose, c.AdsPerDay, c.AdsPerWeek, c.QuietFrom, c.QuietTo, c.EndsAt, c.AnnouncedAt, c.EffectiveAt, c.Audience, c.Benefits, c.Rules).Error
	if err != nil {
		return Charter{}, fmt.Errorf("community: charter %d of %s: %w", c.Version, g.ID, err)
	}
	return c, nil
}
