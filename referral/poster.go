package referral

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/poster"
)

// PosterTemplate is what codes are printed on.
type PosterTemplate struct {
	ID        id.PosterTemplate `json:"id"`
	UnitID    id.Unit           `json:"unit_id"`
	Name      string            `json:"name"`
	Width     int               `json:"width"`
	Height    int               `json:"height"`
	Layout    poster.Layout     `json:"layout" gorm:"serializer:json"`
	SHA256    string            `json:"sha256"` // of the background
	Version   int               `json:"version"`
	CreatedAt clock.Milli       `json:"created_at"`
	UpdatedAt clock.Milli       `json:"updated_at"`
}

const posterColumns = "id, unit_id, name, width, height, layout, sha256, version, created_at, updated_at"

// PosterIn is a template by its name within a unit. Image is the background,
// PNG or JPEG, base64 in JSON.
type PosterIn struct {
	UnitID id.Unit       `json:"unit_id"` // default the caller's unit
	Name   string        `json:"name"`
	Image  []byte        `json:"image"`
	Layout poster.Layout `json:"layout"`
}

// Validate names what is wrong with the input but for picture and layout.
func (in PosterIn) Validate() error {
	var c fault.Check
	c.Required(strings.TrimSpace(in.Name), "name")
	c.Length(in.Name, "name", 60)
	c.That(len(in.Image) > 0, "image", "required", "请上传背景图", "send the background")
	return c.Err()
}

// posterDesk is what posters are drawn with: the font, opened at the first
// need, and room for few at a time, because each takes some 100 MB.
type posterDesk struct {
	once sync.Once
	font *poster.Font
	err  error
	room chan struct{}
}

const postersAtOnce = 2

func (s *Service) desk() *posterDesk {
	s.posters.once.Do(func() {
		s.posters.font, s.posters.err = poster.OpenFont(s.PosterFont)
		s.posters.room = make(chan struct{}, postersAtOnce)
	})
	return &s.posters
}

// at gives fn the sheet and a place at the desk.
func (d *posterDesk) at(ctx context.Context, upload []byte, l poster.Layout, fn func(poster.Sheet) error) error {
	back, err := poster.Open(upload)
	if err != nil {
		return err
	}
	if len(l.Lines) > 0 && d.err != nil {
		return d.err
	}
	select {
	case d.room <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-d.room }()
	return fn(poster.Sheet{Background: back, Layout: l, Font: d.font})
}

// PutPosterTemplate keeps a template under its name, in place of the one that
// had it. It is drawn once with a code that exists nowhere, and refused if a
// reader does not find that.
func (s *Service) PutPosterTemplate(ctx context.Context, in PosterIn) (PosterTemplate, error) {
	if err := in.Validate(); err != nil {
		return PosterTemplate{}, err
	}
	if in.UnitID == 0 {
		in.UnitID = database.ActorOf(ctx).Unit
	}
	if !database.ActorOf(ctx).Sees(in.UnitID) {
		return PosterTemplate{}, fault.Invalid.Field("unit_id", "unknown", "没有这个组织", "there is no such unit")
	}
	sum := sha256.Sum256(in.Image)
	if in.Layout.Lines == nil {
		in.Layout.Lines = []poster.Line{}
	}
	t := PosterTemplate{UnitID: in.UnitID, Name: in.Name, Layout: in.Layout, SHA256: hex.EncodeToString(sum[:])}
	sample := strings.Repeat("W", codeLength)
	err := s.desk().at(ctx, in.Image, in.Layout, func(sheet poster.Sheet) error {
		t.Width, t.Height = sheet.Width, sheet.Height
		return sheet.Check(s.target(sample), sample)
	})
	if err != nil {
		return PosterTemplate{}, err
	}
	layout, err := json.Marshal(in.Layout)
	if err != nil {
		return PosterTemplate{}, fmt.Errorf("referral: layout: %w", err)
	}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		var was PosterTemplate
		err := tx.Raw("SELECT id, version, created_at FROM poster_templates WHERE unit_id = ? AND name = ?"+tx.Dialect.ForUpdate, t.UnitID, t.Name).Scan(&was).Error
		if err != nil {
			return fmt.Errorf("referral: poster template: %w", err)
		}
		t.ID, t.Version, t.CreatedAt, t.UpdatedAt = was.ID, was.Version+1, was.CreatedAt, tx.Now
		if t.ID != 0 {
			err = tx.Exec("UPDATE poster_templates SET width = ?, height = ?, layout = ?, image = ?, sha256 = ?, version = ?, updated_at = ? WHERE id = ?",
				t.Width, t.Height, string(layout), in.Image, t.SHA256, t.Version, t.UpdatedAt, t.ID).Error
		} else {
			t.ID, t.CreatedAt = id.PosterTemplate(tx.Next()), tx.Now
			err = tx.Exec("INSERT INTO poster_templates ("+posterColumns+", image) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
				t.ID, t.UnitID, t.Name, t.Width, t.Height, string(layout), t.SHA256, t.Version, t.CreatedAt, t.UpdatedAt, in.Image).Error
		}
		switch {
		case database.IsDuplicate(err): // somebody kept the same name at once
			return fault.Unavailable
		case err != nil:
			return fmt.Errorf("referral: poster template: %w", err)
		}
		tx.SetResult("poster_template", int64(t.ID), 200)
		return database.AuditTx(tx, "poster_template.put", t.ID, was.Version, map[string]any{"name": t.Name, "version": t.Version, "sha256": t.SHA256})
	})
	return t, err
}

// ListPosterTemplates are the templates of the caller's units, newest first.
func (s *Service) ListPosterTemplates(ctx context.Context, page database.Page) (database.Paged[PosterTemplate], error) {
	cond, args := database.ActorOf(ctx).Within("unit_id")
	var rows []PosterTemplate
	err := s.DB.Read(ctx).Raw("SELECT "+posterColumns+" FROM poster_templates WHERE id < ?"+cond+" ORDER BY id DESC LIMIT ?",
		append(append([]any{page.Bound()}, args...), page.Fetch())...).Scan(&rows).Error
	if err != nil {
		return database.Paged[PosterTemplate]{}, fmt.Errorf("referral: poster templates: %w", err)
	}
	return database.Cut(page, rows, func(t PosterTemplate) int64 { return int64(t.ID) }), nil
}

// Poster is a code on a template, not drawn yet. ETag says what it would show.
type Poster struct {
	ETag     string
	code     Code
	template PosterTemplate
}

// FindPoster is a code's poster for those who manage the code, on a template
// of its unit or of one that they see; if none is named, on the one that its
// unit changed last.
func (s *Service) FindPoster(ctx context.Context, typed string, template id.PosterTemplate) (Poster, error) {
	code, err := s.FindCode(ctx, typed)
	if err != nil {
		return Poster{}, err
	}
	t, err := s.usablePoster(ctx, code.UnitID, template)
	if err != nil {
		return Poster{}, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", code.URL, t.ID, t.Version))
	return Poster{`"` + hex.EncodeToString(sum[:12]) + `"`, code, t}, nil
}

// usablePoster is the template, if it may be used for codes of the unit.
func (s *Service) usablePoster(ctx context.Context, unit id.Unit, template id.PosterTemplate) (PosterTemplate, error) {
	var t PosterTemplate
	which, arg := "id = ?", int64(template)
	if template == 0 {
		which, arg = "unit_id = ? ORDER BY updated_at DESC, id DESC LIMIT 1", int64(unit)
	}
	if err := s.DB.Read(ctx).Raw("SELECT "+posterColumns+" FROM poster_templates WHERE "+which, arg).Scan(&t).Error; err != nil {
		return t, fmt.Errorf("referral: poster template %s: %w", template, err)
	}
	a := database.ActorOf(ctx)
	member := a.Kind == database.ActorMember || a.Kind == database.ActorGuest
	if t.ID == 0 || t.UnitID != unit && (member || !a.Sees(t.UnitID)) {
		return t, fault.Invalid.Field("template", "unknown", "没有这个海报模板", "there is no such poster template")
	}
	return t, nil
}

// DrawPoster makes the picture. A reader has found the code's address on it.
func (s *Service) DrawPoster(ctx context.Context, p Poster) (png []byte, err error) {
	var upload []byte
	if err := s.DB.Read(ctx).Raw("SELECT image FROM poster_templates WHERE id = ?", p.template.ID).Row().Scan(&upload); err != nil {
		return nil, fmt.Errorf("referral: background of %s: %w", p.template.ID, err)
	}
	err = s.desk().at(ctx, upload, p.template.Layout, func(sheet poster.Sheet) error {
		png, err = sheet.Draw(p.code.URL, p.code.Code)
		return err
	})
	return png, err
}
