package web

import (
	"cmp"
	"strings"

	"siyu/campaign"
)

// card is how a page looks when its address is sent into a chat: og: tags, and
// the fields WeChat reads of a page that is not signed for its JS-SDK.
type card struct {
	Title string
	Desc  string
	Image string // https, or none
	URL   string
}

// face is what a campaign says of itself on its page.
type face struct {
	Subtitle string
	Rules    []string // one per line
}

// dress puts the campaign's own words and pictures on the page.
func (s *Server) dress(p *landingPage, run campaign.Campaign) {
	title := run.Texts.In(p.Lang, func(w campaign.Words) string { return w.Title })
	p.Name = clean(cmp.Or(title, run.Name))
	p.Face.Subtitle = cut(visible(run.Texts.In(p.Lang, func(w campaign.Words) string { return w.Subtitle })), 120)
	for _, line := range strings.Split(run.Texts.In(p.Lang, func(w campaign.Words) string { return w.Rules }), "\n") {
		if line = visible(line); line != "" {
			p.Face.Rules = append(p.Face.Rules, line)
		}
	}
	p.Picture = pictureOf(run.Banner)
	p.Card = &card{
		Title: visible(cmp.Or(run.ShareTitle, p.Name)), Desc: visible(cmp.Or(run.ShareDesc, p.Face.Subtitle, p.Name)),
		Image: pictureOf(cmp.Or(run.ShareImage, run.Banner)), URL: s.PublicURL + p.Home,
	}
}

// finish takes the first product's picture where the campaign named none.
func (c *card) finish(picture string) {
	if c != nil && c.Image == "" {
		c.Image = picture
	}
}
