package web

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/internal/database"
	"siyu/internal/httpd"
	"siyu/internal/id"
	"siyu/internal/secret"
)

const (
	workPath = "/console/work"
	// workDoorFor is how long the page with the button may lie open.
	workDoorFor = 10 * time.Minute
	linkMax     = 400 // longer is no link
)

// ofWork binds what is sealed into the cookie of a work page to its use.
var ofWork = []byte("web work")

// workDoorPage is what a work link opens on: a button, because messengers fetch
// a link to show a preview of it, and that must not open it.
type workDoorPage struct {
	page
	Link bool // there is one to open
}

// workDoor answers GET /console/work/enter. A link leaves the address at once,
// so that it stands in no history and goes nowhere with a referrer.
func (s *Server) workDoor(c *gin.Context) error {
	if k := c.Query("k"); k != "" {
		if len(k) <= linkMax {
			s.setCookie(c, cookieLink, k, workPath, workDoorFor)
		}
		c.Header("Cache-Control", "no-store")
		c.Header("Referrer-Policy", "no-referrer")
		c.Redirect(http.StatusSeeOther, workPath+"/enter")
		return nil
	}
	return s.showWorkDoor(c, http.StatusOK, nil)
}

func (s *Server) showWorkDoor(c *gin.Context, status int, n *notice) error {
	p := workDoorPage{page: s.base(c, "")}
	p.Title, p.Notice = choose(p.Lang, "今天的群务", "Today's work"), n
	p.at(workPath + "/enter")
	p.Form = s.formToken("work", s.DB.Clock.Now().Add(workDoorFor))
	link, err := c.Cookie(cookieLink)
	p.Link = err == nil && link != "" && n == nil
	return s.show(c, status, "workdoor", p.page, p)
}

// workEnter answers POST /console/work/enter: it opens the link, once.
func (s *Server) workEnter(c *gin.Context) error {
	if http.NewCrossOriginProtection().Check(c.Request) != nil || !s.formHolds(c.PostForm("form"), "work") {
		return errForm
	}
	if err := s.limits.gate.Spent(c, httpd.Address(c), s.limits.wrong); err != nil {
		return err
	}
	token, err := c.Cookie(cookieLink)
	if err != nil {
		token = ""
	}
	link, err := s.Access.OpenWorkLink(c.Request.Context(), token)
	if errors.Is(err, access.ErrWorkLink) {
		if err := s.limits.from(c, s.limits.wrong); err != nil {
			return err
		}
		s.setCookie(c, cookieLink, "", workPath, -time.Second)
		return s.showWorkDoor(c, http.StatusUnauthorized, &notice{Text: access.ErrWorkLink.Text(s.lang(c))})
	}
	if err != nil {
		return err
	}
	sealed := s.Secrets.Seal(secret.Tokens, binary.BigEndian.AppendUint64(nil, uint64(link.ID)), ofWork)
	s.setCookie(c, cookieWork, base64.RawURLEncoding.EncodeToString(sealed), workPath, access.WorkLinkFor)
	s.setCookie(c, cookieLink, "", workPath, -time.Second)
	c.Redirect(http.StatusSeeOther, workPath)
	return nil
}

// workLeave answers POST /console/work/leave.
func (s *Server) workLeave(c *gin.Context) error {
	if http.NewCrossOriginProtection().Check(c.Request) != nil {
		return errForm
	}
	s.setCookie(c, cookieWork, "", workPath, -time.Second)
	c.Redirect(http.StatusSeeOther, workPath+"/enter")
	return nil
}

// atWork is staffOnly for the work pages, which a link opens too.
func (s *Server) atWork(h func(c *gin.Context) error) gin.HandlerFunc {
	return s.onBehalf(func(c *gin.Context) (database.Actor, error) {
		actor, err := s.staff(c)
		if errors.Is(err, access.ErrCredentials) {
			return s.byLink(c)
		}
		return actor, err
	}, h)
}

func (s *Server) byLink(c *gin.Context) (database.Actor, error) {
	cookie, err := c.Cookie(cookieWork)
	if err != nil {
		return database.Actor{}, access.ErrCredentials
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil {
		return database.Actor{}, access.ErrCredentials
	}
	text, err := s.Secrets.Open(secret.Tokens, sealed, ofWork)
	if err != nil || len(text) != 8 {
		return database.Actor{}, access.ErrCredentials
	}
	return s.Access.Worker(c.Request.Context(), id.WorkLink(binary.BigEndian.Uint64(text)))
}
