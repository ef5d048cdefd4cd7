package referral

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/qr"
)

// Pixels per module of a QR picture.
const (
	QRModule    = 8
	qrModuleMin = 4
	qrModuleMax = 32
)

// Form is how a QR is drawn.
type Form string

// The forms, named by their media types.
const (
	FormPNG Form = "image/png"
	FormSVG Form = "image/svg+xml"
)

// Picture is a QR as it is served.
type Picture struct {
	Form  Form
	ETag  string // quoted, of the bytes
	Bytes []byte
}

// target is what a QR picture names: our host and the code, nothing else; the
// server knows the rest. Up to 42 bytes it stays a version 3 symbol.
func (s *Service) target(code string) string { return s.Page(codePage(code)) }

func codePage(code string) string { return "/i/" + code }

// Page is the address that a picture names for a page of this house.
func (s *Service) Page(path string) string {
	host := s.QRURL
	if host == "" {
		host = s.PublicURL
	}
	return strings.TrimSuffix(host, "/") + path
}

// CodePicture draws a code for those who manage it, with the given pixels per
// module (0: 8). A code that was drawn a moment ago is answered from memory:
// its unit never changes, and an inviter whom memory does not know, as after a
// merge, is looked up. Memory knows canonical codes alone.
func (s *Service) CodePicture(ctx context.Context, typed string, f Form, module int) (Picture, error) {
	if d, ok := s.drawn.get(drawing{codePage(typed), f, moduleOf(module)}); ok && d.of.ID != 0 && mayManage(database.ActorOf(ctx), d.of) {
		return d.Picture, nil
	}
	code, err := s.FindCode(ctx, typed)
	if err != nil {
		return Picture{}, err
	}
	return s.picture(drawing{codePage(code.Code), f, moduleOf(module)}, code)
}

// PagePicture draws the address of a page of this house as CodePicture a code.
func (s *Service) PagePicture(path string, f Form, module int) (Picture, error) {
	return s.picture(drawing{path, f, moduleOf(module)}, Code{})
}

func moduleOf(module int) int {
	if module == 0 {
		return QRModule
	}
	return module
}

func (s *Service) picture(what drawing, of Code) (Picture, error) {
	var c fault.Check
	c.Range(int64(what.module), "module", qrModuleMin, qrModuleMax)
	if err := c.Err(); err != nil {
		return Picture{}, err
	}
	if d, ok := s.drawn.get(what); ok && d.of.ID == of.ID && d.of.InviterID == of.InviterID {
		return d.Picture, nil
	}
	symbol, err := qr.New(s.Page(what.path))
	if err != nil {
		return Picture{}, err
	}
	p := Picture{Form: what.form}
	if p.Form == FormSVG {
		p.Bytes = symbol.SVG(what.module)
	} else {
		p.Bytes = symbol.PNG(what.module)
	}
	sum := sha256.Sum256(p.Bytes)
	p.ETag = `"` + hex.EncodeToString(sum[:12]) + `"`
	s.drawn.put(what, drawn{p, of})
	return p, nil
}

// QRText draws the code for a terminal.
func (s *Service) QRText(code Code) (string, error) {
	symbol, err := qr.New(s.target(code.Code))
	if err != nil {
		return "", err
	}
	return symbol.Text(), nil
}

// drawing is what was drawn; drawn is the picture and the code whose manager
// may see it.
type drawing struct {
	path   string
	form   Form
	module int
}

type drawn struct {
	Picture
	of Code
}

// drawnHeld bounds the memory of pictures, each about 0.4 to 4 kB; beyond it
// all are drawn anew.
const drawnHeld = 4096

type drawnPictures struct {
	mu   sync.RWMutex
	seen map[drawing]drawn
}

func (p *drawnPictures) get(what drawing) (drawn, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	d, ok := p.seen[what]
	return d, ok
}

func (p *drawnPictures) put(what drawing, d drawn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || len(p.seen) >= drawnHeld {
		p.seen = map[drawing]drawn{}
	}
	p.seen[what] = d
}
