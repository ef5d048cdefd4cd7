package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/httpd"
	"siyu/internal/id"
)

// The cookies. The guest's is access.GuestCookie, so that the API knows the
// same guest.
const (
	cookieMember = "siyu_member"
	cookieLang   = "siyu_lang"
	cookieStaff  = "siyu_console"
	cookieWork   = "siyu_work" // of a work page that was opened by a link
	cookieLink   = "siyu_link" // a link on its way from the address to the button
)

// visitor is who looks at a page.
type visitor struct {
	Member id.Member
	Guest  bool   // known by nothing but a cookie
	Strong bool   // has an identity that rewards and limited items ask for
	Name   string // masked
}

// visit finds out who looks and runs the page on his behalf. Somebody new is
// nobody until a page that exists makes a guest of him (greet).
func (s *Server) visit(h view) gin.HandlerFunc {
	return s.open(func(c *gin.Context) error {
		if token := c.Query("token"); token != "" && c.Request.Method == http.MethodGet {
			return s.enter(c, token)
		}
		v, err := s.visitor(c)
		if err != nil {
			return err
		}
		if err := s.limits.known(c, v); err != nil {
			return err
		}
		actor := database.Actor{Kind: database.ActorMember, Member: v.Member, Request: httpd.RequestID(c)}
		if v.Guest {
			actor.Kind = database.ActorGuest
		}
		c.Request = c.Request.WithContext(database.WithActor(c.Request.Context(), actor))
		s.sighted(c, v)
		return h(c, v)
	})
}

// enter takes a member token out of the address into a cookie and opens the
// same page without it, so that it is neither kept in the history nor shared
// with the link. A token that is no good is dropped without a word.
func (s *Server) enter(c *gin.Context, token string) error {
	if _, err := s.Access.Member(token); err == nil {
		s.setCookie(c, cookieMember, token, "/", access.MemberTokenFor)
	}
	q := c.Request.URL.Query()
	q.Del("token")
	to := c.Request.URL.EscapedPath()
	if rest := q.Encode(); rest != "" {
		to += "?" + rest
	}
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	// One slash: "//elsewhere" would lead off this house.
	c.Redirect(http.StatusSeeOther, "/"+strings.TrimLeft(to, "/"))
	return nil
}

func (s *Server) visitor(c *gin.Context) (visitor, error) {
	member, guest := s.claimed(c)
	if member == 0 {
		return visitor{Guest: true}, nil
	}
	q := s.DB.Read(c.Request.Context())
	live, err := community.FollowMerges(q, []id.Member{member})
	if err != nil {
		return visitor{}, err
	}
	if into := live[member]; into != 0 {
		member = into
	}
	strong, err := community.StrongIn(q, []id.Member{member})
	if err != nil {
		return visitor{}, err
	}
	v := visitor{Member: member, Guest: guest, Strong: strong[member]}
	names, err := community.NamesIn(q, []id.Member{member})
	v.Name = masked(names[member])
	return v, err
}

// greet makes a guest of somebody new, on a page he can act on.
func (s *Server) greet(c *gin.Context, v visitor) (visitor, error) {
	if v.Member != 0 {
		return v, nil
	}
	if err := s.limits.from(c, s.limits.guests); err != nil {
		return v, err
	}
	fresh, err := s.Community.NewGuest(c.Request.Context())
	if err != nil {
		return v, err
	}
	s.setCookie(c, access.GuestCookie, s.Access.GuestToken(fresh), "/", access.GuestFor)
	v.Member = fresh
	return v, nil
}

// claimed is whom the header or the cookies name. A member's token wins over
// the guest's: both are there after signing in.
func (s *Server) claimed(c *gin.Context) (member id.Member, guest bool) {
	token, _ := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	if token == "" {
		token, _ = c.Cookie(cookieMember)
	}
	if m, err := s.Access.Member(token); err == nil {
		return m, false
	}
	token, _ = c.Cookie(access.GuestCookie)
	if m, err := s.Access.Guest(token); err == nil {
		return m, true
	}
	return 0, false
}

// setCookie sets a cookie no script can read and no foreign form sends.
func (s *Server) setCookie(c *gin.Context, name, value, path string, ttl time.Duration) {
	http.SetCookie(c.Writer, &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: int(ttl.Seconds()),
		HttpOnly: true, Secure: strings.HasPrefix(s.PublicURL, "https://"), SameSite: http.SameSiteLaxMode,
	})
}
