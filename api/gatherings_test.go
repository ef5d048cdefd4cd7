package api

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"siyu/access"
	"siyu/community/gathering"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
)

func someGathering(h *house, places int) string {
	start := h.DB.Clock.Now().Add(30 * time.Minute)
	return fmt.Sprintf(`{"title":"龙井开采","place":"梅家坞 12 号","starts_at":%q,"ends_at":%q,"capacity":%d}`, start.Format(time.RFC3339), start.Add(2*time.Hour).Format(time.RFC3339), places)
}

func gatheringOf(t *testing.T, h *house) string {
	t.Helper()
	return h.make(t, access.Marketer, "POST /v1/groups/"+groupOf(t, h)+"/gatherings", someGathering(h, 2))
}

// TestGatherings: members sign up and wait, the QR of the door and of a seat
// are read by zbarimg and check them in, the sheet lists them.
func TestGatherings(t *testing.T) {
	zbarimg := dbtest.Need(t, "zbarimg")
	onBoth(t, func(t *testing.T, h *house) {
		owner, g := h.keys[east][access.GroupOwner], groupOf(t, h)
		e := h.makeAs(t, owner, "POST /v1/groups/"+g+"/gatherings", someGathering(h, 2))
		var members, tokens []string
		for range 3 {
			m := member1(t, h)
			members, tokens = append(members, m), append(tokens, tokenOf(t, h, m))
			if got := h.call(t, h.keys[east][access.Marketer], "PUT /v1/groups/"+g+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member"}]}`, m)); got.status != http.StatusOK {
				t.Fatalf("got %d %s", got.status, got.body)
			}
		}
		seat := func(token, call, body string, want gathering.SeatStatus) (s gathering.Seat) {
			t.Helper()
			x := h.call(t, token, call, body, h.newKey())
			if x.into(t, &s); s.Status != want {
				t.Errorf("%s: got %d %s, want %s", call, x.status, x.body, want)
			}
			return s
		}
		path := "/v1/gatherings/" + e
		seat(tokens[0], "POST "+path+"/seats", "{}", gathering.SeatIn)
		seat(tokens[1], "POST "+path+"/seats", "{}", gathering.SeatIn)
		seat(tokens[2], "POST "+path+"/seats", "{}", gathering.SeatWaiting)
		seat(tokens[0], "DELETE "+path+"/seats", "", gathering.SeatLeft)
		// Each sees his own place and nobody else's.
		if mine := seat(tokens[1], "GET "+path+"/seat", "", gathering.SeatIn); mine.MemberID == seat(tokens[0], "GET "+path+"/seat", "", gathering.SeatLeft).MemberID {
			t.Errorf("one place for two: %+v", mine)
		}
		for name, token := range map[string]string{"who never had one": tokenOf(t, h, member1(t, h)), "an owner": h.keys[east][access.GroupOwner]} {
			if got := h.call(t, token, "GET "+path+"/seat", ""); got.status != http.StatusNotFound && got.status != http.StatusForbidden {
				t.Errorf("%s: got %d %s", name, got.status, got.body)
			}
		}
		if got := h.call(t, tokens[1], "GET /v1/gatherings/"+id.Gathering(404).String()+"/seat", ""); got.status != http.StatusNotFound {
			t.Errorf("of no event: got %d %s", got.status, got.body)
		}
		read := func(bearer, call string) string {
			t.Helper()
			got := h.call(t, bearer, call, "")
			file := filepath.Join(t.TempDir(), "qr.png")
			if err := os.WriteFile(file, []byte(got.body), 0o600); err != nil {
				t.Fatal(err)
			}
			text, err := exec.Command(zbarimg, "--quiet", "--raw", file).Output()
			if err != nil {
				t.Fatalf("%s: %d, %v", call, got.status, err)
			}
			return strings.TrimSuffix(string(text), "\n")
		}
		door, err := url.Parse(read(owner, "GET "+path+"/door.png"))
		if err != nil || door.Path != "/e/"+e {
			t.Fatalf("door: got %v, %v", door, err)
		}
		for range 2 {
			if s := seat(tokens[1], "POST "+path+"/check-in", fmt.Sprintf(`{"door":%q}`, door.Query().Get("k")), gathering.SeatIn); s.CheckedAt == 0 {
				t.Error("not checked in")
			}
		}
		var who struct {
			Member string `json:"member_id"`
			Name   string
		}
		x := h.call(t, owner, "POST "+path+"/scans", fmt.Sprintf(`{"seat":%q}`, read(tokens[2], "GET "+path+"/seat.png")))
		if x.into(t, &who); who.Member != members[2] || who.Name != "王小明" {
			t.Errorf("scanned: got %d %s", x.status, x.body)
		}
		sheet := h.call(t, owner, "GET "+path+"/seats.csv", "")
		if lines := strings.Split(strings.TrimSpace(string(sheet.body)), "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "1,"+members[1]+",in,") {
			t.Errorf("sheet: got %s", sheet.body)
		}
		var copied struct{ Seats []gathering.Seat }
		if h.call(t, h.keys[east][access.Mall], "GET /v1/members/"+members[1]+"/export", "").into(t, &copied); len(copied.Seats) != 1 || copied.Seats[0].CheckedAt == 0 {
			t.Errorf("his copy: got %+v", copied)
		}
		var found gathering.Gathering
		if h.call(t, owner, "POST "+path+"/cancel", `{"reason":"下雨"}`).into(t, &found); found.Status != gathering.StatusCancelled || found.Taken != 2 {
			t.Errorf("cancelled: got %+v", found)
		}
	})
}

// TestGatheringIsEdited: with more places whoever waited comes in, in the
// version that was read.
func TestGatheringIsEdited(t *testing.T) {
	onBoth(t, func(t *testing.T, h *house) {
		owner, g := h.keys[east][access.GroupOwner], groupOf(t, h)
		at := "/v1/gatherings/" + h.makeAs(t, owner, "POST /v1/groups/"+g+"/gatherings", someGathering(h, 1))
		var token string
		for _, want := range []gathering.SeatStatus{gathering.SeatIn, gathering.SeatWaiting} {
			m := member1(t, h)
			token = tokenOf(t, h, m)
			h.want(t, 200, owner, "PUT /v1/groups/"+g+"/memberships", fmt.Sprintf(`{"memberships":[{"member_id":%q,"role":"member"}]}`, m))
			var s gathering.Seat
			if h.want(t, 201, token, "POST "+at+"/seats", "{}").into(t, &s); s.Status != want {
				t.Fatalf("seat: got %+v, want %s", s, want)
			}
		}
		tag := "If-Match: " + h.want(t, 200, owner, "GET "+at, "").header.Get("ETag")
		h.want(t, 428, owner, "PUT "+at, someGathering(h, 3))
		h.want(t, 200, owner, "PUT "+at, someGathering(h, 3), tag)
		h.want(t, 412, owner, "PUT "+at, someGathering(h, 4), tag)
		var found gathering.Gathering
		if h.want(t, 200, owner, "GET "+at, "").into(t, &found); found.Capacity != 3 || found.Taken != 2 {
			t.Errorf("edited: got %+v", found)
		}
		if got := h.want(t, 200, token, "GET "+at+"/seat.png", ""); got.header.Get("Content-Type") != "image/png" {
			t.Errorf("who waited has no seat: got %v", got.header)
		}
	})
}
