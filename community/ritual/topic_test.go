package ritual_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/ritual"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/internal/webhook"
)

// world is a store with a group, whose clock is set by the local time of March.
type world struct {
	*ritual.Service
	t      *testing.T
	keys   *secret.Set
	people *community.Service
	group  id.Group
	reg    *task.Registry
}

func open(t *testing.T, db *database.DB) *world {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{&ritual.Service{DB: db}, t, keys, &community.Service{DB: db, Secrets: keys}, 0, task.NewRegistry()}
	w.group, err = w.people.CreateGroup(owner, community.GroupIn{Name: "群"})
	w.ok(err)
	w.Register(w.reg)
	_, err = (&webhook.Service{DB: db, Secrets: keys}).Create(owner, webhook.In{URL: "https://mall.example/hook", Events: []string{"ritual.due", "topic.due"}})
	w.ok(err)
	return w
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refused(err error, want *fault.Fault) {
	w.t.Helper()
	if !errors.Is(err, want) {
		w.t.Errorf("got %v, want %s", err, want.Code)
	}
}

func (w *world) at(day, hour, minute int) time.Time {
	return time.Date(2026, 3, day, hour-8, minute, 0, 0, time.UTC)
}

func (w *world) tickAt(day, hour, minute int) {
	w.t.Helper()
	w.DB.Clock.Jump(w.at(day, hour, minute).Sub(w.DB.Clock.Now()))
	w.ok(task.Tick(bg, w.DB, w.reg))
}

func (w *world) told(kind string) (n int) {
	w.t.Helper()
	w.ok(w.DB.Read(bg).Raw("SELECT COUNT(*) FROM events WHERE type = ?", kind).Row().Scan(&n))
	return n
}

// TestTopic follows the topics of two days: reminded once and in time, joined
// by the events that name them, held late, called off, and never more than five
// a day, whoever plans at once.
func TestTopic(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := open(t, db)
		w.tickAt(2, 10, 0)
		plan := func(day, hour int) (id.Topic, error) {
			return w.PlanTopic(owner, w.group, ritual.TopicIn{Title: "今天喝什么茶", StartsAt: clock.MilliOf(w.at(day, hour, 0)), RemindMinutes: 30})
		}
		a, err := plan(2, 20)
		w.ok(err)
		off, err := plan(2, 21)
		w.ok(err)
		missed, err := plan(2, 22)
		w.ok(err)
		_, err = plan(2, 9)
		w.refused(err, fault.Invalid)
		_, err = w.PlanTopic(other, w.group, ritual.TopicIn{Title: "x", StartsAt: clock.MilliOf(w.at(3, 9, 0))})
		w.refused(err, fault.NotFound)
		w.tickAt(2, 19, 29)
		if n := w.told("topic.due"); n != 0 {
			t.Errorf("reminded %d times too early", n)
		}
		w.ok(w.CancelTopic(owner, off))
		w.ok(w.CancelTopic(owner, off))
		for range 2 {
			w.tickAt(2, 19, 30)
		}
		w.tickAt(2, 22, 31) // nobody worked at 21:30
		if n := w.told("topic.due"); n != 1 {
			t.Errorf("reminded %d times, want of the first alone", n)
		}
		w.refused(w.CancelTopic(owner, missed), ritual.ErrTopicBegun)
		w.refused(w.HoldTopic(owner, off, 3), ritual.ErrTopicOff)
		w.refused(w.HoldTopic(other, a, 3), fault.NotFound)

		joined := func(want int) {
			t.Helper()
			got, err := w.FindTopic(owner, a)
			if w.ok(err); want < 0 && got.Joined != nil || want >= 0 && (got.Joined == nil || *got.Joined != want) {
				t.Errorf("got %+v, want %d who joined", got, want)
			}
		}
		joined(-1)
		made, err := w.people.UpsertMembers(owner, []community.MemberIn{mall("1"), mall("2"), mall("3"), mall("4")})
		w.ok(err)
		_, err = w.people.PutMemberships(owner, w.group, []community.MembershipIn{{MemberID: made[3].Member, Role: community.RoleAdmin}})
		w.ok(err)
		for i, m := range made {
			_, err := w.people.PutActivity(owner, w.group, community.ActivityBatch{Events: []community.ActivityIn{
				{EventID: fmt.Sprint(i), MemberID: m.Member, Kind: community.ActivityTopic, At: clock.MilliOf(w.DB.Clock.Now()), Topic: a.String()},
				{EventID: fmt.Sprint(i, "again"), MemberID: m.Member, Kind: community.ActivityTopic, At: clock.MilliOf(w.DB.Clock.Now()), Topic: a.String()},
				{EventID: fmt.Sprint(i, "else"), MemberID: m.Member, Kind: community.ActivityTopic, At: clock.MilliOf(w.DB.Clock.Now()), Topic: off.String()},
			}})
			w.ok(err)
		}
		joined(3) // a host is none of them
		w.ok(db.Tx(bg, func(tx *database.Tx) error {
			_, err := community.MergeTx(tx, made[0].Member, made[1].Member)
			return err
		}))
		joined(2)
		w.tickAt(3, 9, 0)
		w.ok(w.HoldTopic(owner, a, 8))
		w.ok(w.HoldTopic(owner, a, 9))
		if met, err := community.Gatherings(db.Read(bg), w.group, []int{20260302}); err != nil || met[20260302] != 9 {
			t.Errorf("who met: got %v, %v", met, err)
		}
		_, err = w.people.PutActivity(owner, w.group, community.ActivityBatch{CompleteDays: []int{20260302}})
		w.ok(err)
		if got, err := w.FindTopic(owner, missed); err != nil || got.Joined == nil || *got.Joined != 0 || got.HeldAt != 0 {
			t.Errorf("of a day all of which is known: got %+v, %v; want nobody", got, err)
		}
		w.tickAt(4, 0, 1)
		w.refused(w.HoldTopic(owner, a, 3), ritual.ErrNotDue)

		var all sync.WaitGroup
		var mu sync.Mutex
		ends := map[bool]int{}
		for range 12 {
			all.Go(func() {
				_, err := plan(5, 20)
				if err != nil && !errors.Is(err, ritual.ErrTopicsFull) {
					t.Errorf("planning at once: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				ends[err == nil]++
			})
		}
		all.Wait()
		if ends[true] != 5 || ends[false] != 7 {
			t.Errorf("%d were planned for one day, want 5", ends[true])
		}
	})
}

func mall(value string) community.MemberIn {
	return community.MemberIn{Identities: []community.Identity{{Kind: community.IdentityMall, Value: value}}}
}

// TestSteps: each step of a daily SOP is reminded of at its own time and noted
// for itself; its day was held once all of them were done.
func TestSteps(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		w := open(t, db)
		w.tickAt(2, 10, 0)
		in := ritual.In{Kind: ritual.KindSOP, Title: "日常", Weekdays: ritual.Weekdays{1, 2, 3, 4, 5, 6, 7}, MinuteOfDay: 9 * 60,
			Steps: []ritual.StepIn{{Title: "问早", MinuteOfDay: 9 * 60}, {Title: "答疑", MinuteOfDay: 15 * 60}, {Title: "晚间小结", MinuteOfDay: 21 * 60}}}
		for _, bad := range []func(in *ritual.In){
			func(in *ritual.In) { in.Kind = ritual.KindTopic },
			func(in *ritual.In) { in.MinuteOfDay = 9*60 + 1 },
			func(in *ritual.In) { in.Steps = []ritual.StepIn{in.Steps[1], in.Steps[0]} },
			func(in *ritual.In) { in.Steps = make([]ritual.StepIn, 13) },
			func(in *ritual.In) { in.Steps = []ritual.StepIn{{MinuteOfDay: 600}} },
		} {
			wrong := in
			bad(&wrong)
			_, err := w.Create(owner, w.group, wrong)
			w.refused(err, fault.Invalid)
		}
		r, err := w.Create(owner, w.group, in)
		w.ok(err)
		is := func(due, held int, steps ...int) {
			t.Helper()
			got, err := w.Find(owner, r)
			w.ok(err)
			var have []int
			for _, s := range got.Steps {
				have = append(have, s.Due, s.Held)
			}
			if got.Due != due || got.Held != held || fmt.Sprint(have) != fmt.Sprint(steps) {
				t.Errorf("got %d due, %d held, steps %v; want %d, %d, %v", got.Due, got.Held, have, due, held, steps)
			}
		}
		w.tickAt(2, 15, 0)
		w.tickAt(2, 21, 5) // set up at ten: the first step's time was over
		if n := w.told("ritual.due"); n != 2 {
			t.Errorf("reminded %d times, want of two steps", n)
		}
		is(0, 0, 0, 0, 1, 0, 1, 0)
		for range 2 {
			w.tickAt(3, 9, 0)
		}
		w.tickAt(3, 15, 0)
		w.tickAt(3, 21, 0)
		if n := w.told("ritual.due"); n != 5 {
			t.Errorf("reminded %d times, want of three steps more", n)
		}
		is(1, 0, 1, 0, 2, 0, 2, 0)
		w.refused(w.Hold(owner, r, ritual.HoldIn{Step: 4}), fault.Invalid)
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 3}))
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 1}))
		is(1, 0, 1, 1, 2, 0, 2, 1)
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 2}))
		w.ok(w.Hold(owner, r, ritual.HoldIn{Step: 2}))
		is(1, 1, 1, 1, 2, 1, 2, 1)
		w.tickAt(4, 8, 0)
		w.ok(w.Hold(owner, r, ritual.HoldIn{Day: 20260303}))
		w.tickAt(4, 22, 0) // nobody worked since eight
		w.ok(w.Hold(owner, r, ritual.HoldIn{}))
		is(2, 2, 2, 2, 3, 2, 3, 2)
		if n := w.told("ritual.due"); n != 5 {
			t.Errorf("reminded %d times, the last ones of what was over", n)
		}
		got, err := w.Find(owner, r)
		if w.ok(err); len(got.Open) != 2 || got.Open[0].Day != 20260303 || len(got.Open[1].Steps) != 3 || got.Open[1].HeldAt == 0 {
			t.Errorf("what may be noted: got %+v", got.Open)
		}
	})
}
