package web

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// deskOf is whom a form of the console is signed for.
func deskOf(ctx context.Context) string {
	return "console\x00" + database.ActorOf(ctx).Staff.String()
}

// desk puts a form token for the one at the console, and a fresh idempotency
// key, on a page.
func (s *Server) desk(ctx context.Context, p *page) {
	p.Form = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor))
	p.Key = rand.Text()
}

// may refuses who has none of the roles.
func may(ctx context.Context, roles []access.Role) error {
	if !slices.Contains(roles, access.Role(database.ActorOf(ctx).Role)) {
		return fault.Forbidden
	}
	return nil
}

// tapped checks a form of the console: that its sender has one of the roles and
// was shown it by this house.
func (s *Server) tapped(c *gin.Context, roles []access.Role) (context.Context, error) {
	ctx := c.Request.Context()
	if err := may(ctx, roles); err != nil {
		return ctx, err
	}
	if http.NewCrossOriginProtection().Check(c.Request) != nil || !s.formHolds(c.PostForm("form"), deskOf(ctx)) {
		return ctx, errForm
	}
	return ctx, nil
}

// tappedOnce is tapped for what would happen again at a second tap: the key of
// the form stops it.
func (s *Server) tappedOnce(c *gin.Context, roles []access.Role, route string, fields ...string) (context.Context, error) {
	ctx, err := s.tapped(c, roles)
	if err != nil {
		return ctx, err
	}
	return keyed(ctx, c.PostForm("key"), route, fields...)
}

// tab is one of the lists that a page of the console switches between, by the
// status that it asks for.
type tab struct {
	Name, Href string
	On         bool
}

// groupTabs are the pages about one group.
var groupTabs = []struct{ name, zh, en string }{
	{"", "本周", "This week"}, {"health", "健康", "Health"}, {"rituals", "互动", "Rituals"}, {"gatherings", "线下", "Events"},
	{"grades", "等级", "Grades"}, {"split", "小组", "Sub-groups"}, {"life", "事务", "Running it"},
}

// aboutGroup leads from each page about a group to the others.
func aboutGroup(lang string, g id.Group, here string) []tab {
	var list []tab
	for _, one := range groupTabs {
		href := "/console/groups/" + g.String()
		if one.name != "" {
			href += "/" + one.name
		}
		list = append(list, tab{choose(lang, one.zh, one.en), href, one.name == here})
	}
	return list
}

type statusTab struct{ status, zh, en string }

// listAt is the address of a list of a status, narrowed and from a cursor on if
// those are there.
func listAt(path, status, name, value, cursor string) string {
	q := url.Values{"status": {status}}
	if value != "" {
		q.Set(name, value)
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	return path + "?" + q.Encode()
}

// idText is an id in an address, and nothing for none.
func idText[K id.Kind](x id.ID[K]) string {
	if x == 0 {
		return ""
	}
	return x.String()
}
