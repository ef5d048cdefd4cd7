package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/fault"
	"siyu/internal/httpd"
	"siyu/internal/id"
	"siyu/referral"
)

// charterView is what a group promises, and what acting on the page then
// means. Pact is empty for who is in the group already.
type charterView struct {
	Group      string
	Version    int
	Purpose    string
	Audience   string // whom it is for
	Benefits   string // what members get
	Rules      []string
	AdsPerDay  int
	AdsPerWeek int
	Quiet      bool
	QuietFrom  string
	QuietTo    string
	Pact       string
	Door       string // where one applies, of a group that is joined by application
}

// charter is the charter of the group a code is of, or nil.
func (s *Server) charter(ctx context.Context, now time.Time, v visitor, l referral.Landing) (*charterView, error) {
	if l.GroupID == 0 {
		return nil, nil
	}
	q := s.DB.Read(ctx)
	known, err := community.GroupsIn(q, []id.Group{l.GroupID})
	if err != nil || known[l.GroupID].Status == community.GroupDissolved {
		return nil, err
	}
	charter, err := community.CharterOf(q, l.GroupID, clock.MilliOf(now))
	if errors.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	in, err := community.GroupsOf(q, []id.Member{v.Member})
	if err != nil {
		return nil, err
	}
	view := viewCharter(clean(known[l.GroupID].Name), charter)
	if !known[l.GroupID].Gated && !slices.Contains(in[v.Member], l.GroupID) {
		view.Pact = s.sealPact(v, pact{l.GroupID, charter.Version, l.CodeID})
	}
	if known[l.GroupID].Gated {
		view.Door = "/g/" + l.GroupID.String()
	}
	return &view, nil
}

func viewCharter(group string, c community.Charter) charterView {
	var rules []string
	for line := range strings.SplitSeq(c.Rules, "\n") {
		if line = cleanLong(line); line != "" {
			rules = append(rules, line)
		}
	}
	return charterView{
		Group: group, Version: c.Version, Purpose: cleanLong(c.Purpose), Audience: cleanLong(c.Audience), Benefits: cleanLong(c.Benefits), Rules: rules,
		AdsPerDay: c.AdsPerDay, AdsPerWeek: c.AdsPerWeek,
		Quiet: c.QuietFrom != c.QuietTo, QuietFrom: hourOf(c.QuietFrom), QuietTo: hourOf(c.QuietTo),
	}
}

// charterBy is the charter of the group of a code that came along with another
// address; a code that leads nowhere shows none.
func (s *Server) charterBy(ctx context.Context, now time.Time, v visitor, code string) (*charterView, error) {
	if code == "" {
		return nil, nil
	}
	l, err := s.Referral.Land(ctx, code)
	if f, ok := fault.As(err); ok && f.Kind < fault.KindInternal {
		return nil, nil // it leads nowhere, or its promoter may not invite now
	}
	if err != nil {
		return nil, err
	}
	return s.charter(ctx, now, v, l)
}

// pact is what acting on a page that shows a charter means: joining the group,
// by the code, under the version shown. The page carries it signed for the one
// who saw it.
type pact struct {
	Group   id.Group
	Version int
	Code    id.Code
}

func (p pact) String() string { return fmt.Sprintf("%s/%d/%s", p.Group, p.Version, p.Code) }

func (s *Server) sealPact(v visitor, p pact) string {
	return p.String() + ";" + s.formToken(v.Member.String()+"\x00"+p.String(), s.DB.Clock.Now().Add(formFor))
}

func (s *Server) openPact(v visitor, sealed string) (p pact, ok bool) {
	text, token, _ := strings.Cut(sealed, ";")
	part := strings.Split(text, "/")
	if len(part) != 3 || !s.formHolds(token, v.Member.String()+"\x00"+text) {
		return p, false
	}
	version, err := strconv.Atoi(part[1])
	p.Version = version
	return p, err == nil && p.Group.UnmarshalText([]byte(part[0])) == nil && p.Code.UnmarshalText([]byte(part[2])) == nil
}

// keepsFor bounds the record of a pact, which the visitor waits for.
const keepsFor = 5 * time.Second

// keepPact records the pact of a form whose act has taken effect: the
// membership and the consent. It is never in the way of the act; what fails is
// logged and made good by the next act.
func (s *Server) keepPact(c *gin.Context, v visitor) {
	p, ok := s.openPact(v, c.PostForm("pact"))
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Request.Context()), keepsFor)
	defer cancel()
	inviter, err := referral.OwnerOf(s.DB.Read(ctx), p.Code)
	if err == nil {
		err = s.Community.Join(ctx, community.Join{Group: p.Group, Member: v.Member, Code: p.Code, Inviter: inviter, Charter: p.Version})
	}
	if f, ok := fault.As(err); err != nil && (!ok || f.Kind >= fault.KindInternal) {
		slog.Error("joining by the page not recorded", "request_id", httpd.RequestID(c), "group_id", p.Group, "error", err)
	}
}
