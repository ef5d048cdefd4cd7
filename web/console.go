package web

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/secret"
)

// staffFor is how long a console stays open without signing in again.
const staffFor = 8 * time.Hour

// belongs binds what is sealed into the console's cookie to its use.
var belongs = []byte("web console")

// loginPage asks for an API key.
type loginPage struct {
	page
}

// consoleLogin answers GET /console/login.
func (s *Server) consoleLogin(c *gin.Context) error {
	return s.askKey(c, http.StatusOK, nil)
}

func (s *Server) askKey(c *gin.Context, status int, n *notice) error {
	p := loginPage{page: s.base(c, "")}
	p.Title, p.Notice = choose(p.Lang, "控制台登录", "Console sign-in"), n
	p.Form = s.formToken("console", s.DB.Clock.Now().Add(formFor))
	return s.show(c, status, "login", p.page, p)
}

// consoleEnter answers POST /console/login. The key is sealed into a cookie
// and opened on every request, so that a key revoked meanwhile stops at once.
func (s *Server) consoleEnter(c *gin.Context) error {
	if http.NewCrossOriginProtection().Check(c.Request) != nil || !s.formHolds(c.PostForm("form"), "console") {
		return errForm
	}
	// A guess costs, a key that is right does not: a whole office signs in
	// from one address.
	if err := s.limits.gate.Spent(c, httpd.Address(c), s.limits.wrong); err != nil {
		return err
	}
	key := c.PostForm("api_key")
	_, err := s.Access.Authenticate(c.Request.Context(), key)
	if errors.Is(err, access.ErrCredentials) {
		if err := s.limits.from(c, s.limits.wrong); err != nil {
			return err
		}
		return s.askKey(c, http.StatusUnauthorized, &notice{Text: access.ErrCredentials.Text(s.lang(c))})
	}
	if err != nil {
		return err
	}
	until := s.DB.Clock.Now().Add(staffFor)
	text := binary.BigEndian.AppendUint64(nil, uint64(clock.MilliOf(until)))
	sealed := s.Secrets.Seal(secret.Tokens, append(text, key...), belongs)
	s.setCookie(c, cookieStaff, base64.RawURLEncoding.EncodeToString(sealed), "/console", staffFor)
	c.Redirect(http.StatusSeeOther, "/console")
	return nil
}

// consoleLeave answers POST /console/logout.
func (s *Server) consoleLeave(c *gin.Context) error {
	if http.NewCrossOriginProtection().Check(c.Request) != nil {
		return errForm
	}
	s.setCookie(c, cookieStaff, "", "/console", -time.Second)
	c.Redirect(http.StatusSeeOther, "/console/login")
	return nil
}

// staffOnly runs a console page on behalf of the staff member in the cookie,
// else leads to the sign-in.
func (s *Server) staffOnly(h func(c *gin.Context) error) gin.HandlerFunc {
	return s.onBehalf(s.staff, h)
}

// onBehalf runs a page on behalf of the staff member that who finds.
func (s *Server) onBehalf(who func(c *gin.Context) (database.Actor, error), h func(c *gin.Context) error) gin.HandlerFunc {
	return s.open(func(c *gin.Context) error {
		actor, err := who(c)
		if errors.Is(err, access.ErrCredentials) {
			s.lang(c) // what the link asked for holds at the sign-in too
			c.Redirect(http.StatusSeeOther, "/console/login")
			return nil
		}
		if err != nil {
			return err
		}
		if actor.Role == string(access.Mall) {
			return fault.Forbidden // a machine's key, not a person's
		}
		actor.Request = httpd.RequestID(c)
		c.Request = c.Request.WithContext(database.WithActor(c.Request.Context(), actor))
		return h(c)
	})
}

func (s *Server) staff(c *gin.Context) (database.Actor, error) {
	cookie, err := c.Cookie(cookieStaff)
	if err != nil {
		return database.Actor{}, access.ErrCredentials
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return database.Actor{}, access.ErrCredentials
	}
	text, err := s.Secrets.Open(secret.Tokens, sealed, belongs)
	if err != nil || len(text) < 9 || clock.Milli(binary.BigEndian.Uint64(text)) <= clock.MilliOf(s.DB.Clock.Now()) {
		return database.Actor{}, access.ErrCredentials
	}
	return s.Access.Authenticate(c.Request.Context(), string(text[8:]))
}
