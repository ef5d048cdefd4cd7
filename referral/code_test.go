package referral_test

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"siyu/community"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/secret"
	"siyu/referral"
)

func TestCodes(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.newProgram(1000, everyOrder())
		anna := h.member()
		code := h.code(anna)

		t.Run("the same place has the same code", func(t *testing.T) {
			if again := h.code(anna); again.ID != code.ID {
				t.Errorf("got %s, want %s", again.ID, code.ID)
			}
			var all sync.WaitGroup
			made := make([]id.Code, 8)
			for i := range made {
				all.Go(func() {
					var err error
					if made[i], err = h.CreateCode(bg, referral.CodeIn{InviterID: anna, ProgramID: h.program, Channel: "poster"}); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			for _, m := range made {
				if m != made[0] {
					t.Errorf("two codes for one place: %s, %s", m, made[0])
				}
			}
		})
		t.Run("a member names only a group that he is in, staff only one of theirs", func(t *testing.T) {
			north := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 5, Units: []id.Unit{5}})
			own := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: anna})
			people := &community.Service{DB: db, Secrets: h.Secrets}
			g, err := people.CreateGroup(bg, community.GroupIn{Name: "茶友群"})
			if err != nil {
				t.Fatal(err)
			}
			in := referral.CodeIn{InviterID: anna, ProgramID: h.program, GroupID: g}
			for name, who := range map[string]context.Context{"a member outside": own, "staff of another unit": north} {
				if _, err := h.CreateCode(who, in); !errors.Is(err, fault.Invalid) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if err := people.Join(bg, community.Join{Group: g, Member: anna}); err != nil {
				t.Fatal(err)
			}
			if _, err := h.CreateCode(own, in); err != nil {
				t.Errorf("a member of the group: %v", err)
			}
			in.GroupID = 404
			if _, err := h.CreateCode(bg, in); !errors.Is(err, fault.Invalid) {
				t.Errorf("no group: %v", err)
			}
		})
		t.Run("typing errors are forgiven", func(t *testing.T) {
			typed := " " + strings.ToLower(code.Code[:4]) + "-" + code.Code[4:8] + " " + strings.NewReplacer("1", "l", "0", "o").Replace(code.Code[8:])
			if got, err := h.FindCode(bg, typed); err != nil || got.ID != code.ID {
				t.Errorf("%q: got %v, %v", typed, got.ID, err)
			}
		})
		t.Run("what is wrong is refused alike, and not quickly", func(t *testing.T) {
			revoked, expired := h.code(h.member()), h.code(h.member())
			if _, err := h.RevokeCode(bg, revoked.Code); err != nil {
				t.Fatal(err)
			}
			h.tx(func(tx *database.Tx) error {
				return tx.Exec("UPDATE codes SET expires_at = ? WHERE id = ?", tx.Now, expired.ID).Error
			})
			mistyped := []byte(code.Code)
			mistyped[3] = "0123456789"[(strings.IndexByte("0123456789", mistyped[3])+1)%10]
			for name, text := range map[string]string{"revoked": revoked.Code, "expired": expired.Code, "mistyped": string(mistyped), "nonsense": "x", "empty": ""} {
				started := time.Now()
				_, err := h.Land(bg, text)
				refused(t, err, referral.ErrCode)
				if took := time.Since(started); took < 60*time.Millisecond {
					t.Errorf("%s was refused after %s", name, took)
				}
			}
		})
		t.Run("a code of another unit looks unknown", func(t *testing.T) {
			elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 99, Units: []id.Unit{99}})
			_, err := h.FindCode(elsewhere, code.Code)
			refused(t, err, referral.ErrCode)
			_, err = h.RevokeCode(elsewhere, code.Code)
			refused(t, err, referral.ErrCode)
		})
		t.Run("revoking twice names the state, and the place gets another code", func(t *testing.T) {
			person := h.member()
			first := h.code(person)
			if _, err := h.RevokeCode(bg, first.Code); err != nil {
				t.Fatal(err)
			}
			_, err := h.RevokeCode(bg, first.Code)
			refused(t, err, referral.ErrCodeState)
			if f, _ := fault.As(err); f.Params["state"] != referral.CodeRevoked {
				t.Errorf("state: got %v", f.Params)
			}
			if second := h.code(person); second.ID == first.ID {
				t.Error("the revoked code came back")
			}
		})
		t.Run("a guest invites nobody", func(t *testing.T) {
			guest, err := (&community.Service{DB: db, Secrets: h.Secrets}).NewGuest(bg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.CreateCode(bg, referral.CodeIn{InviterID: guest, ProgramID: h.program})
			refused(t, err, referral.ErrIdentityRequired)
		})
		t.Run("a member makes his own codes only", func(t *testing.T) {
			ctx := database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: anna})
			_, err := h.CreateCode(ctx, referral.CodeIn{InviterID: h.member(), ProgramID: h.program})
			refused(t, err, fault.Forbidden)
			if got, err := h.CreateCode(ctx, referral.CodeIn{ProgramID: h.program}); err != nil || got != code.ID {
				t.Errorf("got %s, %v; want %s", got, err, code.ID)
			}
		})
		t.Run("many at once", func(t *testing.T) {
			list := make([]referral.CodeIn, 3)
			for i := range list {
				list[i] = referral.CodeIn{InviterID: h.member(), ProgramID: h.program}
			}
			made, err := h.CreateCodes(bg, list)
			if err != nil || len(made) != 3 {
				t.Errorf("got %v, %v", made, err)
			}
			_, err = h.CreateCodes(bg, make([]referral.CodeIn, 201))
			refused(t, err, fault.Invalid)
		})
	})
}

func TestCodeSurvivesRotation(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	h := newHouse(t, db)
	old := secret.Fresh()
	var err error
	if h.Secrets, err = secret.New(old); err != nil {
		t.Fatal(err)
	}
	h.newProgram(0, everyOrder())
	code := h.code(h.member())
	var keys []secret.Key
	for _, k := range secret.Fresh() {
		k.ID = "k2"
		keys = append(keys, k)
	}
	if h.Secrets, err = secret.New(append(keys, old...)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Land(bg, code.Code); err != nil {
		t.Errorf("a code made with the older live key: %v", err)
	}
}

func FuzzFindCode(f *testing.F) {
	db := dbtest.Open(f, "sqlite")
	keys, err := secret.New(secret.Fresh())
	if err != nil {
		f.Fatal(err)
	}
	s := &referral.Service{DB: db, Secrets: keys}
	for _, seed := range []string{"", "K7M2VE00000A", "ILO-ilo 0", "A1B2", "\x00\xff", strings.Repeat("0", 200)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := s.FindCode(bg, text); err == nil {
			t.Errorf("%q found a code in an empty store", text)
		}
	})
}

func TestQR(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	db := dbtest.Open(t, "sqlite")
	h := newHouse(t, db)
	h.newProgram(0, everyOrder())
	for _, module := range []int{4, 0, 16} {
		code := h.code(h.member())
		want := "https://q.example/i/" + code.Code
		if code.URL != want || len(want) > 42 {
			t.Fatalf("URL: got %s, want %s in 42 bytes", code.URL, want)
		}
		drawn, err := h.CodePicture(bg, code.Code, referral.FormPNG, module)
		if err != nil {
			t.Fatal(err)
		}
		picture := drawn.Bytes
		img, err := png.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		// Version 3 has 29 modules, and 4 of border on each side.
		if px := max(module, 4); module != 0 && img.Bounds().Dx() != 37*px {
			t.Errorf("%d pixels per module: the picture is %d wide, want %d", module, img.Bounds().Dx(), 37*px)
		}
		path := filepath.Join(t.TempDir(), "qr.png")
		if err := os.WriteFile(path, picture, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command(zbarimg, "--quiet", "--raw", path).Output()
		if err != nil || strings.TrimSuffix(string(got), "\n") != want {
			t.Errorf("decoded: got %q, %v; want %q", got, err, want)
		}
	}
	_, err := h.CodePicture(bg, h.code(h.member()).Code, referral.FormPNG, 3)
	refused(t, err, fault.Invalid)
}

func TestPictureFromMemory(t *testing.T) {
	db := dbtest.Open(t, "sqlite")
	h := newHouse(t, db)
	h.newProgram(0, everyOrder())
	anna, ben := h.member(), h.member()
	code := h.code(anna)
	as := func(m id.Member) context.Context {
		return database.WithActor(bg, database.Actor{Kind: database.ActorMember, Member: m})
	}
	elsewhere := database.WithActor(bg, database.Actor{Kind: database.ActorStaff, Staff: 1, Unit: 99, Units: []id.Unit{99}})
	first, err := h.CodePicture(as(anna), code.Code, referral.FormSVG, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.tx(func(tx *database.Tx) error { // what memory says without the row, it says from memory
		return tx.Exec("UPDATE codes SET code = 'gone' WHERE id = ?", code.ID).Error
	})
	again, err := h.CodePicture(as(anna), code.Code, referral.FormSVG, 0)
	if err != nil || !cmp.Equal(again, first) {
		t.Errorf("again: %v, got\n%s\nwant\n%s", err, again.Bytes, first.Bytes)
	}
	for name, who := range map[string]context.Context{"another member": as(ben), "staff of another unit": elsewhere} {
		_, err := h.CodePicture(who, code.Code, referral.FormSVG, 0)
		if !errors.Is(err, referral.ErrCode) {
			t.Errorf("%s saw it: %v", name, err)
		}
	}
	h.tx(func(tx *database.Tx) error {
		return tx.Exec("UPDATE codes SET code = ?, inviter_id = ? WHERE id = ?", code.Code, ben, code.ID).Error
	})
	if _, err := h.CodePicture(as(ben), code.Code, referral.FormSVG, 0); err != nil {
		t.Errorf("whom the code was given by a merge: %v", err)
	}
	page, err := h.PagePicture("/i/"+code.Code, referral.FormPNG, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.CodePicture(elsewhere, code.Code, referral.FormPNG, 0); !errors.Is(err, referral.ErrCode) {
		t.Errorf("a page drawn for anybody (%d bytes) opened the code: %v", len(page.Bytes), err)
	}
}

func TestTouches(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		for i := range 1200 {
			h.Touch(5, id.Member(i))
		}
		for range 2 {
			if err := h.Flush(bg); err != nil {
				t.Fatal(err)
			}
		}
		var n, day int
		if err := db.Read(bg).Raw("SELECT COUNT(*), MAX(day_no) FROM touches WHERE code_id = 5").Row().Scan(&n, &day); err != nil {
			t.Fatal(err)
		}
		if n != 1200 || day != 20260302 {
			t.Errorf("got %d touches on %d, want 1200 on 20260302", n, day)
		}
	})
}
