package request_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/community/request"
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
	staff = database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 9, Role: "marketer", Unit: 7, Units: []id.Unit{7}})
)

type house struct {
	*request.Service
	t     *testing.T
	group id.Group
	in    []id.Member // who is in the group
}

func newHouse(t *testing.T, db *database.DB, people int) *house {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Service: &request.Service{DB: db}, t: t}
	c := &community.Service{DB: db, Secrets: set}
	if h.group, err = c.CreateGroup(staff, community.GroupIn{Name: "群"}); err != nil {
		t.Fatal(err)
	}
	rows, stays := make([]community.MemberIn, people), make([]community.MembershipIn, people)
	for i := range rows {
		rows[i] = community.MemberIn{Identities: []community.Identity{{Kind: community.IdentityMall, Value: fmt.Sprint("m", i)}}}
	}
	out, err := c.UpsertMembers(staff, rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range out {
		h.in = append(h.in, r.Member)
		stays[i] = community.MembershipIn{MemberID: r.Member}
	}
	if _, err := c.PutMemberships(staff, h.group, stays); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) ask(m id.Member, line string) id.Request {
	h.t.Helper()
	r, err := h.Ask(bg, m, request.In{GroupID: h.group, Kind: request.KindBuy, Line: line})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) found(r id.Request) request.Request {
	h.t.Helper()
	found, err := h.Find(staff, r)
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

func (h *house) refused(err error, want *fault.Fault) {
	h.t.Helper()
	if !errors.Is(err, want) {
		h.t.Errorf("got %v, want %s", err, want.Code)
	}
}

// broken is how many breaches Verify sees.
func (h *house) broken() int {
	h.t.Helper()
	proofs, err := request.Verify(bg, h.DB)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(proofs[0].Broken)
}

func TestAnswerBy(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	for asked, want := range map[string]string{
		"02 10:00": "02 12:00", "02 08:59": "02 11:00", "02 00:10": "02 11:00", "02 19:00": "02 21:00",
		"02 20:30": "03 10:30", "02 21:00": "03 11:00", "02 23:59": "03 11:00", "02 09:00": "02 11:00",
	} {
		at, err := time.ParseInLocation("2006-01 02 15:04", "2026-03 "+asked, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := request.AnswerBy(at.UTC(), zone).Format("02 15:04"); got != want {
			t.Errorf("asked at %s: by %s, want %s", asked, got, want)
		}
	}
}

func TestRequest(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, 3)
		a, b, c := h.in[0], h.in[1], h.in[2]
		r := h.ask(a, " 想买  龙井\u202e ")
		if got := h.found(r); got.Line != "想买 龙井" || got.Status != request.StatusOpen || got.AnswerBy != clock.MilliOf(dbtest.Start.Add(2*time.Hour)) {
			t.Errorf("got %+v", got)
		}
		t.Run("once each, and not one's own", func(t *testing.T) {
			h.refused(h.Want(bg, r, a), request.ErrOwn)
			for range 2 {
				if err := h.Want(bg, r, b); err != nil {
					t.Fatal(err)
				}
			}
			if got := h.found(r).Wants; got != 1 {
				t.Errorf("%d want it, want 1", got)
			}
			h.refused(h.Want(bg, r, 404), community.ErrMemberUnknown)
		})
		t.Run("three open ones are enough", func(t *testing.T) {
			h.ask(c, "一")
			h.ask(c, "二")
			h.ask(c, "三")
			_, err := h.Ask(bg, c, request.In{GroupID: h.group, Kind: request.KindHelp, Line: "四"})
			h.refused(err, request.ErrOpen)
		})
		t.Run("who is not in the group neither asks nor sees", func(t *testing.T) {
			_, err := h.Ask(bg, a, request.In{GroupID: 404, Kind: request.KindBuy, Line: "x"})
			h.refused(err, fault.NotFound)
			_, err = h.Find(database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: 404}), r)
			h.refused(err, fault.NotFound)
			other := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 8, Units: []id.Unit{8}})
			h.refused(h.Answer(other, r, request.AnswerIn{Status: request.StatusSolved}), fault.NotFound)
			list, err := h.List(other, request.Filter{}, database.Page{})
			if err != nil || len(list.Items) != 0 {
				t.Errorf("got %+v, %v", list, err)
			}
		})
		t.Run("overdue is told once", func(t *testing.T) {
			reg := task.NewRegistry()
			h.Register(reg)
			db.Clock.Jump(h.found(r).AnswerBy.Time().Sub(db.Clock.Now()))
			if err := task.Tick(bg, db, reg); err != nil {
				t.Fatal(err)
			}
			if h.found(r).AlertedAt != 0 {
				t.Error("told at the very moment by which it was to be answered")
			}
			db.Clock.Jump(time.Minute)
			for range 2 {
				db.Clock.Jump(5 * time.Minute)
				if err := task.Tick(bg, db, reg); err != nil {
					t.Fatal(err)
				}
			}
			if at := h.found(r).AlertedAt; at == 0 || at > clock.MilliOf(dbtest.Start.Add(2*time.Hour+7*time.Minute)) {
				t.Errorf("told at %s", at)
			}
		})
		t.Run("one group-buy", func(t *testing.T) {
			help, err := h.Ask(bg, a, request.In{GroupID: h.group, Kind: request.KindHelp, Line: "怎么存茶"})
			if err != nil {
				t.Fatal(err)
			}
			h.refused(h.drafted(help, 77), request.ErrBuys)
			if err := h.drafted(r, 77); err != nil {
				t.Fatal(err)
			}
			h.refused(h.drafted(r, 78), request.ErrBuys)
		})
		t.Run("answered, then its outcome, then rated by the asker", func(t *testing.T) {
			h.refused(h.Answer(staff, r, request.AnswerIn{Status: request.StatusDeclined}), fault.Invalid)
			h.refused(h.Rate(bg, r, a, 5), request.ErrRated)
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			must(h.Answer(staff, r, request.AnswerIn{Status: request.StatusAnswered, Answer: "周五到货"}))
			first := h.found(r).AnsweredAt
			db.Clock.Jump(time.Hour)
			must(h.Answer(staff, r, request.AnswerIn{Status: request.StatusSolved}))
			if got := h.found(r); got.AnsweredAt != first || got.Answer != "周五到货" || got.AnsweredBy != 9 {
				t.Errorf("got %+v", got)
			}
			h.refused(h.Answer(staff, r, request.AnswerIn{Status: request.StatusOffered, Answer: "别的"}), request.ErrOver)
			h.refused(h.Want(bg, r, c), request.ErrOver)
			h.refused(h.Rate(bg, r, b, 5), fault.NotFound)
			must(h.Rate(bg, r, a, 4))
			h.refused(h.Rate(bg, r, a, 1), request.ErrRated)
		})
		t.Run("what is over becomes no group-buy any more", func(t *testing.T) {
			if was, err := h.Buys(staff, r); err != nil || was.CampaignID != 77 {
				t.Errorf("a draft made before: got %+v, %v", was, err)
			}
			for status, answer := range map[request.Status]string{request.StatusSolved: "", request.StatusOffered: "别的", request.StatusDeclined: "没有"} {
				over := h.ask(b, "想买明前龙井")
				if err := h.Answer(staff, over, request.AnswerIn{Status: status, Answer: answer}); err != nil {
					t.Fatal(err)
				}
				_, err := h.Buys(staff, over)
				h.refused(err, request.ErrMet)
				h.refused(h.drafted(over, 79), request.ErrMet)
			}
		})
		if h.broken() != 0 {
			t.Error("the proof sees a breach")
		}
		err := db.Tx(bg, func(tx *database.Tx) error {
			return tx.Exec("UPDATE requests SET wants = wants + 1 WHERE id = ?", r).Error
		})
		if err != nil || h.broken() != 1 {
			t.Errorf("a wrong counter is not seen (%v)", err)
		}
	})
}

// drafted notes a group-buy of a request.
func (h *house) drafted(r id.Request, campaign id.Campaign) error {
	return h.DB.Tx(staff, func(tx *database.Tx) error {
		buys, err := request.BuyTx(tx, r)
		if err != nil {
			return err
		}
		return buys.DraftedTx(tx, campaign)
	})
}

// crowd lets 40 people want a request three times each, at once.
func crowd(t *testing.T, db *database.DB) (wants, broken int) {
	t.Helper()
	h := newHouse(t, db, 41)
	r := h.ask(h.in[0], "想买茶")
	var all sync.WaitGroup
	for _, m := range h.in[1:] {
		for range 3 {
			all.Go(func() {
				if err := h.Want(bg, r, m); err != nil && !strings.Contains(err.Error(), "UNIQUE") && !database.IsDuplicate(err) {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
	return h.found(r).Wants, h.broken()
}

func TestWantUnderRace(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		if wants, broken := crowd(t, db); wants != 40 || broken != 0 {
			t.Errorf("%d want it, %d breaches; want 40 and none", wants, broken)
		}
	})
	t.Run("breaks without locks", func(t *testing.T) {
		wants, broken := crowd(t, dbtest.Unlocked(t, "mariadb", "request_wants.`PRIMARY`"))
		if wants == 40 && broken == 0 {
			t.Error("40 want it without locks: the test cannot fail")
		}
	})
}

// TestMerged: who was merged is one person with what he asked and wanted before:
// he wants nothing twice and not his own, and his open requests count.
func TestMerged(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db, 4)
		asker, early, late, other := h.in[0], h.in[1], h.in[2], h.in[3]
		r := h.ask(asker, "想买龙井")
		for _, line := range []string{"一", "二"} {
			h.ask(asker, line)
		}
		if err := h.Want(bg, r, early); err != nil {
			t.Fatal(err)
		}
		for from, into := range map[id.Member]id.Member{early: late, asker: other} {
			err := db.Tx(bg, func(tx *database.Tx) error {
				_, err := community.MergeTx(tx, from, into)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Want(bg, r, late); err != nil {
			t.Fatal(err)
		}
		if got := h.found(r).Wants; got != 1 {
			t.Errorf("%d want it, want 1", got)
		}
		h.refused(h.Want(bg, r, other), request.ErrOwn)
		_, err := h.Ask(bg, other, request.In{GroupID: h.group, Kind: request.KindBuy, Line: "三"})
		h.refused(err, request.ErrOpen)
	})
}
