package material

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/jpeg" // what pictures are
	_ "image/png"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/poster"
)

// PictureMax is the largest picture that WeCom sends into a group.
const PictureMax = 2 << 20

// Picture is an uploaded picture. The same bytes are one picture of a unit.
type Picture struct {
	ID        id.Picture  `json:"id" gorm:"column:id;primaryKey;autoIncrement:false"`
	UnitID    id.Unit     `json:"unit_id" gorm:"column:unit_id"`
	SHA256    string      `json:"sha256" gorm:"column:sha256"`
	Format    string      `json:"format" gorm:"column:format"` // png or jpeg
	Width     int         `json:"width" gorm:"column:width"`
	Height    int         `json:"height" gorm:"column:height"`
	Size      int         `json:"size" gorm:"column:size"` // bytes
	Body      []byte      `json:"-" gorm:"column:body"`
	CreatedBy id.Staff    `json:"created_by" gorm:"column:created_by"`
	CreatedAt clock.Milli `json:"created_at" gorm:"column:created_at;autoCreateTime:false"`
}

// TableName is the table's.
func (Picture) TableName() string { return "pictures" }

const pictureColumns = "id, unit_id, sha256, format, width, height, size, created_by, created_at"

// PictureIn is an upload, base64 in JSON.
type PictureIn struct {
	UnitID id.Unit `json:"unit_id"` // default the caller's unit
	Image  []byte  `json:"image"`
}

// Upload keeps a picture. Its head is looked at before anything is decoded;
// then it is decoded once, so that what channels get is a picture.
func (s *Service) Upload(ctx context.Context, in PictureIn) (id.Picture, error) {
	if in.UnitID == 0 {
		in.UnitID = database.ActorOf(ctx).Unit
	}
	var c fault.Check
	c.That(database.ActorOf(ctx).Sees(in.UnitID), "unit_id", "unknown_value", "没有这个组织", "there is no such unit")
	c.That(len(in.Image) <= PictureMax, "image", "too_large", "图片最大 2 MB", "at most 2 MB")
	if err := c.Err(); err != nil {
		return 0, err
	}
	if _, err := poster.Open(in.Image); err != nil {
		return 0, err
	}
	img, format, err := image.Decode(bytes.NewReader(in.Image))
	if err != nil {
		return 0, fault.Invalid.Field("image", "format", "图片已损坏，无法解码", "the picture is broken and cannot be decoded")
	}
	sum := sha256.Sum256(in.Image)
	p := Picture{UnitID: in.UnitID, SHA256: hex.EncodeToString(sum[:]), Format: format, Width: img.Bounds().Dx(), Height: img.Bounds().Dy(), Size: len(in.Image)}
	err = s.DB.Tx(ctx, func(tx *database.Tx) error {
		was, err := same(tx.DB, p)
		if err != nil {
			return err
		}
		if was.ID != 0 {
			p = was
			tx.SetResult("picture", int64(p.ID), 201)
			return database.AuditTx(tx, "picture.upload", p.ID, nil, p)
		}
		p.ID, p.Body, p.CreatedBy, p.CreatedAt = id.Picture(tx.Next()), in.Image, tx.Actor.Staff, tx.Now
		err = tx.Create(&p).Error
		switch {
		case database.IsDuplicate(err): // somebody uploaded the same at once
			return fault.Unavailable
		case err != nil:
			return fmt.Errorf("material: picture: %w", err)
		}
		tx.SetResult("picture", int64(p.ID), 201)
		return database.AuditTx(tx, "picture.upload", p.ID, nil, p)
	})
	return p.ID, err
}

func same(q *database.Query, p Picture) (Picture, error) {
	var was Picture
	err := q.Raw("SELECT "+pictureColumns+" FROM pictures WHERE unit_id = ? AND sha256 = ?", p.UnitID, p.SHA256).Scan(&was).Error
	return was, err
}

// FindPicture reads a picture the actor may see, with its bytes.
func (s *Service) FindPicture(ctx context.Context, picture id.Picture) (Picture, error) {
	p, err := ReadPicture(s.DB.Read(ctx), picture)
	if err == nil && !database.ActorOf(ctx).Sees(p.UnitID) {
		return Picture{}, fault.NotFound
	}
	return p, err
}

// ReadPicture is FindPicture inside a larger question, whoever asks.
func ReadPicture(q *database.Query, picture id.Picture) (Picture, error) {
	var p Picture
	if err := q.Raw("SELECT "+pictureColumns+", body FROM pictures WHERE id = ?", picture).Scan(&p).Error; err != nil {
		return p, fmt.Errorf("material: picture %s: %w", picture, err)
	}
	if p.ID == 0 {
		return p, fault.NotFound
	}
	return p, nil
}

// knownPictures refuses pictures that the author may not see.
func knownPictures(tx *database.Tx, unit id.Unit, variants []Content) error {
	var c fault.Check
	for i, v := range variants {
		if v.PictureID == 0 {
			continue
		}
		var of id.Unit
		if err := tx.Raw("SELECT unit_id FROM pictures WHERE id = ?", v.PictureID).Scan(&of).Error; err != nil {
			return fmt.Errorf("material: picture %s: %w", v.PictureID, err)
		}
		c.That(of != 0 && (of == unit || tx.Actor.Sees(of)), fmt.Sprintf("variants[%d].picture_id", i), "unknown_value", "没有这张图片", "there is no such picture")
	}
	return c.Err()
}
