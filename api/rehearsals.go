package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/campaign"
	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral"
)

// Play is what a rehearsal takes from the live store: one campaign with all
// that shapes it, read in one snapshot.
type Play struct {
	Campaign campaign.Campaign
	Products map[id.Product]campaign.Product
	Program  *referral.Program // nil where the campaign has none
	Groups   []PlayGroup       // the first few of its audience
	At       clock.Milli       // when it was read, by the live clock
}

// PlayGroup is a group of the audience with what it promises its members.
type PlayGroup struct {
	community.Group
	Charter community.Charter
}

// playGroups is how many groups of an audience are played.
const playGroups = 5

// RehearsalState is where a rehearsal stands.
type RehearsalState string

// The states: the script plays, then phones may, unless the script could not
// go on; in the end all is gone but the list of checks.
const (
	RehearsalPlaying RehearsalState = "playing"
	RehearsalOpen    RehearsalState = "open"
	RehearsalStopped RehearsalState = "stopped"
	RehearsalEnded   RehearsalState = "ended"
)

// CheckState is what came of one check.
type CheckState string

// The states of a check. Skipped is one that means nothing for the campaign.
const (
	CheckPending CheckState = "pending"
	CheckPassed  CheckState = "passed"
	CheckFailed  CheckState = "failed"
	CheckSkipped CheckState = "skipped"
)

// RehearsalCheck is one line of the list.
type RehearsalCheck struct {
	Code   string     `json:"code"`
	ZH     string     `json:"zh"`
	EN     string     `json:"en"`
	State  CheckState `json:"state"`
	Detail string     `json:"detail"`
}

// Rehearsal is a campaign being played on a store of its own.
type Rehearsal struct {
	ID         id.Rehearsal     `json:"id"`
	CampaignID id.Campaign      `json:"campaign_id"`
	UnitID     id.Unit          `json:"unit_id"`
	State      RehearsalState   `json:"state"`
	URL        string           `json:"url"`     // to be opened on a phone
	EndsAt     clock.Milli      `json:"ends_at"` // wall time
	Clock      clock.Milli      `json:"clock_at"`
	Checks     []RehearsalCheck `json:"checks"`
}

// Rehearsals are what main gives: it alone can open a second house. They live
// in this process, so a replica knows its own only.
type Rehearsals struct {
	Start func(Play) (Rehearsal, error)
	Find  func(id.Rehearsal) (Rehearsal, bool)
	End   func(id.Rehearsal)
}

// The refusals of rehearsals.
var (
	ErrRehearsalAway = fault.New(fault.KindNotFound, "rehearsal.not_here",
		"这里没有这个彩排：彩排只在启动它的进程里，进程重启后即消失；请向同一副本查询，或重新开始",
		"there is no such rehearsal here: one lives only in the process that started it, until that stops; ask the same replica, or start another")
	ErrRehearsalsBusy = fault.New(fault.KindConflict, "rehearsal.busy",
		"本进程已有 {most} 个彩排在进行；请用 DELETE /v1/rehearsals/{id} 结束一个，或等到 {at}",
		"{most} rehearsals run in this process already; end one by DELETE /v1/rehearsals/{id}, or wait until {at}")
	errNoStage = fault.New(fault.KindConflict, "rehearsal.no_stage",
		"彩排之中不能再彩排；请回到正式环境", "a rehearsal cannot be rehearsed; go back to the live house")
)

func (s *Server) rehearsalRoutes(r *routes) {
	r.post("/v1/campaigns/:id/rehearse", s.rehearse, staff(access.Marketer))
	r.get("/v1/rehearsals/:id", s.findRehearsal, staff(access.Marketer))
	r.delete("/v1/rehearsals/:id", s.endRehearsal, staff(access.Marketer))
}

// rehearse reads the campaign and has it played elsewhere. It writes nothing,
// so there is nothing to audit and no key to bind.
func (s *Server) rehearse(c *gin.Context) error {
	cid, err := pathID[id.Campaign](c, "id")
	if err != nil {
		return err
	}
	play, err := s.play(c, cid)
	if err != nil {
		return err
	}
	if s.Rehearsals.Start == nil {
		return errNoStage
	}
	found, err := s.Rehearsals.Start(play)
	if err != nil {
		return err
	}
	c.Header("Location", "/v1/rehearsals/"+found.ID.String())
	return render(c, http.StatusAccepted, found)
}

// play reads the campaign with its products, program and audience as they
// stand at one moment.
func (s *Server) play(c *gin.Context, cid id.Campaign) (p Play, err error) {
	ctx := c.Request.Context()
	err = s.DB.Snapshot(ctx, func(q *database.Query) error {
		p.At = clock.MilliOf(s.DB.Clock.Now())
		if p.Campaign, err = s.Campaign.FindIn(ctx, q, cid); err != nil {
			return err
		}
		products := make([]id.Product, len(p.Campaign.Items))
		for i, item := range p.Campaign.Items {
			products[i] = item.ProductID
		}
		if p.Products, err = campaign.ProductsIn(q, products); err != nil {
			return err
		}
		if p.Campaign.ProgramID != 0 {
			program, err := referral.FindIn(database.WithActor(ctx, database.Actor{}), q, p.Campaign.ProgramID)
			if err != nil {
				return err
			}
			p.Program = &program
		}
		p.Groups, err = playGroupsIn(q, p.Campaign.Audience.Groups, p.At)
		return err
	})
	return p, err
}

func playGroupsIn(q *database.Query, audience []id.Group, at clock.Milli) ([]PlayGroup, error) {
	if len(audience) > playGroups {
		audience = audience[:playGroups]
	}
	groups, err := community.GroupsIn(q, audience)
	if err != nil {
		return nil, err
	}
	charters, err := community.Charters(q, audience, at)
	if err != nil {
		return nil, err
	}
	var out []PlayGroup
	for _, g := range audience {
		if found, ok := groups[g]; ok {
			out = append(out, PlayGroup{found, charters[g]})
		}
	}
	return out, nil
}

func (s *Server) findRehearsal(c *gin.Context) error {
	found, err := s.rehearsalOf(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, found)
}

func (s *Server) endRehearsal(c *gin.Context) error {
	found, err := s.rehearsalOf(c)
	if err != nil {
		return err
	}
	s.Rehearsals.End(found.ID)
	c.Status(http.StatusNoContent)
	return nil
}

// rehearsalOf is the rehearsal of the path; one of another unit's campaign is
// as unknown as one of another process.
func (s *Server) rehearsalOf(c *gin.Context) (Rehearsal, error) {
	rid, err := pathID[id.Rehearsal](c, "id")
	if err != nil {
		return Rehearsal{}, err
	}
	if s.Rehearsals.Find == nil {
		return Rehearsal{}, ErrRehearsalAway
	}
	found, ok := s.Rehearsals.Find(rid)
	if !ok || !actor(c).Sees(found.UnitID) {
		return Rehearsal{}, ErrRehearsalAway
	}
	return found, nil
}
