package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

// errCrossSite refuses a cookie sent from another site's page.
var errCrossSite = fault.New(fault.KindForbidden, "cross_site", "不接受来自其他网站的请求", "calls from another site's page are refused")

// actor is who calls.
func actor(c *gin.Context) database.Actor { return database.ActorOf(c.Request.Context()) }

// memberOf is the member or guest who calls.
func memberOf(c *gin.Context) id.Member { return actor(c).Member }

// admit finds out who calls, whether the route is for him and whether he
// calls too often.
func (s *Server) admit(c *gin.Context, rt *route) (a database.Actor, err error) {
	if rt.open {
		return a, s.limits.perAddress(c)
	}
	if a, err = s.caller(c, rt); err != nil {
		return a, err
	}
	a.Request = httpd.RequestID(c)
	if err := s.limits.caller(c, a); err != nil {
		return a, err
	}
	if a.Kind == database.ActorStaff && !rt.admits(a.Role) || a.Kind != database.ActorStaff && !rt.member {
		return a, fault.Forbidden
	}
	return a, nil
}

// caller is who the credentials name. Wrong ones count against the address
// they came from, and an address that has used its rate up is refused before
// any look-up.
func (s *Server) caller(c *gin.Context, rt *route) (database.Actor, error) {
	if err := s.limits.spent(c); err != nil {
		return database.Actor{}, err
	}
	a, err := s.credentials(c, rt)
	if f, ok := fault.As(err); ok && f.Kind == fault.KindUnauthorized {
		if limited := s.limits.perAddress(c); limited != nil {
			return a, limited
		}
	}
	return a, err
}

func (s *Server) credentials(c *gin.Context, rt *route) (database.Actor, error) {
	bearer, ok := bearerOf(c.Request)
	switch {
	case ok && strings.HasPrefix(bearer, access.KeyPrefix):
		return s.Access.Authenticate(c.Request.Context(), bearer)
	case ok:
		m, since, err := s.Access.MemberSince(bearer)
		if err != nil {
			return database.Actor{}, err
		}
		return s.today(c, rt, database.Actor{Kind: database.ActorMember, Member: m, Since: since})
	case !rt.member:
		return database.Actor{}, access.ErrCredentials
	}
	cookie, err := c.Request.Cookie(access.GuestCookie)
	if err != nil {
		return database.Actor{}, access.ErrCredentials
	}
	// The browser sends the cookie by itself, so the page must be ours.
	if http.NewCrossOriginProtection().Check(c.Request) != nil {
		return database.Actor{}, errCrossSite
	}
	m, err := s.Access.Guest(cookie.Value)
	if err != nil {
		return database.Actor{}, err
	}
	return s.today(c, rt, database.Actor{Kind: database.ActorGuest, Member: m})
}

// today makes the caller whom the token's member was merged into, so that what
// was his is his still. The member the token names stays the principal of his
// keys, which a merge must not change. A claim is answered without a query: it
// keeps that member, and the room follows merges under its own locks.
func (s *Server) today(c *gin.Context, rt *route, a database.Actor) (database.Actor, error) {
	if rt.claims {
		return a, nil
	}
	live, err := community.FollowMerges(s.DB.Read(c.Request.Context()), []id.Member{a.Member})
	switch into := live[a.Member]; {
	case err != nil:
		return database.Actor{}, err
	case into == 0:
		return database.Actor{}, access.ErrCredentials // erased, or of another store
	case into != a.Member:
		a.Named, a.Member = a.Member, into
	}
	return a, nil
}

func bearerOf(r *http.Request) (string, bool) {
	kind, text, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(text), ok && strings.EqualFold(kind, "Bearer")
}
