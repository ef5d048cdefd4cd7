package web

import (
	"bytes"
	"slices"
)

// banded puts the band that says this is no real house onto a printed page,
// right after its body begins, so that no page can be without it.
func (s *Server) banded(printed []byte, base page) ([]byte, error) {
	at := bytes.Index(printed, []byte("<body"))
	if !s.Rehearsal || at < 0 {
		return printed, nil
	}
	at += bytes.IndexByte(printed[at:], '>') + 1
	var band bytes.Buffer
	if err := s.press.print(&band, "rehearsal", base, base.Now.In(shop).Format("2006-01-02 15:04")); err != nil {
		return nil, err
	}
	return slices.Insert(printed, at, band.Bytes()...), nil
}
