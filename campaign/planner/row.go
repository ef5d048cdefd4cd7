package planner

import "siyu/campaign/guard"

// row is what a group is shown and what is planned for it, in order of time.
// Of each planned ad it knows how early it can be with those before it as
// early as they can, and how late with those after it as late as they can. So
// whether one more fits between two of them, however many have to move for it,
// is a comparison of two cells.
type row struct {
	limits []limit
	ads    []ad // the last is none: it ends the row
	spots  []spot
	shut   []bool  // per place in the row: a cap keeps one more out
	room   []cells // per want: the cells its slot may begin in, were it alone
	length []int16 // per want: how many cells its slot takes
	in     []bool  // per want: it is in the row
	out    []bool  // per want: it may be and is not
	left   int     // how many are out
	count  int     // how many are planned
	most   int     // how many may be
}

// limit keeps an ad and the n-th after it apart: by so many cells, or in two
// periods of a calendar.
type limit struct {
	n     int
	apart int16
	of    *calendar
}

// limits are at most the gap, one of the day, two of the week and two of the
// month.
const limitsMost = 6

// ad is what is shown or planned. Between from and to the ads before and after
// it leave room: one more right before it may begin at from too, and one right
// after it must end by to.
type ad struct {
	want        int16 // index among the group's wants, or shown
	early, late int16 // the first cell of its slot
	from, to    int16
	after       [limitsMost]int16 // per limit: where the n-th after it may begin, were it early
	before      [limitsMost]int16 // and where the n-th before it must end, were it late
}

const (
	shown   = -1
	rowsEnd = -2
)

// spot is a place in the row where one more fits: before which ad, between
// which cells, and when that ad would begin without it.
type spot struct{ at, from, to, next int16 }

func (l *limit) after(to int16) int16 {
	if l.of != nil {
		return l.of.next[to]
	}
	return to + 1 + l.apart
}

func (l *limit) before(from int16) int16 {
	if l.of != nil {
		return l.of.last[from]
	}
	return from - 1 - l.apart
}

// begin is the row of what is shown, with nothing planned.
func (r *row) begin(g *grid, c *caps, ads []span) {
	r.limits = append(r.limits[:0], limit{n: 1, apart: int16(c.gapCells)})
	r.limit(c.day, &g.day, 0)
	r.limit(c.week, &g.week, weekMilli)
	r.limit(c.month, &g.month, monthMilli)
	r.ads, r.left, r.count = r.ads[:0], 0, 0
	for _, s := range ads {
		from, to := bounded(floorCell(s.first+1)), bounded(floorCell(s.last-1))
		a := ad{want: shown, early: from, late: from}
		for q := range r.limits {
			if l := &r.limits[q]; l.of == nil {
				a.after[q], a.before[q] = l.after(to), l.before(from)
			} else {
				a.after[q], a.before[q] = l.of.around(g.origin, s)
			}
		}
		r.ads = append(r.ads, a)
	}
	r.ads = append(r.ads, ad{want: rowsEnd})
	r.settle(0, len(ads))
}

// limit adds a cap: so many in each period and, unless it is 0, in any span of
// the length.
func (r *row) limit(n int, of *calendar, length int64) {
	if n == guard.Unlimited || n == 0 { // of none there is nothing to keep apart
		return
	}
	r.limits = append(r.limits, limit{n: n, of: of})
	if length > 0 {
		r.limits = append(r.limits, limit{n: n, apart: int16(length / cellMilli)})
	}
}

// bounded keeps a cell where sums of cells fit.
func bounded(cell int) int16 { return int16(max(-2*cellCount, min(cell, 2*cellCount))) }

// settle finds how early the ads from one place on can be and how late those up
// to another, and where one more fits.
func (r *row) settle(first, last int) {
	n := len(r.ads) - 1
	for i := first; i <= n; i++ {
		a := &r.ads[i]
		a.from = 0
		for q := range r.limits {
			if k := i - r.limits[q].n; k >= 0 {
				a.from = max(a.from, r.ads[k].after[q])
			}
		}
		if a.want < 0 {
			continue
		}
		a.early = int16(r.room[a.want].next(int(a.from)))
		to := a.early + r.length[a.want] - 1
		for q := range r.limits {
			a.after[q] = r.limits[q].after(to)
		}
	}
	for i := min(last, n-1); i >= 0; i-- {
		a := &r.ads[i]
		a.to = cellCount - 1
		for q := range r.limits {
			if k := i + r.limits[q].n; k < n {
				a.to = min(a.to, r.ads[k].before[q])
			}
		}
		if a.want < 0 {
			continue
		}
		a.late = int16(r.room[a.want].last(int(a.to - r.length[a.want] + 1)))
		for q := range r.limits {
			a.before[q] = r.limits[q].before(a.late)
		}
	}
	r.shutFull()
	r.spots = r.spots[:0]
	for p := range n + 1 {
		if r.shut[p] {
			continue
		}
		s := spot{int16(p), r.ads[p].from, 0, cellCount}
		if p > 0 {
			s.to = r.ads[p-1].to
		} else {
			s.to = r.start()
		}
		if s.from > s.to {
			continue
		}
		if p < n {
			s.next = r.ads[p].early
		}
		r.spots = append(r.spots, s)
	}
}

// start is where one more before all others must end.
func (r *row) start() int16 {
	to := int16(cellCount - 1)
	for q := range r.limits {
		if k := r.limits[q].n - 1; k < len(r.ads)-1 {
			to = min(to, r.ads[k].before[q])
		}
	}
	return to
}

// shutFull finds the places where one more would bring ads n apart that cannot
// be: one as early as it can, the other as late.
func (r *row) shutFull() {
	n := len(r.ads) - 1
	if cap(r.shut) <= n {
		r.shut = make([]bool, 2*n+8)
	}
	r.shut = r.shut[:n+1]
	clear(r.shut)
	for q := 1; q < len(r.limits); q++ {
		more := r.limits[q].n - 1
		for i := 0; i+more < n; i++ {
			if x, y := &r.ads[i], &r.ads[i+more]; y.want >= 0 && x.after[q] <= y.late || y.want < 0 && (x.want < 0 || x.early+r.length[x.want]-1 <= y.before[q]) {
				continue
			}
			for p := i + 1; p <= i+more; p++ {
				r.shut[p] = true
			}
		}
	}
}

// find is the place at which a want would make the next ad wait least, -1 if
// it fits nowhere.
func (r *row) find(want int) int {
	if r.count >= r.most {
		return -1
	}
	room, n := &r.room[want], r.length[want]
	at, least, need := -1, int16(0), n+r.limits[0].apart
	for i := range r.spots {
		s := &r.spots[i]
		last := s.to - n + 1
		if s.from > last {
			continue
		}
		begin := int16(room.next(int(s.from)))
		if begin > last {
			continue
		}
		if wait := max(0, begin+need-s.next); at < 0 || wait < least {
			at, least = int(s.at), wait
		}
	}
	return at
}

// insert puts a want in if it fits.
func (r *row) insert(want int) bool {
	at := r.find(want)
	if at < 0 {
		return false
	}
	r.ads = append(r.ads, ad{})
	copy(r.ads[at+1:], r.ads[at:])
	r.ads[at] = ad{want: int16(want)}
	r.in[want], r.out[want] = true, false
	r.left, r.count = r.left-1, r.count+1
	r.settle(at, at)
	return true
}

// cut takes out what is planned among n ads from a place on.
func (r *row) cut(at, n int) {
	ads, last := r.ads[:at], at
	for i, a := range r.ads[at:] {
		if i < n && a.want >= 0 {
			r.in[a.want], r.out[a.want] = false, true
			r.left, r.count = r.left+1, r.count-1
			continue
		}
		if ads = append(ads, a); i < n {
			last++
		}
	}
	r.ads = ads
	r.settle(at, last)
}

// keep makes the row what another is.
func (r *row) keep(o *row) {
	r.ads, r.spots, r.out = append(r.ads[:0], o.ads...), append(r.spots[:0], o.spots...), append(r.out[:0], o.out...)
	r.in = append(r.in[:0], o.in...)
	r.left, r.count = o.left, o.count
}
