package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"siyu/campaign/promotion"
	"siyu/community"
	"siyu/community/gate"
	"siyu/community/request"
	"siyu/community/ritual"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
)

// workTask is one thing to do: one of the four is there.
type workTask struct {
	Group   string
	GroupID id.Group
	Due     time.Time
	Late    bool
	Note    bool // nothing is lost if it waits
	Ad      *adTask
	Wish    *wishTask
	Knock   *knockTask
	Ritual  *ritualTask
}

// adTask is an ad to post and to say of whether it was shown.
type adTask struct {
	ID       id.Slot
	From     time.Time
	Text     string // as it is posted, with its label, its sponsor and the way to refuse more
	Pictures []int  // by number, 0 of the main ad
	Over     bool   // its slot is
	Reminded bool
}

// wishTask is a request that somebody waits to be answered.
type wishTask struct {
	ID     id.Request
	Buy    bool
	Line   string
	Wants  int
	Answer string // so far, without an outcome

	Campaign id.Campaign // the group-buy that was drafted for it
	Drafts   bool        // by who looks
}

// knockTask is somebody who wants into a group.
type knockTask struct {
	ID      id.Application
	Who     string // masked
	Region  string
	Answers []figure
	At      time.Time
}

// ritualTask is a ritual that nobody noted as held.
type ritualTask struct {
	ID   id.Ritual
	Name string
	Day  int
}

// fillTasks gathers what is to be done in the groups, and returns the rituals.
func (s *Server) fillTasks(ctx context.Context, p *workPage, groups []community.Group) ([]ritual.Due, error) {
	ids, names := make([]id.Group, len(groups)), map[id.Group]string{}
	for i, g := range groups {
		ids[i], names[g.ID] = g.ID, clean(g.Name)
	}
	ads, err := s.Promotion.ListPostings(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, x := range ads {
		t := p.adOf(x)
		if t.Group = names[t.GroupID]; x.Slot.StartedAt == 0 {
			p.Coming = append(p.Coming, t)
		} else {
			p.Tasks = append(p.Tasks, t)
		}
	}
	wishes, err := s.Request.List(ctx, request.Filter{Status: request.StatusOpen}, database.Page{Limit: tasksOf})
	if err != nil {
		return nil, err
	}
	for _, r := range wishes.Items {
		if name, listed := names[r.GroupID]; listed {
			p.Tasks = append(p.Tasks, p.wishOf(ctx, name, r))
		}
	}
	if err := s.fillKnocks(ctx, p, ids, names); err != nil {
		return nil, err
	}
	due, err := s.Ritual.ListDue(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, d := range due {
		if d.HeldAt == 0 {
			p.Tasks = append(p.Tasks, p.ritualOf(names[d.GroupID], d))
		}
	}
	slices.SortStableFunc(p.Tasks, urgent)
	return due, nil
}

// taskShown is a task with the page it is shown on. At is the group whose own
// page that is, if it is one.
type taskShown struct {
	Page deskShown
	Task workTask
}

// deskShown is what a form needs of its page.
type deskShown struct {
	Form, Key, At string
	Now           time.Time
}

// taskOn is for templates, which pass one value on.
func taskOn(on any, t workTask) (taskShown, error) {
	switch p := on.(type) {
	case workPage:
		return taskShown{deskShown{p.Form, p.Key, "", p.Now}, t}, nil
	case workGroupPage:
		return taskShown{deskShown{p.Form, p.Key, p.ID.String(), p.Now}, t}, nil
	}
	return taskShown{}, fmt.Errorf("web: no tasks are on a %T", on)
}

// urgent orders tasks by when they are due; what is only to be noted waits.
func urgent(a, b workTask) int {
	if a.Note != b.Note {
		if a.Note {
			return 1
		}
		return -1
	}
	return a.Due.Compare(b.Due)
}

func (p *workPage) adOf(x promotion.Posting) workTask {
	over := x.Slot.ToAt <= clock.MilliOf(p.Now)
	ad := &adTask{ID: x.Slot.ID, From: x.Slot.FromAt.Time().In(shop), Text: adText(p.Lang, x), Over: over, Reminded: x.RemindedAt != 0}
	if x.Picture != nil {
		ad.Pictures = append(ad.Pictures, 0)
	}
	for i, l := range x.Lines {
		if l.Picture != nil {
			ad.Pictures = append(ad.Pictures, i+1)
		}
	}
	return workTask{GroupID: x.Slot.GroupID, Due: x.Slot.ToAt.Time().In(shop), Late: over, Ad: ad}
}

// adText is a message as it goes into the group: the ad and, of a digest, those
// that go along, each with its label and sponsor, and the way to refuse more.
// It is in the owner's language where the ad is, else in the ad's alone: what
// members read is not half in one and half in the other.
func adText(lang string, x promotion.Posting) string {
	switch en := x.TitleEN+x.TextEN != ""; {
	case lang == langEN && !en:
		lang = langZH
	case lang != langEN && en && x.TitleZH+x.TextZH == "":
		lang = langEN
	}
	lines := adLines(lang, x.Shows, x.Sponsor)
	for _, l := range x.Lines {
		lines = append(lines, adLines(lang, l.Shows, l.Sponsor)...)
	}
	return strings.Join(append(lines, choose(lang, promotion.RefuseZH, promotion.RefuseEN)), "\n")
}

func adLines(lang string, x promotion.Shows, sponsor string) []string {
	in := func(zh, en string) string {
		if lang == langEN {
			zh, en = en, zh
		}
		return cleanLong(cmp.Or(zh, en))
	}
	lines := []string{"【" + promotion.Label + "】" + in(x.TitleZH, x.TitleEN), in(x.TextZH, x.TextEN), cleanLong(x.Link)}
	if x.AppPath != "" {
		lines = append(lines, choose(lang, "小程序：", "mini program: ")+cleanLong(x.AppID+" "+x.AppPath))
	}
	if sponsor != "" {
		lines = append(lines, choose(lang, "发布方：", "by ")+clean(sponsor))
	}
	return slices.DeleteFunc(lines, func(l string) bool { return l == "" })
}

func (p *workPage) wishOf(ctx context.Context, group string, r request.Request) workTask {
	drafts := r.Kind == request.KindBuy && may(ctx, draftsCampaigns) == nil
	return workTask{Group: group, GroupID: r.GroupID, Due: r.AnswerBy.Time().In(shop), Late: r.AnswerBy <= clock.MilliOf(p.Now),
		Wish: &wishTask{ID: r.ID, Buy: r.Kind == request.KindBuy, Line: clean(r.Line), Wants: r.Wants + 1, Answer: cleanLong(r.Answer), Campaign: r.CampaignID, Drafts: drafts}}
}

// knockFor is how soon somebody who knocks should hear; it only orders.
const knockFor = 24 * time.Hour

func (s *Server) fillKnocks(ctx context.Context, p *workPage, ids []id.Group, names map[id.Group]string) error {
	list, err := s.Gate.ListToDecide(ctx, ids)
	if err != nil || len(list) == 0 {
		return err
	}
	people, err := namesIn(s.DB.Read(ctx), list, func(a gate.Application) id.Member { return a.MemberID })
	if err != nil {
		return err
	}
	asked := map[id.Group]gate.Gate{}
	for _, a := range list {
		g, known := asked[a.GroupID]
		if !known {
			if g, err = s.Gate.Find(ctx, a.GroupID); err != nil {
				return err
			}
			asked[a.GroupID] = g
		}
		at := a.CreatedAt.Time().In(shop)
		p.Tasks = append(p.Tasks, workTask{Group: names[a.GroupID], GroupID: a.GroupID, Due: at.Add(knockFor), Late: p.Now.Sub(at) >= knockFor,
			Knock: &knockTask{ID: a.ID, Who: called(p.Lang, people[a.MemberID]), Region: clean(a.Region), Answers: answersOf(p.Lang, g, a), At: at}})
	}
	return nil
}

// answersOf puts what an applicant said beside what the gate asks.
func answersOf(lang string, g gate.Gate, a gate.Application) []figure {
	var out []figure
	for _, q := range g.Questions {
		if said := clean(a.Answers[q.Key]); said != "" {
			out = append(out, figure{clean(choose(lang, q.ZH, cmp.Or(q.EN, q.ZH))), said})
		}
	}
	return out
}

func (p *workPage) ritualOf(group string, d ritual.Due) workTask {
	at := d.DueAt.Time().In(shop)
	return workTask{Group: group, GroupID: d.GroupID, Due: at, Late: at.Before(p.Now), Note: clock.Day(at, shop) < clock.Day(p.Now, shop),
		Ritual: &ritualTask{ID: d.ID, Name: clean(d.Title), Day: d.Day}}
}
