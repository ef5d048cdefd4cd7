package welcome_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/welcome"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

var (
	bg    = context.Background()
	owner = staff(9)
	other = staff(8)
)

func staff(n id.Staff) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: n, Role: "group_owner", Unit: 7, Units: []id.Unit{7}, Own: true})
}

func TestDue(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	r := welcome.Rules{Minutes: []int{600, 1200}}
	for text, want := range map[string]string{"09:59": "", "10:00": "10:00", "10:19": "10:00", "10:20": "", "20:05": "20:00", "00:00": ""} {
		now, err := time.ParseInLocation("2006-01-02 15:04", "2026-03-02 "+text, zone)
		if err != nil {
			t.Fatal(err)
		}
		at, is := r.Due(now.UTC(), zone)
		if is != (want != "") || is && at.Format("15:04") != want {
			t.Errorf("%s: got %s, %v; want %q", text, at, is, want)
		}
	}
}

// TestWelcome: those who came between two hours are greeted together and once;
// nobody in the quiet hours, of before, or who has left.
func TestWelcome(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		ok := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		set, err := secret.New(secret.Fresh())
		ok(err)
		people, s, reg := &community.Service{DB: db, Secrets: set}, &welcome.Service{DB: db}, task.NewRegistry()
		s.Register(reg)
		ok(db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', '*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
		}))
		g, err := people.CreateGroup(owner, community.GroupIn{Name: "茶友群"})
		ok(err)
		seq := 0
		comes := func(n int) (list []id.Member) {
			t.Helper()
			for range n {
				seq++
				out, err := people.UpsertMembers(owner, []community.MemberIn{{Name: "会员", Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", seq)}}}})
				ok(err)
				ok(people.Join(bg, community.Join{Group: g, Member: out[0].Member}))
				list = append(list, out[0].Member)
			}
			return list
		}
		at := func(day, hour, minute int) { // of March, in Shanghai
			t.Helper()
			db.Clock.Jump(time.Date(2026, 3, day, hour-8, minute, 0, 0, time.UTC).Sub(db.Clock.Now()))
		}
		told := func() (list []string) {
			t.Helper()
			for range 2 {
				ok(task.Tick(bg, db, reg))
				db.Clock.Jump(time.Minute)
			}
			ok(db.Read(bg).Raw("SELECT payload FROM events WHERE type = 'group.welcome' ORDER BY id").Scan(&list).Error)
			return list
		}
		at(3, 9, 0)
		comes(1) // is no newcomer
		db.Clock.Jump(time.Minute)
		in := welcome.In{Minutes: []int{20 * 60, 10 * 60, 23 * 60}, TextZH: "欢迎 {people} 位来到{group}", TextEN: "Welcome, all {people}"}
		_, err = s.Set(other, g, 0, in)
		if !errors.Is(err, fault.NotFound) {
			t.Errorf("a stranger sets it: %v", err)
		}
		_, err = s.Set(owner, g, 0, in)
		ok(err)
		db.Clock.Jump(time.Minute)
		first := comes(3)
		_, err = people.PutMemberships(owner, g, []community.MembershipIn{{MemberID: first[2], LeftAt: clock.MilliOf(db.Clock.Now())}})
		ok(err)
		at(3, 9, 57)
		if n := len(told()); n != 0 {
			t.Errorf("%d greetings too early", n)
		}
		at(3, 10, 2)
		if list := told(); len(list) != 1 || !strings.Contains(list[0], "欢迎 2 位来到茶友群") || !strings.Contains(list[0], first[1].String()) || strings.Contains(list[0], first[2].String()) {
			t.Errorf("greeted: got %v", list)
		}
		late := comes(1) // after the hour
		at(3, 20, 30)    // no worker was there at 20:00
		at(3, 23, 1)     // and then it is quiet
		if list := told(); len(list) != 1 {
			t.Errorf("in the quiet hours: got %v", list)
		}
		at(4, 10, 0)
		if list := told(); len(list) != 2 || !strings.Contains(list[1], late[0].String()) || !strings.Contains(list[1], "欢迎 1 位") {
			t.Errorf("the next morning: got %v", list)
		}
	})
	for name, bad := range map[string]welcome.In{
		"no text": {Minutes: []int{600}}, "a link": {TextZH: "https://x"}, "too near": {Minutes: []int{600, 620}, TextZH: "a", TextEN: "b"}, "no minute": {Minutes: []int{1440}, TextZH: "a", TextEN: "b"},
	} {
		if bad.Validate() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
