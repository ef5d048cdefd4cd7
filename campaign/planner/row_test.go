package planner

import (
	"math/rand/v2"
	"testing"
	"time"

	"siyu/campaign/guard"
	"siyu/internal/clock"
	"siyu/internal/id"
)

// Whatever goes in and out of a row, it knows of every ad what it would find
// out anew: how early and late it can be, the one no later than the other, and
// where one more fits.
func TestRow_is_what_it_would_be_anew(t *testing.T) {
	now := clock.Milli(time.Date(2026, 11, 2, 2, 17, 0, 0, time.UTC).UnixMilli())
	loc, err := time.LoadLocation(clock.Shanghai)
	if err != nil {
		t.Fatal(err)
	}
	moves := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 3))
		offers := make([]Offer, 30)
		g := Group{Policy: guard.PresetPolicy(guard.Preset(guard.PresetNames[seed%7]), guard.ModeEnforce)}
		g.State = guard.State{Open: true, Owned: true, Zone: loc, Charter: guard.Charter{Version: 1, Day: 1 + r.IntN(3), Week: 1 + r.IntN(6)}}
		for i := range offers {
			from := now.Add(time.Duration(r.IntN(12*24*60)) * time.Minute)
			offers[i] = Offer{Promotion: id.Promotion(i + 1), Weight: int64(1 + r.IntN(50)), Window: guard.Window{From: from, To: from.Add(time.Duration(1+r.IntN(60)) * time.Hour)}}
			g.Wants = append(g.Wants, i)
		}
		for range r.IntN(5) { // seen, and reserved already
			at := now.Add(time.Duration(r.IntN(20*24)-10*24) * time.Hour)
			g.State.Ads.Add(at, at.Add(time.Hour))
		}
		p := New(now, offers)
		f := &p.fit
		f.begin(p, &g)
		f.line()
		var anew row
		for range 60 {
			if n := len(f.row.ads) - 1; n > 0 && r.IntN(3) == 0 {
				at := r.IntN(n)
				f.row.cut(at, 1+r.IntN(min(3, n-at)))
			} else {
				f.row.insert(r.IntN(len(offers)))
			}
			anew = row{limits: f.row.limits, room: f.row.room, length: f.row.length}
			anew.keep(&f.row)
			anew.settle(0, len(anew.ads))
			for i, a := range f.row.ads {
				if a != anew.ads[i] || a.want >= 0 && a.early > a.late {
					t.Fatalf("seed %d: ad %d is %+v, anew %+v", seed, i, a, anew.ads[i])
				}
			}
			if len(anew.spots) != len(f.row.spots) {
				t.Fatalf("seed %d: room at %v, anew %v", seed, f.row.spots, anew.spots)
			}
			for i, s := range f.row.spots {
				if s != anew.spots[i] {
					t.Fatalf("seed %d: room at %v, anew %v", seed, f.row.spots, anew.spots)
				}
			}
			moves++
		}
	}
	if moves < 5000 {
		t.Errorf("only %d moves", moves)
	}
}
