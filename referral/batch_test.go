package referral_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/secret"
	"siyu/internal/task"
	"siyu/referral"
)

func TestBatch(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(0, everyOrder())
		members := make([]id.Member, 30)
		for i := range members {
			members[i] = h.member()
		}
		people := &community.Service{DB: db, Secrets: h.Secrets}
		groups := make([]id.Group, 40)
		for i := range groups {
			var err error
			if groups[i], err = people.CreateGroup(bg, community.GroupIn{Name: "茶友群"}); err != nil {
				t.Fatal(err)
			}
		}
		in := referral.BatchIn{ProgramID: h.program, Channel: "table_card", Cost: 120, Members: members, Groups: groups}

		t.Run("each member has a code in each group, and again the same", func(t *testing.T) {
			own := h.codes(referral.CodeIn{InviterID: members[3], ProgramID: h.program, GroupID: groups[7], Channel: "table_card"})[0]
			b := h.batch(in)
			if b.Status != referral.BatchDone || b.Total != 1200 || b.Done != 1200 || b.Made != 1199 || b.Refused != 0 || b.FinishedAt == 0 {
				t.Errorf("got %+v", b)
			}
			lines := h.lines(b)
			seen := map[string]bool{}
			for i, line := range lines {
				code, err := h.FindCode(bg, line[1])
				switch {
				case err != nil:
					t.Fatalf("line %d: %v", i, err)
				case code.InviterID != members[i%30] || code.GroupID != groups[i/30] || code.Channel != "table_card":
					t.Fatalf("line %d is %s in %s", i, code.InviterID, code.GroupID)
				case code.ID == own.ID && code.Cost != 0, code.ID != own.ID && code.Cost != 120:
					t.Fatalf("line %d costs %s", i, code.Cost)
				case line[2] != code.URL || line[3] != "live" || line[7] != strconv.FormatInt(int64(code.Cost), 10):
					t.Fatalf("line %d: %v", i, line)
				}
				seen[line[1]] = true
			}
			if len(lines) != 1200 || len(seen) != 1200 || lines[7*30+3][1] != own.Code {
				t.Errorf("%d lines, %d codes", len(lines), len(seen))
			}
			again := h.batch(in)
			if again.Made != 0 || again.Done != 1200 {
				t.Errorf("again: got %+v", again)
			}
		})
		t.Run("who cannot invite is refused with the reason, the others not", func(t *testing.T) {
			guest, err := people.NewGuest(bg)
			if err != nil {
				t.Fatal(err)
			}
			b := h.batch(referral.BatchIn{ProgramID: h.program, Channel: "-x", Members: []id.Member{members[0], guest, 404, members[0]}})
			if b.Total != 3 || b.Made != 1 || b.Refused != 2 {
				t.Errorf("got %+v", b)
			}
			var why []string
			for _, line := range h.lines(b) {
				why = append(why, line[8])
				if line[6] != "'-x" {
					t.Errorf("a spreadsheet may take %q for a formula", line[6])
				}
			}
			if strings.Join(why, " ") != " identity_required unknown_member" {
				t.Errorf("refusals: %q", why)
			}
		})
		t.Run("a group alone is its members of now", func(t *testing.T) {
			for _, m := range members[:2] {
				if err := people.Join(bg, community.Join{Group: groups[0], Member: m}); err != nil {
					t.Fatal(err)
				}
			}
			if b := h.batch(referral.BatchIn{ProgramID: h.program, Channel: "own", Groups: groups[:1]}); b.Made != 2 {
				t.Errorf("got %+v", b)
			}
			_, err := h.CreateBatch(bg, referral.BatchIn{ProgramID: h.program, Groups: groups[1:2]})
			refused(t, err, fault.Invalid)
		})
		t.Run("an expired code gives its place up", func(t *testing.T) {
			old := h.codes(referral.CodeIn{InviterID: members[0], ProgramID: h.program, Channel: "old", ExpiresAt: h.now().Add(time.Hour)})[0]
			h.DB.Clock.Jump(time.Hour)
			b := h.batch(referral.BatchIn{ProgramID: h.program, Channel: "old", Members: members[:1]})
			if got := h.lines(b)[0][1]; b.Made != 1 || got == old.Code {
				t.Errorf("got %+v, %s", b, got)
			}
		})
		t.Run("runs at once make each code once", func(t *testing.T) {
			in := in
			in.Channel = "twice"
			job, err := h.CreateBatch(bg, in)
			if err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for range 3 {
				all.Go(func() {
					if err := h.RunBatch(bg, job); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if b := h.found(job); b.Made != 1200 || b.Done != 1200 || h.count("twice") != 1200 {
				t.Errorf("got %+v, %d codes", b, h.count("twice"))
			}
		})
		t.Run("what is too much or foreign is refused", func(t *testing.T) {
			north := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 5, Units: []id.Unit{5}})
			for name, try := range map[string]struct {
				ctx context.Context
				in  referral.BatchIn
			}{
				"100,001":           {bg, referral.BatchIn{ProgramID: h.program, Members: make([]id.Member, 100_001)}},
				"product":           {bg, referral.BatchIn{ProgramID: h.program, Members: make([]id.Member, 2501), Groups: groups}},
				"nobody":            {bg, referral.BatchIn{ProgramID: h.program}},
				"cost":              {bg, referral.BatchIn{ProgramID: h.program, Members: members, Cost: -1}},
				"group":             {bg, referral.BatchIn{ProgramID: h.program, Members: members, Groups: []id.Group{404}}},
				"group elsewhere":   {north, referral.BatchIn{ProgramID: h.program, Members: members, Groups: groups}},
				"program elsewhere": {north, referral.BatchIn{ProgramID: h.program, Members: members}},
			} {
				if _, err := h.CreateBatch(try.ctx, try.in); !errors.Is(err, fault.Invalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
			_, err := h.FindBatch(north, h.batch(in).ID)
			refused(t, err, fault.NotFound)
		})
	})
}

// TestMain lets another process run one batch.
func TestMain(m *testing.M) {
	dbtest.Main(m, func(ctx context.Context, db *database.DB, words []string) error {
		if words[0] == "drain" {
			tasks := task.NewRegistry()
			(&referral.Service{DB: db}).Register(tasks)
			return task.Drain(ctx, db, tasks)
		}
		job, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			return err
		}
		keys, err := secret.New(secret.Fresh())
		if err != nil {
			return err
		}
		return (&referral.Service{DB: db, Secrets: keys}).RunBatch(ctx, id.Job(job))
	})
}

func TestBatchKilledAnywhere(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			h := newHouse(t, dbtest.At(t, url))
			h.newProgram(0, everyOrder())
			in := referral.BatchIn{ProgramID: h.program, Channel: "killed"}
			for range 2300 {
				in.Members = append(in.Members, h.member())
			}
			job, err := h.CreateBatch(bg, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, point := range []string{"referral:part:1", "referral:part:2"} {
				if !dbtest.Killed(t, dbtest.Child(t, url, point, dbtest.Start, strconv.FormatInt(int64(job), 10))) {
					t.Fatalf("not killed at %s", point)
				}
			}
			if b := h.found(job); b.Status != referral.BatchRunning || b.Done != 1500 {
				t.Errorf("killed after three parts: %+v", b)
			}
			h.drain()
			if b := h.found(job); b.Status != referral.BatchDone || b.Made != 2300 || h.count("killed") != 2300 {
				t.Errorf("gone on: %+v, %d codes", b, h.count("killed"))
			}
		})
	}
}

// batch runs a batch to its end.
func (h *house) batch(in referral.BatchIn) referral.Batch {
	h.t.Helper()
	job, err := h.CreateBatch(bg, in)
	if err != nil {
		h.t.Fatal(err)
	}
	h.drain()
	return h.found(job)
}

func (h *house) found(job id.Job) referral.Batch {
	h.t.Helper()
	b, err := h.FindBatch(bg, job)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// lines are the batch's file without its head.
func (h *house) lines(b referral.Batch) [][]string {
	h.t.Helper()
	var file bytes.Buffer
	if err := h.WriteBatch(bg, b, &file); err != nil {
		h.t.Fatal(err)
	}
	all, err := csv.NewReader(&file).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	return all[1:]
}

func (h *house) count(channel string) (n int) {
	h.t.Helper()
	if err := h.DB.Read(bg).Raw("SELECT COUNT(*) FROM codes WHERE channel = ? AND live = 0", channel).Row().Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// codes makes codes one call at a time.
func (h *house) codes(list ...referral.CodeIn) []referral.Code {
	h.t.Helper()
	made, err := h.CreateCodes(bg, list)
	if err != nil {
		h.t.Fatal(err)
	}
	found, err := h.CodesByID(bg, made)
	if err != nil || len(found) != len(list) {
		h.t.Fatalf("codes: %v, %v", found, err)
	}
	return found
}

func TestCostIsForStaff(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	h := newHouse(t, db)
	h.newProgram(0, everyOrder())
	anna := h.member()
	own := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: anna})
	_, err := h.CreateCode(own, referral.CodeIn{ProgramID: h.program, Channel: "card", Cost: 1})
	refused(t, err, fault.Invalid)
	code := h.codes(referral.CodeIn{InviterID: anna, ProgramID: h.program, Channel: "card", Cost: 300})[0]
	for who, want := range map[context.Context]money.Amount{bg: 300, own: 0} {
		if got, err := h.FindCode(who, code.Code); err != nil || got.Cost != want {
			t.Errorf("got %s, %v; want %s", got.Cost, err, want)
		}
	}
}
