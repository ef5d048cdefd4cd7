package community_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

// noticed is a room with a webhook that hears all, and a member.
func noticed(t *testing.T, db *database.DB) (*community.Service, id.Member) {
	t.Helper()
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	s := &community.Service{DB: db, Secrets: keys}
	err = db.Tx(t.Context(), func(tx *database.Tx) error {
		return tx.Exec("INSERT INTO webhooks (id, unit_id, url, events, secret, status, version, created_at) VALUES (?, 0, 'https://mall.example', 'notice.*', '', 'active', 1, ?)", tx.Next(), tx.Now).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.UpsertMembers(t.Context(), []community.MemberIn{{Identities: []community.Identity{{Kind: community.IdentityMall, Value: "m1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	return s, rows[0].Member
}

func payloads(t *testing.T, db *database.DB) (list []string) {
	t.Helper()
	if err := db.Read(t.Context()).Raw("SELECT payload FROM events WHERE type = 'notice.due' ORDER BY id").Scan(&list).Error; err != nil {
		t.Fatal(err)
	}
	return list
}

func TestNotice(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s, m := noticed(t, db)
		tell := func(name community.NoticeName, fact string) error {
			return db.Tx(t.Context(), func(tx *database.Tx) error {
				return community.NoticeTx(tx, community.Notice{Member: m, Name: name, Fact: fact, Params: map[string]string{
					"campaign": "周一{amount}", "order_id": "ord_1", "amount": "12.50", "starts": "2026-01-05 10:00",
				}})
			})
		}
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				if err := tell(community.NoticeRefundDone, "rfd_1"); err != nil {
					t.Errorf("notice: %v", err)
				}
			})
		}
		wg.Wait()
		got := payloads(t, db)
		if len(got) != 1 || !strings.Contains(got[0], "「周一{amount}」的退款 12.50 元已退回。") || !strings.Contains(got[0], "12.50 yuan for 周一{amount}") {
			t.Fatalf("64 reports of one fact made %v", got)
		}
		no := false
		err := s.SetConsents(t.Context(), m, []community.ConsentIn{{Purpose: community.PurposeMarketing, Granted: &no, TextVersion: "v1"}})
		if err != nil {
			t.Fatal(err)
		}
		for name, want := range map[community.NoticeName]int{community.NoticeCampaignSoon: 1, community.NoticeTeamFormed: 2} {
			if err := tell(name, "cmp_1"); err != nil {
				t.Fatal(err)
			}
			if name == community.NoticeTeamFormed {
				if got := payloads(t, db); len(got) != want {
					t.Errorf("%s of his own order: %d notices, want %d", name, len(got), want)
				}
			}
		}
		for _, p := range payloads(t, db) {
			if strings.Contains(p, "campaign_soon") {
				t.Errorf("marketing was sent to who refused it: %s", p)
			}
		}
	})
}

// Without its unique key one fact would be told again and again.
func TestNoticeNeedsItsKey(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			db := dbtest.Unlocked(t, engine, "notices.notices_fact")
			_, m := noticed(t, db)
			for range 2 {
				err := db.Tx(t.Context(), func(tx *database.Tx) error {
					return community.NoticeTx(tx, community.Notice{Member: m, Name: community.NoticeTeamFormed, Fact: "tem_1", Params: map[string]string{"campaign": "a", "order_id": "o"}})
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if got := payloads(t, db); len(got) != 2 {
				t.Errorf("%d notices without the key: the test of once cannot fail", len(got))
			}
		})
	}
}

func TestNoticeTemplates(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s, _ := noticed(t, db)
		good := community.NoticeTextIn{TextZH: "退款 {amount} 元", TextEN: "{amount} yuan back"}
		for field, bad := range map[string]community.NoticeTextIn{
			"unknown placeholder": {TextZH: "{phone}", TextEN: "ok"},
			"empty":               {TextZH: "好", TextEN: " "},
			"too long":            {TextZH: strings.Repeat("长", 201), TextEN: "ok"},
			"half a brace":        {TextZH: "{amount", TextEN: "ok"},
		} {
			if err := s.EditNoticeTemplate(t.Context(), community.NoticeRefundDone, 1, bad); !errors.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v, want invalid", field, err)
			}
		}
		if err := s.EditNoticeTemplate(t.Context(), "spam", 1, good); !errors.Is(err, fault.NotFound) {
			t.Errorf("unknown template: got %v", err)
		}
		var once sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 64 {
			once.Go(func() {
				err := s.EditNoticeTemplate(t.Context(), community.NoticeRefundDone, 1, good)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, fault.Stale) {
					t.Errorf("edit: %v", err)
				}
			})
		}
		once.Wait()
		got, err := s.FindNoticeTemplate(t.Context(), community.NoticeRefundDone)
		if err != nil || won != 1 || got.Version != 2 || got.TextZH != good.TextZH {
			t.Errorf("%d edits of version 1 stand, %+v, %v", won, got, err)
		}
		if err := s.EditNoticeTemplate(t.Context(), community.NoticeRefundDone, 2, good); err != nil {
			t.Errorf("the next edit: %v", err)
		}
	})
}
