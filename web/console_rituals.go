package web

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/ritual"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// ritualsPage is what a group does at fixed times, its topics, what is due and
// was done, and forms to note, set up and plan.
type ritualsPage struct {
	page
	ID      id.Group
	Name    string
	Rituals []ritualRow
	Topics  []topicRow
	Kinds   []choice
	Edit    ritualForm
}

// ritualForm is what the form shows; ID is 0 for a new ritual.
type ritualForm struct {
	ID        id.Ritual
	Version   int
	Title, At string
	Days      []dayBox
	Remind    int
	Sop       bool
	Steps     []stepField // of an SOP that is edited, the last ones empty
}

// dayBox is a day of the week to tick.
type dayBox struct {
	ID, Name string
	On       bool
}

type stepField struct {
	Step      int // 0: a new one
	At, Title string
}

type ritualRow struct {
	ID         id.Ritual
	Name, Kind string
	When       string
	Due, Held  int
	Steps      []sopStep
	Open       []openDay
}

type sopStep struct {
	Name, At  string
	Due, Held int
}

// openDay is a day that may still be noted; Left are the steps to do on it.
type openDay struct {
	Day    int
	Label  string
	Held   bool
	People int
	Left   []leftStep
}

type leftStep struct {
	Step int
	Name string
}

type topicRow struct {
	ID          id.Topic
	Name        string
	When        time.Time
	State, Tone string
	People      int
	Joined      string
	Open, Ahead bool
}

// topicsShown is how many topics are listed, the newest planned first.
const topicsShown = 20

// consoleRituals answers GET /console/groups/{id}/rituals, with ?edit=rit_… for
// the form of one.
func (s *Server) consoleRituals(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	p, err := s.ritualsPage(c, g)
	if err != nil {
		return err
	}
	return s.show(c, http.StatusOK, "rituals", p.page, p)
}

func (s *Server) ritualsPage(c *gin.Context, g community.Group) (ritualsPage, error) {
	ctx := c.Request.Context()
	p := ritualsPage{page: s.base(c, ""), ID: g.ID, Name: clean(g.Name)}
	p.Title, p.Now = choose(p.Lang, "固定互动与话题", "Rituals and topics"), p.Now.In(shop)
	p.Form, p.Key = s.formToken(deskOf(ctx), s.DB.Clock.Now().Add(formFor)), rand.Text()
	for _, k := range ritualKinds {
		name, _ := word(p.Lang, ritualWords, k)
		p.Kinds = append(p.Kinds, choice{string(k), name})
	}
	list, err := s.Ritual.List(ctx, g.ID)
	if err != nil {
		return p, err
	}
	zone, err := g.Location()
	if err != nil {
		return p, err
	}
	p.Edit = p.form(ritual.Ritual{RemindMinutes: 30})
	for _, r := range list {
		p.Rituals = append(p.Rituals, p.ritual(r, zone))
		if of := r.ID.String(); of == c.Query("edit") || c.Param("act") == "edit" && of == c.PostForm("ritual") {
			p.Edit = p.form(r)
		}
	}
	topics, err := s.Ritual.ListTopics(ctx, g.ID, database.Page{Limit: topicsShown})
	if err != nil {
		return p, err
	}
	for _, t := range topics.Items {
		p.Topics = append(p.Topics, p.topic(t, zone))
	}
	return p, nil
}

// stepsAdded is how many empty lines an edited SOP offers for new steps.
const stepsAdded = 3

// form shows a ritual as it may be edited; one without an id is new.
func (p ritualsPage) form(r ritual.Ritual) ritualForm {
	f := ritualForm{ID: r.ID, Version: r.Version, Title: clean(r.Title), Remind: r.RemindMinutes, Sop: r.Kind == ritual.KindSOP}
	for d := 1; d <= 7; d++ {
		f.Days = append(f.Days, dayBox{strconv.Itoa(d), weekdays(p.Lang, []int{d}), slices.Contains(r.Weekdays, d)})
	}
	if r.ID == 0 {
		return f
	}
	f.At = minuteOfDay(r.MinuteOfDay)
	for _, x := range r.Steps {
		f.Steps = append(f.Steps, stepField{x.Step, minuteOfDay(x.MinuteOfDay), clean(x.Title)})
	}
	if f.Sop {
		f.Steps = append(f.Steps, make([]stepField, min(stepsAdded, ritual.StepsMost-len(r.Steps)))...)
	}
	return f
}

func (p ritualsPage) ritual(r ritual.Ritual, zone *time.Location) ritualRow {
	row := ritualRow{ID: r.ID, Name: clean(r.Title), Due: r.Due, Held: r.Held, When: weekdaysOrAll(p.Lang, r.Weekdays) + " " + minuteOfDay(r.MinuteOfDay)}
	row.Kind, _ = word(p.Lang, ritualWords, r.Kind)
	for _, x := range r.Steps {
		row.Steps = append(row.Steps, sopStep{clean(x.Title), minuteOfDay(x.MinuteOfDay), x.Due, x.Held})
	}
	for _, n := range r.Open {
		day := openDay{Day: n.Day, Label: dayOf(n.Day), Held: n.HeldAt != 0, People: n.People}
		for _, x := range n.Left {
			day.Left = append(day.Left, leftStep{x.Step, x.DueAt.Time().In(zone).Format("15:04") + " " + clean(x.Title)})
		}
		row.Open = append(row.Open, day)
	}
	return row
}

func (p ritualsPage) topic(t ritual.Topic, zone *time.Location) topicRow {
	at := t.StartsAt.Time()
	row := topicRow{ID: t.ID, Name: clean(t.Title), When: at.In(shop), People: t.People}
	today := p.Now.In(zone)
	y, m, d := at.In(zone).Date()
	// Its day and the day after, as whoever notes it has it.
	begins := time.Date(y, m, d, 0, 0, 0, 0, zone)
	row.Open = t.CancelledAt == 0 && !today.Before(begins) && today.Before(begins.AddDate(0, 0, 2))
	row.Ahead = t.CancelledAt == 0 && t.HeldAt == 0 && p.Now.Before(at)
	if t.Joined != nil {
		row.Joined = choose(p.Lang, "%d 人参与", "%d took part", *t.Joined)
	}
	switch {
	case t.CancelledAt != 0:
		row.State, row.Tone = choose(p.Lang, "已取消", "called off"), "dim"
	case t.HeldAt != 0:
		row.State, row.Tone = choose(p.Lang, "已办 %d 人", "held, %d", t.People), "good"
	case row.Ahead:
		row.State, row.Tone = choose(p.Lang, "待办", "planned"), ""
	default:
		row.State, row.Tone = choose(p.Lang, "未登记", "not noted"), "warn"
	}
	return row
}

func weekdaysOrAll(lang string, days []int) string {
	if len(days) == 7 {
		days = nil
	}
	return weekdays(lang, days)
}

// consoleRitualsAct answers POST /console/groups/{id}/rituals/{act}. The form's
// key refuses to set up or plan twice, the version to edit twice; the others end
// the same.
func (s *Server) consoleRitualsAct(c *gin.Context) error {
	g, err := s.groupDesk(c)
	if err != nil {
		return err
	}
	if err := s.deskSent(c); err != nil {
		return err
	}
	err = s.actOnRituals(c, g)
	if f, ok := fault.As(err); ok && f.Kind != fault.KindNotFound && f.Kind != fault.KindInternal {
		p, err := s.ritualsPage(c, g)
		if err != nil {
			return err
		}
		p.Notice = noticeOf(p.Lang, f)
		return s.show(c, int(f.Kind), "rituals", p.page, p)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/console/groups/"+g.ID.String()+"/rituals")
	return nil
}

// ritualKinds are offered in this order.
var ritualKinds = []ritual.Kind{ritual.KindTopic, ritual.KindGame, ritual.KindQuiz, ritual.KindCheckin, ritual.KindRedPacket, ritual.KindSOP}

var ritualWords = map[ritual.Kind]pair{
	ritual.KindTopic: {"话题", "topic", ""}, ritual.KindGame: {"游戏", "game", ""}, ritual.KindQuiz: {"竞猜", "quiz", ""},
	ritual.KindCheckin: {"打卡", "check-in", ""}, ritual.KindRedPacket: {"红包", "red packet", ""}, ritual.KindSOP: {"日常 SOP", "daily SOP", ""},
}
