package access

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
)

// TestWorkLink: a link is made for a group owner by himself or an admin of his
// unit, opens once, works until it ends, is revoked, or its owner no longer is
// one.
func TestWorkLink(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		admin, _ := as(t, s, Admin, "蓝山咖啡")
		root := database.ActorOf(admin).Unit
		store := unit(t, s, admin, root, "西湖店")
		staff := func(in id.Unit, role Role) (id.Staff, context.Context) {
			t.Helper()
			who, err := s.AddStaff(admin, StaffIn{UnitID: in, Name: "同事", Role: role})
			if err != nil {
				t.Fatal(err)
			}
			_, key, err := s.AddKey(admin, KeyIn{StaffID: who, Name: "x"})
			if err != nil {
				t.Fatal(err)
			}
			a, err := s.Authenticate(bg, key)
			if err != nil {
				t.Fatal(err)
			}
			return who, database.WithActor(bg, a)
		}
		wang, his := staff(store, GroupOwner)
		_, other := staff(store, GroupOwner)
		marketer, _ := staff(store, Marketer)
		_, away := staff(unit(t, s, admin, root, "滨江店"), Admin)
		refused := func(err error, want *fault.Fault) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("got %v, want %s", err, want.Code)
			}
		}
		made := func(ctx context.Context, of id.Staff) (id.WorkLink, string) {
			t.Helper()
			link, token, err := s.MakeWorkLink(ctx, WorkLinkIn{StaffID: of})
			if err != nil {
				t.Fatal(err)
			}
			return link, token
		}

		t.Run("who makes one, of whom", func(t *testing.T) {
			for _, c := range []struct {
				ctx  context.Context
				of   id.Staff
				want *fault.Fault
			}{{other, wang, fault.NotFound}, {away, wang, fault.NotFound}, {admin, marketer, fault.Invalid}, {admin, 0, fault.Invalid}, {admin, 404, fault.NotFound}} {
				_, _, err := s.MakeWorkLink(c.ctx, WorkLinkIn{StaffID: c.of})
				refused(err, c.want)
			}
			link, _ := made(his, 0)
			for _, ctx := range []context.Context{other, away} {
				_, err := s.FindWorkLink(ctx, link)
				refused(err, fault.NotFound)
				refused(s.RevokeWorkLink(ctx, link), fault.NotFound)
				if list, err := s.ListWorkLinks(ctx, database.Page{}); err != nil || len(list.Items) != 0 {
					t.Errorf("listed to others: %+v, %v", list, err)
				}
			}
			if list, err := s.ListWorkLinks(his, database.Page{}); err != nil || len(list.Items) != 1 || list.Items[0].StaffID != wang || list.Items[0].MadeBy != wang {
				t.Errorf("his own: %+v, %v", list, err)
			}
		})
		t.Run("it opens once, however many try", func(t *testing.T) {
			link, token := made(admin, wang)
			_, err := s.Worker(bg, link)
			refused(err, ErrCredentials) // not opened yet
			opened := 0
			var mu sync.Mutex
			var all sync.WaitGroup
			for range 8 {
				all.Go(func() {
					if _, err := s.OpenWorkLink(bg, token); err == nil {
						mu.Lock()
						opened++
						mu.Unlock()
					} else if !errors.Is(err, ErrWorkLink) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if opened != 1 {
				t.Errorf("opened %d times", opened)
			}
			a, err := s.Worker(bg, link)
			want := database.ActorOf(his)
			if err != nil || a.Staff != wang || a.Role != string(GroupOwner) || !a.Own || a.Unit != store || len(a.Units) != len(want.Units) || a.Key != 0 {
				t.Errorf("works as %+v, %v", a, err)
			}
			db.Clock.Jump(WorkLinkFor - time.Millisecond)
			if _, err := s.Worker(bg, link); err != nil {
				t.Error(err)
			}
			db.Clock.Jump(time.Millisecond)
			_, err = s.Worker(bg, link)
			refused(err, ErrCredentials)
		})
		t.Run("it runs out, and what is no link opens nothing", func(t *testing.T) {
			_, token := made(his, 0)
			for _, bad := range []string{"", "k1.", token + "A", token[:len(token)-1], s.GuestToken(7)} {
				_, err := s.OpenWorkLink(bg, bad)
				refused(err, ErrWorkLink)
			}
			db.Clock.Jump(WorkLinkOpens)
			_, err := s.OpenWorkLink(bg, token)
			refused(err, ErrWorkLink)
		})
		t.Run("revoked, suspended or of another role it stops at once", func(t *testing.T) {
			link, token := made(his, 0)
			if _, err := s.OpenWorkLink(bg, token); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := s.RevokeWorkLink(admin, link); err != nil {
					t.Fatal(err)
				}
			}
			_, err := s.Worker(bg, link)
			refused(err, ErrCredentials)
			unopened, token := made(his, 0)
			if err := s.RevokeWorkLink(his, unopened); err != nil {
				t.Fatal(err)
			}
			_, err = s.OpenWorkLink(bg, token)
			refused(err, ErrWorkLink)

			link, token = made(his, 0)
			if _, err := s.OpenWorkLink(bg, token); err != nil {
				t.Fatal(err)
			}
			role, active, out := Marketer, StaffActive, StaffSuspended
			if err := s.UpdateStaff(admin, wang, 1, StaffPatch{Role: &role}); err != nil {
				t.Fatal(err)
			}
			_, err = s.Worker(bg, link)
			refused(err, ErrCredentials)
			role = GroupOwner
			if err := s.UpdateStaff(admin, wang, 2, StaffPatch{Role: &role, Status: &out}); err != nil {
				t.Fatal(err)
			}
			_, err = s.Worker(bg, link)
			refused(err, ErrCredentials)
			_, _, err = s.MakeWorkLink(admin, WorkLinkIn{StaffID: wang})
			refused(err, fault.Invalid)
			if err := s.UpdateStaff(admin, wang, 3, StaffPatch{Status: &active}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Worker(bg, link); err != nil {
				t.Errorf("back again: %v", err)
			}
		})
	})
}
