package web

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/community"
	"siyu/community/ritual"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// actOnRituals does what a form of the page asks for.
func (s *Server) actOnRituals(c *gin.Context, g community.Group) error {
	ctx := c.Request.Context()
	people, _ := strconv.Atoi(c.PostForm("people")) // none said is 0
	switch act := c.Param("act"); act {
	case "set-up", "plan":
		keyed, err := deskKey(c, g.ID.String())
		if err != nil {
			return err
		}
		var again *database.Replayed // a second tap: it is there already
		if act == "plan" {
			err = s.planTopic(c, keyed, g.ID)
		} else {
			err = s.setUpRitual(c, keyed, g.ID)
		}
		if errors.As(err, &again) {
			return nil
		}
		return err
	case "hold", "end", "edit":
		var r id.Ritual
		if err := read(c.PostForm("ritual"), &r); err != nil {
			return err
		}
		switch act {
		case "end":
			return s.Ritual.End(ctx, r)
		case "edit":
			return s.editRitual(c, r)
		}
		day, _ := strconv.Atoi(c.PostForm("day"))
		step, _ := strconv.Atoi(c.PostForm("step"))
		return s.Ritual.Hold(ctx, r, ritual.HoldIn{Day: day, People: people, Step: step})
	case "hold-topic", "cancel-topic":
		var t id.Topic
		if err := read(c.PostForm("topic"), &t); err != nil {
			return err
		}
		if act == "cancel-topic" {
			return s.Ritual.CancelTopic(ctx, t)
		}
		return s.Ritual.HoldTopic(ctx, t, people)
	}
	return fault.NotFound
}

func (s *Server) planTopic(c *gin.Context, ctx context.Context, group id.Group) error {
	in := ritual.TopicIn{Title: c.PostForm("title")}
	in.RemindMinutes, _ = strconv.Atoi(c.PostForm("remind"))
	var err error
	if in.StartsAt, err = momentIn(c.PostForm("at"), "starts_at"); err != nil {
		return err
	}
	_, err = s.Ritual.PlanTopic(ctx, group, in)
	return err
}

// ritualFields are what forms to set up and to edit have in common.
func ritualFields(c *gin.Context) (in ritual.In, err error) {
	in.Title = c.PostForm("title")
	in.RemindMinutes, _ = strconv.Atoi(c.PostForm("remind"))
	for _, d := range c.PostFormArray("day") {
		n, _ := strconv.Atoi(d)
		in.Weekdays = append(in.Weekdays, n)
	}
	in.MinuteOfDay, err = timeOfDay(c.PostForm("at"), "minute_of_day")
	return in, err
}

func (s *Server) setUpRitual(c *gin.Context, ctx context.Context, group id.Group) error {
	in, err := ritualFields(c)
	if err != nil {
		return err
	}
	in.Kind = ritual.Kind(c.PostForm("kind"))
	for i, line := range strings.Split(strings.TrimSpace(c.PostForm("steps")), "\n") {
		at, title, _ := strings.Cut(strings.TrimSpace(line), " ")
		if at == "" {
			continue
		}
		step := ritual.StepIn{Title: title}
		if step.MinuteOfDay, err = timeOfDay(at, fmt.Sprintf("steps[%d].minute_of_day", i)); err != nil {
			return err
		}
		in.Steps = append(in.Steps, step)
	}
	_, err = s.Ritual.Create(ctx, group, in)
	return err
}

// editRitual takes the lines of an SOP's steps in any order; one without a title
// is left out.
func (s *Server) editRitual(c *gin.Context, r id.Ritual) error {
	version, err := strconv.Atoi(c.PostForm("version"))
	if err != nil {
		return errForm
	}
	of, err := ritualFields(c)
	if err != nil {
		return err
	}
	in := ritual.EditIn{Title: of.Title, Weekdays: of.Weekdays, MinuteOfDay: of.MinuteOfDay, RemindMinutes: of.RemindMinutes}
	numbers, times, titles := c.PostFormArray("step"), c.PostFormArray("step_at"), c.PostFormArray("step_title")
	if len(numbers) != len(times) || len(numbers) != len(titles) {
		return errForm
	}
	for i, title := range titles {
		if strings.TrimSpace(title) == "" {
			continue
		}
		step := ritual.StepEdit{StepIn: ritual.StepIn{Title: title}}
		if step.Step, err = strconv.Atoi(numbers[i]); err != nil {
			return errForm
		}
		if step.MinuteOfDay, err = timeOfDay(times[i], fmt.Sprintf("steps[%d].minute_of_day", i)); err != nil {
			return err
		}
		in.Steps = append(in.Steps, step)
	}
	slices.SortStableFunc(in.Steps, func(a, b ritual.StepEdit) int { return a.MinuteOfDay - b.MinuteOfDay })
	return s.Ritual.Edit(c.Request.Context(), r, version, in)
}

// timeOfDay is minuteIn for what is typed: it says how a time is written.
func timeOfDay(text, field string) (int, error) {
	n, err := minuteIn(text, field)
	if err != nil {
		return 0, fault.Invalid.Field(field, "format", "时间写作 09:30", "a time is written 09:30")
	}
	return n, nil
}

func minuteOfDay(n int) string { return fmt.Sprintf("%02d:%02d", n/60, n%60) }
