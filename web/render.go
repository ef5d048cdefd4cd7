package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/internal/english"
	"siyu/internal/id"
	"siyu/internal/money"
)

// page is what every page carries. Each page's own struct embeds it.
type page struct {
	Lang   string
	Title  string
	Now    time.Time // business time
	Home   string    // this page's own address, also when a form led here
	Other  string    // the same page in the other language
	Hue    int       // one of four colour sets
	Form   string    // signed form token
	Key    string    // idempotency key of the form's effect
	Notice *notice
	Card   *card // of a page that is sent into chats
}

// notice is what went wrong, or right, with the last form.
type notice struct {
	Text string
	More string
	Link string // where to sign in
}

// press holds the templates, parsed once per language: templates carry both
// languages side by side, {{t "中文" "English"}}, and the set decides.
type press struct {
	sets  map[string]*template.Template
	shelf shelf
}

func newPress() (*press, error) {
	shelf, err := stock()
	if err != nil {
		return nil, err
	}
	p := &press{map[string]*template.Template{}, shelf}
	for _, lang := range []string{langZH, langEN} {
		set := template.New("").Funcs(template.FuncMap{
			"t":    func(zh, en string, args ...any) string { return choose(lang, zh, en, args...) },
			"span": func(d time.Duration) string { return span(lang, d) },
			// clockOf is a moment whose year is plain from where it stands.
			"clockOf":    func(at time.Time) string { return moment(lang, at, at) },
			"hundredths": func(n int64, of int) int64 { return part(n, int64(of)) },
			"when":       func(now, at time.Time) string { return moment(lang, now, at) },
			"yuan":       yuan,
			"cny":        cny,
			"fen":        fen,
			"first":      first,
			"asset":      shelf.href,
			"task":       taskOn,
			"aboutGroup": func(g id.Group, here string) []tab { return aboutGroup(lang, g, here) },
		})
		if _, err := set.ParseFS(templateFiles, "templates/*.html"); err != nil {
			return nil, fmt.Errorf("web: templates: %w", err)
		}
		p.sets[lang] = set
	}
	return p, nil
}

// choose is the text in the language, with its arguments filled in, amounts of
// money with their thousands apart.
func choose(lang, zh, en string, args ...any) string {
	text := zh
	if lang == langEN {
		text = en
	}
	if len(args) == 0 {
		return text
	}
	for i, a := range args {
		if a, is := a.(money.Amount); is {
			args[i] = grouped(a)
		}
	}
	if text = fmt.Sprintf(text, args...); lang == langEN {
		return english.One(text)
	}
	return text
}

// print renders a page. A template that fails leaves nothing half written.
func (p *press) print(w io.Writer, name string, base page, data any) error {
	var b bytes.Buffer
	if err := p.sets[base.Lang].ExecuteTemplate(&b, name, data); err != nil {
		return fmt.Errorf("web: %s: %w", name, err)
	}
	_, err := b.WriteTo(w)
	return err
}

// policy lets a page load its own style, script and pictures, and pictures of
// products from the mall's https addresses. Nothing inline runs.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' https:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// show answers with a page.
func (s *Server) show(c *gin.Context, status int, name string, base page, data any) error {
	h := c.Writer.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", base.Lang)
	h.Set("Content-Security-Policy", policy)
	// Forms name their origin to this house, and nothing goes to another.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Vary", "Accept-Language, Cookie")
	h.Set("Cache-Control", "private, no-store")
	var b bytes.Buffer
	if err := s.press.print(&b, name, base, data); err != nil {
		return err
	}
	printed, err := s.banded(b.Bytes(), base)
	if err != nil {
		return err
	}
	c.Data(status, "text/html; charset=utf-8", printed)
	return nil
}
