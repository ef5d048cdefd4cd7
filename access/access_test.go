package access

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
)

var bg = context.Background()

func open(t *testing.T, db *database.DB) *Service {
	t.Helper()
	set, err := secret.New(secret.Fresh())
	if err != nil {
		t.Fatal(err)
	}
	return &Service{DB: db, Secrets: set}
}

// as makes a key and returns the context of its holder.
func as(t *testing.T, s *Service, role Role, unit string) (context.Context, string) {
	t.Helper()
	key, err := s.Bootstrap(bg, First{Name: "员工", Role: role, Unit: unit})
	if err != nil {
		t.Fatal(err)
	}
	a, err := s.Authenticate(bg, key)
	if err != nil {
		t.Fatal(err)
	}
	return database.WithActor(bg, a), key
}

// keyed gives a call its own idempotency key.
func keyed(ctx context.Context, key string) context.Context {
	return database.WithKey(ctx, database.Key{Principal: database.ActorOf(ctx).Principal(), Route: "test", Key: key, Hash: key})
}

func unit(t *testing.T, s *Service, ctx context.Context, parent id.Unit, name string) id.Unit {
	t.Helper()
	u, err := s.CreateUnit(ctx, UnitIn{ParentID: parent, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBootstrap(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		first, err := s.Bootstrap(bg, First{Name: "张敏", Role: Admin, Unit: "蓝山咖啡"})
		if err != nil {
			t.Fatal(err)
		}
		second, err := s.Bootstrap(bg, First{Name: "张敏", Role: Admin})
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Authenticate(bg, first)
		if err != nil {
			t.Fatal(err)
		}
		b, err := s.Authenticate(bg, second)
		if err != nil {
			t.Fatal(err)
		}
		if a.Staff != b.Staff || a.Key == b.Key || a.Units != nil || a.Role != "admin" || a.Kind != database.ActorStaff {
			t.Errorf("got %+v and %+v, want two keys of one admin who sees all", a, b)
		}
		if _, err := s.Bootstrap(bg, First{Name: "x", Role: Admin, Unit: "nowhere"}); err == nil {
			t.Error("a unit that does not exist was accepted")
		}
		if _, err := s.Bootstrap(bg, First{Name: "x", Role: "boss"}); !errors.Is(err, fault.Invalid) {
			t.Errorf("an unknown role: got %v", err)
		}
		var stored int
		db.Read(bg).Raw("SELECT COUNT(*) FROM api_keys WHERE hash LIKE ? OR hint LIKE ?", "%"+first+"%", "%"+first+"%").Scan(&stored)
		if stored != 0 {
			t.Error("the key's text is in the store")
		}
	})
}

func TestAuthenticate(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		root, good := as(t, s, Admin, "")

		t.Run("what is no key is refused", func(t *testing.T) {
			last := good[:len(good)-1] + string('0'+('1'-good[len(good)-1])&1)
			for _, bad := range []string{"", "x", KeyPrefix, good + "0", strings.ToUpper(good), last, newKey()} {
				if bad == good {
					continue
				}
				if _, err := s.Authenticate(bg, bad); !errors.Is(err, ErrCredentials) {
					t.Errorf("%q: got %v", bad, err)
				}
			}
		})
		t.Run("an expired key is refused at its moment", func(t *testing.T) {
			me := database.ActorOf(root)
			_, text, err := s.AddKey(root, KeyIn{StaffID: me.Staff, Name: "short", ExpiresAt: milli(db, time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(bg, text); err != nil {
				t.Fatal(err)
			}
			db.Clock.Jump(time.Hour)
			if _, err := s.Authenticate(bg, text); !errors.Is(err, ErrCredentials) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("a revoked key is refused here at once and elsewhere in time", func(t *testing.T) {
			key, text, err := s.AddKey(root, KeyIn{StaffID: database.ActorOf(root).Staff, Name: "leaked"})
			if err != nil {
				t.Fatal(err)
			}
			other := &Service{DB: db, Secrets: s.Secrets}
			now := time.Now()
			other.cache.wall = func() time.Time { return now }
			for _, x := range []*Service{s, other} {
				if _, err := x.Authenticate(bg, text); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.RevokeKey(root, key); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(bg, text); !errors.Is(err, ErrCredentials) {
				t.Errorf("here: got %v", err)
			}
			now = now.Add(Staleness)
			if _, err := other.Authenticate(bg, text); !errors.Is(err, ErrCredentials) {
				t.Errorf("elsewhere: got %v", err)
			}
			if err := s.RevokeKey(root, key); err != nil {
				t.Errorf("again: got %v", err)
			}
		})
		t.Run("a suspended colleague is refused", func(t *testing.T) {
			ctx, text := as(t, s, Finance, "")
			off := StaffSuspended
			who := database.ActorOf(ctx).Staff
			if err := s.UpdateStaff(root, who, 1, StaffPatch{Status: &off}); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Authenticate(bg, text); !errors.Is(err, ErrCredentials) {
				t.Errorf("got %v", err)
			}
		})
		t.Run("the cache is bounded", func(t *testing.T) {
			for i := range cachedKeys + 10 {
				s.cache.put(string(rune(i)), cachedKey{}, s.cache.turn, time.Now())
			}
			if n := len(s.cache.seen); n > cachedKeys {
				t.Errorf("%d keys kept", n)
			}
		})
	})
}

func TestSubtree(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		root, _ := as(t, s, Admin, "")
		brand := database.ActorOf(root).Unit
		east, west := unit(t, s, root, brand, "华东"), unit(t, s, root, brand, "华西")
		store := unit(t, s, root, east, "南京路店")
		far := unit(t, s, root, west, "春熙路店")
		regional, _ := as(t, s, Admin, "华东")

		a := database.ActorOf(regional)
		if !a.Sees(east) || !a.Sees(store) || a.Sees(west) || a.Sees(far) || a.Sees(brand) {
			t.Errorf("got units %v", a.Units)
		}
		list, err := s.ListUnits(regional, database.Page{})
		if err != nil || len(list.Items) != 2 {
			t.Errorf("got %v, %v", list, err)
		}
		for name, err := range map[string]error{
			"find":   second(s.FindUnit(regional, far)),
			"rename": s.RenameUnit(regional, far, 1, "x"),
			"create": second(s.CreateUnit(regional, UnitIn{ParentID: west, Name: "x"})),
		} {
			if !errors.Is(err, fault.NotFound) {
				t.Errorf("%s: got %v, want not found", name, err)
			}
		}
		if _, err := s.AddStaff(regional, StaffIn{UnitID: brand, Name: "x", Role: Admin}); !errors.Is(err, fault.Invalid) {
			t.Errorf("a colleague above oneself: got %v", err)
		}
		fresh := unit(t, s, regional, east, "外滩店")
		if _, err := s.FindUnit(regional, fresh); err != nil {
			t.Errorf("a unit just created: got %v", err)
		}
		if _, err := s.CreateUnit(root, UnitIn{ParentID: store, Name: "x"}); !errors.Is(err, ErrUnitDepth) {
			t.Errorf("below a store: got %v", err)
		}
		if _, err := s.CreateUnit(root, UnitIn{ParentID: east, Name: "南京路店"}); !errors.Is(err, ErrNameTaken) {
			t.Errorf("a name twice: got %v", err)
		}
		if err := s.RenameUnit(root, store, 1, "南京东路店"); err != nil {
			t.Error(err)
		}
		if err := s.RenameUnit(root, store, 1, "又改"); !errors.Is(err, fault.Stale) {
			t.Errorf("an old version: got %v", err)
		}
	})
}

func TestStaff(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		root, _ := as(t, s, Admin, "")
		me := database.ActorOf(root)
		east := unit(t, s, root, me.Unit, "华东")
		regional, _ := as(t, s, Admin, "华东")

		who, err := s.AddStaff(keyed(root, "one"), StaffIn{UnitID: east, Name: "李雷", Role: Marketer})
		if err != nil {
			t.Fatal(err)
		}
		var replay *database.Replayed
		if _, err := s.AddStaff(keyed(root, "one"), StaffIn{UnitID: east, Name: "李雷", Role: Marketer}); !errors.As(err, &replay) || replay.ID != int64(who) {
			t.Errorf("the same call again: got %v", err)
		}
		up := me.Unit
		if err := s.UpdateStaff(regional, who, 1, StaffPatch{UnitID: &up}); !errors.Is(err, fault.Invalid) {
			t.Errorf("moved above the mover: got %v", err)
		}
		role := Finance
		if err := s.UpdateStaff(regional, who, 1, StaffPatch{Role: &role}); err != nil {
			t.Error(err)
		}
		if err := s.UpdateStaff(root, me.Staff, 1, StaffPatch{Role: &role}); !errors.Is(err, ErrSelf) {
			t.Errorf("one's own role: got %v", err)
		}
		if err := s.UpdateStaff(regional, me.Staff, 1, StaffPatch{Role: &role}); !errors.Is(err, fault.NotFound) {
			t.Errorf("somebody above: got %v", err)
		}
		if _, _, err := s.AddKey(regional, KeyIn{StaffID: me.Staff, Name: "x"}); !errors.Is(err, fault.NotFound) {
			t.Errorf("a key for somebody above: got %v", err)
		}
		list, err := s.ListStaff(regional, database.Page{Limit: 1})
		if err != nil || len(list.Items) != 1 || list.NextCursor == "" {
			t.Errorf("got %+v, %v", list, err)
		}
		keys, err := s.ListKeys(regional, database.Page{})
		if err != nil || len(keys.Items) != 1 {
			t.Errorf("got %+v, %v", keys, err)
		}
	})
}

func TestAudit(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		s := open(t, db)
		root, _ := as(t, s, Admin, "")
		east := unit(t, s, root, database.ActorOf(root).Unit, "华东")
		regional, _ := as(t, s, Admin, "华东")
		store := unit(t, s, regional, east, "南京路店")

		all, err := s.ListAudit(root, AuditFilter{}, database.Page{})
		if err != nil || len(all.Items) < 6 {
			t.Fatalf("got %d, %v", len(all.Items), err)
		}
		own, err := s.ListAudit(regional, AuditFilter{}, database.Page{})
		if err != nil || len(own.Items) != 1 || own.Items[0].Object != store.String() {
			t.Errorf("got %+v, %v; want the region's own act alone", own.Items, err)
		}
		one, err := s.ListAudit(root, AuditFilter{Object: east.String(), Action: "unit.create", StaffID: database.ActorOf(root).Staff}, database.Page{})
		if err != nil || len(one.Items) != 1 || !strings.Contains(string(one.Items[0].After), "华东") || string(one.Items[0].Before) != "null" {
			t.Errorf("got %+v, %v", one.Items, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }
