package calendar

import (
	"math"
	"time"
)

// This file works the Chinese calendar out from the sky, so that the dates of
// days.csv have a second source: new moons and the sun's longitude by the
// series of Meeus, Astronomical Algorithms (chapters 25 and 49, good to about a
// minute and to a quarter of an hour), days of UTC+8, and the rules of GB/T
// 33661-2017: the month of the winter solstice is the eleventh, and of thirteen
// months between two such the first without a principal term is the leap one.

// delta is terrestrial time less universal time in these years, in days.
const delta = 72.0 / 86400

func sin(degrees float64) float64 { return math.Sin(degrees * math.Pi / 180) }

// newMoon is the Julian date, UT, of the k-th new moon after January 2000.
func newMoon(k float64) float64 {
	t := k / 1236.85
	e := 1 - 0.002516*t - 0.0000074*t*t
	m := 2.5534 + 29.10535670*k - 0.0000014*t*t
	mp := 201.5643 + 385.81693528*k + 0.0107582*t*t
	f := 160.7108 + 390.67050284*k - 0.0016118*t*t
	jde := 2451550.09766 + 29.530588861*k + 0.00015437*t*t
	jde += -0.40720*sin(mp) + 0.17241*e*sin(m) + 0.01608*sin(2*mp) + 0.01039*sin(2*f) + 0.00739*e*sin(mp-m) - 0.00514*e*sin(mp+m) +
		0.00208*e*e*sin(2*m) - 0.00111*sin(mp-2*f) - 0.00057*sin(mp+2*f) + 0.00056*e*sin(2*mp+m) - 0.00042*sin(3*mp) +
		0.00042*e*sin(m+2*f) + 0.00038*e*sin(m-2*f) - 0.00024*e*sin(2*mp-m) - 0.00017*sin(124.7746-1.56375588*k)
	return jde - delta
}

// sun is its apparent longitude in degrees at the Julian date, UT.
func sun(jd float64) float64 {
	t := (jd + delta - 2451545) / 36525
	m := 357.52911 + 35999.05029*t - 0.0001537*t*t
	c := (1.914602-0.004817*t)*sin(m) + (0.019993-0.000101*t)*sin(2*m) + 0.000289*sin(3*m)
	l := 280.46646 + 36000.76983*t + 0.0003032*t*t + c - 0.00569 - 0.00478*sin(125.04-1934.136*t)
	return math.Mod(math.Mod(l, 360)+360, 360)
}

// julian is the Julian day number of a date, and dateAt its opposite.
func julian(t time.Time) int { return int(t.Unix()/86400) + 2440588 }

func dateAt(jdn int) time.Time { return time.Unix(int64(jdn-2440588)*86400, 0).UTC() }

// inBeijing is the day, there, of a moment.
func inBeijing(jd float64) int { return int(math.Floor(jd + 0.5 + 8.0/24)) }

// term is the day on which the sun comes to the longitude, near the date.
func term(longitude float64, near time.Time) int {
	lo, hi := float64(julian(near))-10, float64(julian(near))+10
	for range 60 {
		mid := (lo + hi) / 2
		if math.Mod(sun(mid)-longitude+540, 360) < 180 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return inBeijing(lo)
}

func solstice(year int) int { return term(270, time.Date(year, 12, 21, 0, 0, 0, 0, time.UTC)) }

// month is one of the Chinese calendar, by the day it begins.
type month struct {
	number int
	leap   bool
	first  int
}

// months are those from the eleventh of the year before to the eleventh of the year.
func months(year int) []month {
	from, to := solstice(year-1), solstice(year)
	var begins []int
	for k := math.Floor((float64(from)-2451550)/29.530588861) - 2; ; k++ {
		begins = append(begins, inBeijing(newMoon(k)))
		if begins[len(begins)-1] > to+40 {
			break
		}
	}
	i, end := 0, 0
	for j, b := range begins {
		if b <= from {
			i = j
		}
		if b <= to {
			end = j
		}
	}
	thirteen := end-i == 13
	// Which twelfth of its way the sun is in when a day begins in Beijing.
	twelfth := func(day int) int { return int(sun(float64(day)-0.5-8.0/24) / 30) }
	var out []month
	number := 11
	for j := i; j <= end; j++ {
		if thirteen && j > i && twelfth(begins[j]) == twelfth(begins[j+1]) {
			thirteen = false
			out = append(out, month{(number+10)%12 + 1, true, begins[j]})
			continue
		}
		out = append(out, month{number, false, begins[j]})
		number = number%12 + 1
	}
	return out
}

// lunar is the date of a day of the Chinese calendar within the solar year; 0-0
// is the last day of the old year.
func lunar(year, number, day int) int {
	if number == 0 {
		return clockDay(julian(dateOf(lunar(year, 1, 1))) - 1)
	}
	for _, y := range []int{year, year + 1} {
		for _, m := range months(y) {
			d := clockDay(m.first + day - 1)
			if m.number == number && !m.leap && d/10000 == year {
				return d
			}
		}
	}
	return 0
}

func clockDay(jdn int) int { return number(dateAt(jdn)) }
