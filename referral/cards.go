package referral

import (
	"context"
	"fmt"
	"io"
	"math"

	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/poster"
)

// CardsMax is how many places of a batch one file of cards covers.
const CardsMax = 2000

// CardsIn names the cards: those of a batch's places from a number on, on a
// template (0: the one its unit changed last).
type CardsIn struct {
	Template id.PosterTemplate
	From     int // the first place is 1
	Count    int
}

// Cards are table cards, ready to be written.
type Cards struct {
	Pages int
	urls  []Code
	sheet poster.Sheet
	photo []byte
}

// FindCards gathers the codes of a finished batch that still lead somewhere,
// and checks what they are to be printed on.
func (s *Service) FindCards(ctx context.Context, b Batch, in CardsIn) (Cards, error) {
	var c fault.Check
	c.Range(int64(in.From), "from", 1, math.MaxInt32)
	c.Range(int64(in.Count), "count", 1, CardsMax)
	if err := c.Err(); err != nil {
		return Cards{}, err
	}
	if b.Status != BatchDone {
		return Cards{}, ErrBatchState.With("done", b.Done).With("total", b.Total)
	}
	t, err := s.usablePoster(ctx, b.UnitID, in.Template)
	if err != nil {
		return Cards{}, err
	}
	var out Cards
	first, last := in.From-1, min(in.From-1+in.Count, b.Total)
	for part := first / partPlaces; part*partPlaces < last; part++ {
		_, made, codes, err := s.partMade(ctx, b.ID, part)
		if err != nil {
			return Cards{}, err
		}
		for i, x := range made {
			code := codes[id.Code(x)]
			if no := part*partPlaces + i; no >= first && no < last && (code.Status == CodeLive || code.Status == CodeRotated) {
				out.urls = append(out.urls, code)
			}
		}
	}
	if out.Pages = len(out.urls); out.Pages == 0 {
		return Cards{}, fault.Invalid.Field("from", "empty", "这些位置没有可用的邀请码", "no code of these places leads anywhere")
	}
	var upload []byte
	if err := s.DB.Read(ctx).Raw("SELECT image FROM poster_templates WHERE id = ?", t.ID).Row().Scan(&upload); err != nil {
		return Cards{}, fmt.Errorf("referral: background of %s: %w", t.ID, err)
	}
	err = s.desk().at(ctx, upload, t.Layout, func(sheet poster.Sheet) error {
		out.sheet = sheet
		if err := sheet.Check(out.urls[0].URL, out.urls[0].Code); err != nil {
			return err
		}
		out.photo, err = sheet.Photo()
		return err
	})
	return out, err
}

// WriteCards writes the file.
func (s *Service) WriteCards(ctx context.Context, c Cards, to io.Writer) error {
	file, err := c.sheet.NewCards(to, c.photo)
	if err != nil {
		return err
	}
	for _, code := range c.urls {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := file.Add(code.URL, code.Code); err != nil {
			return err
		}
	}
	return file.Close()
}
