package split

// refine lets people change place as long as that keeps more. Every change
// adds to what is kept, so it ends.
func (d *desk) refine() {
	for changed := true; changed; {
		changed = false
		for i := range d.of {
			changed = d.move(i) || changed
		}
		for i := range d.of {
			for j := i + 1; j < len(d.of); j++ {
				changed = d.swap(i, j) || changed
			}
		}
	}
}

// move takes one person where more of his bonds are, if the sizes allow it.
func (d *desk) move(i int) bool {
	from := d.of[i]
	best := from
	for part, n := range d.parts {
		if n < d.high && d.parts[from] > d.low && d.ties[i][part] > d.ties[i][best] {
			best = part
		}
	}
	if best == from {
		return false
	}
	d.put(i, best)
	return true
}

// swap lets two people of different parts change place.
func (d *desk) swap(i, j int) bool {
	a, b := d.of[i], d.of[j]
	if a == b {
		return false
	}
	gain := d.ties[i][b] - d.ties[i][a] + d.ties[j][a] - d.ties[j][b] - 2*d.between[i][j]
	if gain <= 0 {
		return false
	}
	d.put(i, b)
	d.put(j, a)
	return true
}

// shares is the weight of all bonds, the share of it that is kept, and the
// share that parts of these sizes keep by chance: that two people are in one
// part by lot is the number of pairs inside parts over that of all pairs.
func (d *desk) shares() (ties, kept, chance int) {
	in := 0
	for i, others := range d.between {
		in += d.ties[i][d.of[i]]
		for _, w := range others {
			ties += w
		}
	}
	pairs := 0
	for _, n := range d.parts {
		pairs += n * (n - 1)
	}
	if all := len(d.of) * (len(d.of) - 1); all > 0 {
		chance = pairs * whole / all
	}
	if ties > 0 {
		kept = in * whole / ties
	}
	return ties / 2, kept, chance
}
