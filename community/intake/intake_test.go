package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/community/intake"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/internal/task"
)

var bg = context.Background()

const north, south = id.Unit(7), id.Unit(8)

// as is a marketer of one unit.
func as(unit id.Unit) context.Context {
	return database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: id.Staff(unit + 1000), Role: "marketer", Unit: unit, Units: []id.Unit{unit}})
}

type house struct {
	*intake.Service
	t *testing.T
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	return &house{&intake.Service{DB: db, Community: &community.Service{DB: db, Secrets: set}, Secrets: set}, t}
}

func read(t testing.TB, kind intake.Kind, text string) *intake.File {
	t.Helper()
	f, err := intake.Read(kind, []byte(text), time.FixedZone("", 8*3600))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// bring receives a file and works it.
func (h *house) bring(ctx context.Context, kind intake.Kind, text string) intake.Import {
	h.t.Helper()
	file, err := h.Receive(ctx, read(h.t, kind, text))
	if err != nil {
		h.t.Fatal(err)
	}
	h.drain()
	return h.found(file)
}

func (h *house) drain() {
	h.t.Helper()
	r := task.NewRegistry()
	h.Register(r)
	if err := task.Drain(bg, h.DB, r); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) found(file id.Import) intake.Import {
	h.t.Helper()
	m, err := h.Find(bg, file)
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// counts is what an import came to: made, updated, skipped, refused.
func counts(m intake.Import) [4]int { return [4]int{m.Made, m.Updated, m.Skipped, m.Refused} }

// report is the import's report without ids, a line each.
func (h *house) report(m intake.Import) []string {
	h.t.Helper()
	var b bytes.Buffer
	if err := h.WriteReport(bg, m, "en", &b); err != nil {
		h.t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(b.String()) {
		f := strings.Split(strings.TrimSpace(line), ",")
		out = append(out, strings.Join([]string{f[0], f[1], f[3], f[4]}, " "))
	}
	return out[1:]
}

func (h *house) count(sql string, args ...any) (n int) {
	h.t.Helper()
	if err := h.DB.Read(bg).Raw(sql, args...).Row().Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

const (
	groupsFile = `群ID,群名称,群类型,建群时间
wr1,茶友一群,retail,2024-03-01 10:00
wr2,茶友二群,,2025/1/2
wr1,又是一群,,
,无名,,
wr4,好群,spam,
wr5,明天的群,,2030-01-01
`
	membersFile = `会员号,姓名,手机号
1001,王一,13800000001
1002,李二,
,张三,13800000003
,谁,
1004,电话不对,12
`
	staysFile = `群,会员号,手机号,角色,入群时间
wr1,1001,,owner,2025-03-01
茶友一群,,13800000003,koc,
wr2,1002,,,
wr9,1001,,,
wr1,9999,,,
wr1,1002,,king,
`
	sendsFile = `group,time,event,n
wr1,2026-02-20 10:00,send,2
茶友一群,2026-02-27 10:00,群发,
wr1,2026-02-27 11:00,leave,3
wr1,2026-03-02 10:00,send,
wr1,昨天,send,
wr7,2026-02-20,send,
`
)

func TestFiles(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		files := []struct {
			kind intake.Kind
			text string
			want []string
			made [4]int
		}{
			{intake.KindGroups, groupsFile, []string{
				"2 made  ", "3 made  ", "4 refused external_id repeated", "5 refused external_id required",
				"6 refused preset unknown_value", "7 refused born_at range"}, [4]int{2, 0, 0, 4}},
			{intake.KindMembers, membersFile, []string{
				"2 made  ", "3 made  ", "4 made  ", "5 refused mall_id required", "6 refused phone format"}, [4]int{3, 0, 0, 2}},
			{intake.KindMemberships, staysFile, []string{
				"2 made  ", "3 made  ", "4 made  ", "5 refused group intake.group", "6 refused mall_id intake.member",
				"7 refused role unknown_value"}, [4]int{3, 0, 0, 3}},
			{intake.KindSends, sendsFile, []string{
				"2 made  ", "3 made  ", "4 skipped event skipped", "5 refused time community.past_ad",
				"6 refused time format", "7 refused group intake.group"}, [4]int{2, 0, 1, 3}},
		}
		for round := range 2 {
			for _, f := range files {
				m := h.bring(as(north), f.kind, f.text)
				want := f.made
				if round > 0 { // the same file again makes nothing
					want[0], want[1] = 0, want[0]
				}
				if m.Status != intake.StatusDone || m.Done != m.Total || counts(m) != want {
					t.Errorf("%s, round %d: got %+v, want %v", f.kind, round, m, want)
				}
				if got := h.report(m); round == 0 {
					if d := cmp.Diff(f.want, got); d != "" {
						t.Errorf("%s: %s", f.kind, d)
					}
				}
			}
		}
		for sql, want := range map[string]int{
			"SELECT COUNT(*) FROM chat_groups":                                    2,
			"SELECT COUNT(*) FROM chat_groups WHERE version > 1":                  0,
			"SELECT COUNT(*) FROM members":                                        3,
			"SELECT COUNT(*) FROM memberships":                                    3,
			"SELECT COUNT(*) FROM memberships WHERE version > 1":                  0,
			"SELECT SUM(qty) FROM past_ads":                                       3,
			"SELECT COUNT(*) FROM import_parts WHERE LENGTH(sealed) > 0":          0,
			"SELECT COUNT(*) FROM import_parts WHERE report LIKE '%13800000001%'": 0,
		} {
			if got := h.count(sql); got != want {
				t.Errorf("%s: got %d, want %d", sql, got, want)
			}
		}
		t.Run("another unit sees neither the file nor its groups", func(t *testing.T) {
			m := h.bring(as(south), intake.KindSends, "group,time,event\nwr1,2026-02-01,send\n茶友二群,2026-02-01,send\n")
			if counts(m) != [4]int{0, 0, 0, 2} {
				t.Errorf("got %+v", m)
			}
			_, err := h.Find(as(north), m.ID)
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("got %v", err)
			}
			list, err := h.List(as(south), database.Page{})
			if err != nil || len(list.Items) != 1 || list.Items[0].ID != m.ID {
				t.Errorf("got %+v, %v", list, err)
			}
		})
		t.Run("a name that two groups have is no name", func(t *testing.T) {
			h.bring(as(north), intake.KindGroups, "external_id,name\nwr8,茶友二群\n")
			m := h.bring(as(north), intake.KindSends, "group,time,event\n茶友二群,2026-02-02,send\nwr8,2026-02-02,send\n")
			if counts(m) != [4]int{1, 0, 0, 1} {
				t.Errorf("got %+v", m)
			}
		})
	})
}

// TestWholeFiles: what cannot be read as a whole is refused as a whole.
func TestWholeFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		kind intake.Kind
		body []byte
		want *fault.Fault
	}{
		"an unknown kind": {"people", []byte("a\n1\n"), fault.Invalid},
		"no name column":  {intake.KindGroups, []byte("external_id\nwr1\n"), intake.ErrHeader},
		"nothing in it":   {intake.KindGroups, []byte("external_id,name\n\n,,\n"), intake.ErrEmpty},
		"too many lines":  {intake.KindMembers, []byte("mall_id\n" + strings.Repeat("1\n", intake.LinesMax+1)), intake.ErrTooLarge},
		"too many bytes":  {intake.KindMembers, make([]byte, intake.BytesMax+1), intake.ErrTooLarge},
	} {
		if _, err := intake.Read(tt.kind, tt.body, time.UTC); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want.Code)
		}
	}
}

// TestRunsAtOnce: a job run by several workers at once makes each line once.
func TestRunsAtOnce(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		var b strings.Builder
		b.WriteString("mall_id,name\n")
		for i := range 1100 {
			fmt.Fprintf(&b, "m%d,会员\n", i)
		}
		file, err := h.Receive(as(north), read(t, intake.KindMembers, b.String()))
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := h.Run(bg, file); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		m := h.found(file)
		if m.Status != intake.StatusDone || m.Done != 1100 || counts(m) != [4]int{1100, 0, 0, 0} {
			t.Errorf("got %+v", m)
		}
		if got := h.count("SELECT COUNT(*) FROM members WHERE unit_id = ?", north); got != 1100 {
			t.Errorf("got %d members, want 1100", got)
		}
	})
}

// TestStrays: parts whose import never came bring nothing and go away; a call
// repeated under its key leaves one import.
func TestStrays(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		keyed := func() context.Context {
			return database.WithKey(as(north), database.Key{Principal: "x", Route: "POST /v1/imports", Key: "k", Hash: "h"})
		}
		f := read(t, intake.KindMembers, "mall_id\n1\n2\n")
		file, err := h.Receive(keyed(), f)
		if err != nil {
			t.Fatal(err)
		}
		var again *database.Replayed
		if _, err := h.Receive(keyed(), f); !errors.As(err, &again) || again.ID != int64(file) {
			t.Fatalf("got %v, want a replay of %s", err, file)
		}
		h.drain()
		if got := h.count("SELECT COUNT(*) FROM import_parts"); got != 2 {
			t.Errorf("got %d parts, want the import's and a stray", got)
		}
		h.DB.Clock.Jump(3 * time.Hour)
		r := task.NewRegistry()
		h.Register(r)
		if err := task.Tick(bg, db, r); err != nil {
			t.Fatal(err)
		}
		if got := h.count("SELECT COUNT(*) FROM import_parts"); got != 1 {
			t.Errorf("got %d parts, want the import's alone", got)
		}
		if got := h.count("SELECT COUNT(*) FROM members"); got != 2 {
			t.Errorf("got %d members, want 2", got)
		}
	})
}
