package planner

import "slices"

// What improve does. More rounds find little more: on two cores 40 take 60 µs
// a group and 1,000 are worth 0.002 more.
const (
	rounds   = 40
	cutMost  = 5 // ads taken out at a time, at most
	passOver = 4 // one in so many is passed over at first
)

// line fills the row, heaviest first, by the tightest limits of the horizon.
func (f *fit) line() {
	c, r := f.caps, &f.row
	for i := range f.later {
		c = c.tightest(&f.later[i].caps)
	}
	n := len(f.wants)
	if r.most = n; c.life >= 0 {
		r.most = c.life
	}
	if c.day == 0 || c.week == 0 || c.month == 0 {
		r.most = 0
	}
	r.room, r.length = slices.Grow(r.room[:0], n)[:n], slices.Grow(r.length[:0], n)[:n]
	r.in, r.out = slices.Grow(r.in[:0], n)[:n], slices.Grow(r.out[:0], n)[:n]
	open := f.grid.waking.less(&f.young)
	open = open.less(&f.ended)
	alone := stage{free: open}
	for i, place := range f.wants {
		length := f.grid.length[place]
		r.in[i], r.out[i], r.length[i] = false, false, int16(length)
		r.room[i] = f.grid.room[place].both(alone.begins(length))
	}
	r.begin(f.grid, &c, f.shown)
	f.worth = 0
	for i, place := range f.wants {
		if f.why[place] == "" && r.find(i) >= 0 { // what does not fit alone never will
			r.out[i] = true
			r.left++
		}
	}
	f.refill()
}

// refill puts in what is out and fits, heaviest first.
func (f *fit) refill() {
	for i, out := range f.row.out {
		if out && f.row.insert(i) {
			f.worth += f.weight(f.wants[i])
		}
	}
}

// improve takes a few ads that follow one another out of the row, each time
// others, fills it again in another order, and keeps what is worth no less.
// What is pushed aside may so find another time, and two may take the place of
// one.
func (f *fit) improve() {
	r, d := &f.row, dice(1)
	first := len(r.ads) - 1 - r.count
	f.best.keep(r)
	for range rounds {
		if r.left == 0 || r.count == 0 {
			return
		}
		worth := f.worth
		n := 1 + d.roll(min(cutMost, r.count))
		at := first + d.roll(r.count-n+1)
		for _, a := range r.ads[at : at+n] {
			if a.want >= 0 {
				f.worth -= f.weight(f.wants[a.want])
			}
		}
		r.cut(at, n)
		for i, out := range r.out {
			if out && d.roll(passOver) > 0 && r.insert(i) {
				f.worth += f.weight(f.wants[i])
			}
		}
		f.refill()
		if f.worth >= worth {
			f.best.keep(r)
		} else {
			r.keep(&f.best)
			f.worth = worth
		}
	}
}

// dice fall the same way for every group, so that a plan is always the same.
type dice uint64

// roll is a number below n.
func (d *dice) roll(n int) int {
	*d = *d*6364136223846793005 + 1442695040888963407
	return int(uint64(*d>>32) * uint64(n) >> 32)
}
