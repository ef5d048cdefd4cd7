package referral

import (
	"fmt"
	"strings"

	qrcode "github.com/skip2/go-qrcode"

	"siyu/internal/fault"
)

// Pixels per module of a QR picture.
const (
	QRModule    = 8
	qrModuleMin = 4
	qrModuleMax = 32
)

// target is what a QR picture names: our host and the code, nothing else; the
// server knows the rest. Up to 42 bytes it stays a version 3 symbol.
func (s *Service) target(code string) string { return s.Page("/i/" + code) }

// Page is the address that a picture names for a page of this house.
func (s *Service) Page(path string) string {
	host := s.QRURL
	if host == "" {
		host = s.PublicURL
	}
	return strings.TrimSuffix(host, "/") + path
}

// QRPNG draws the code as a PNG with the given pixels per module (0: 8): whole
// pixels, error correction M, the quiet border kept.
func (s *Service) QRPNG(code Code, module int) ([]byte, error) {
	return s.PagePNG("/i/"+code.Code, module)
}

// PagePNG draws the address of a page of this house like QRPNG a code's.
func (s *Service) PagePNG(path string, module int) ([]byte, error) {
	if module == 0 {
		module = QRModule
	}
	var c fault.Check
	c.Range(int64(module), "module", qrModuleMin, qrModuleMax)
	if err := c.Err(); err != nil {
		return nil, err
	}
	q, err := qrcode.New(s.Page(path), qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("referral: QR of %s: %w", path, err)
	}
	// A negative size is pixels per module; a positive one would scale by a
	// fraction and blur the edges scanners look for.
	png, err := q.PNG(-module)
	if err != nil {
		return nil, fmt.Errorf("referral: QR of %s: %w", path, err)
	}
	return png, nil
}

// QRText draws the code for a terminal.
func (s *Service) QRText(code Code) (string, error) {
	q, err := qrcode.New(s.target(code.Code), qrcode.Medium)
	if err != nil {
		return "", fmt.Errorf("referral: QR of %s: %w", code.ID, err)
	}
	return q.ToSmallString(false), nil
}
