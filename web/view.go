package web

import (
	"fmt"
	"math"
	"time"

	"siyu/internal/id"
	"siyu/internal/money"
)

// countdown is a clock on a page: right when it was printed, kept right by the
// script.
type countdown struct {
	Until  time.Time
	Now    time.Time
	Plain  bool // without tiles
	Reload bool // the page asks again when it runs out
}

func (c countdown) left() int { return int(max(c.Until.Sub(c.Now), 0) / time.Second) }

// Days left, whole.
func (c countdown) Days() int { return c.left() / 86400 }

// Hours, Minutes and Seconds left within the day, two digits each.
func (c countdown) Hours() string   { return two(c.left() % 86400 / 3600) }
func (c countdown) Minutes() string { return two(c.left() % 3600 / 60) }
func (c countdown) Seconds() string { return two(c.left() % 60) }

func two(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }

// itemView is an item as a page shows it.
type itemView struct {
	ID        id.Item
	Name      string
	Picture   string
	Art       int // which drawing stands in for a picture
	Price     money.Amount
	List      money.Amount
	Reference money.Amount // the lowest of the week before; 0 is none known
	Stock     int64
	Left      int64
	PerMember int
	PerOrder  int
	Rest      int64 // left over all sessions; Left is of the open one
	Session   int64 // how many each session may sell; 0 is no bound
	Product   id.Product
	SKU       string
	Offers    []offerView // of a group-buy, by team size
}

// Whole is how many there were, of the open session or of all.
func (i itemView) Whole() int64 {
	if i.Session > 0 {
		return min(i.Session, i.Stock)
	}
	return i.Stock
}

// Taken is how many of the whole are gone, for the bar.
func (i itemView) Taken() int64 { return max(i.Whole()-i.Left, 0) }

// Most is how many pieces one order may hold now.
func (i itemView) Most() int64 {
	most := int64(max(i.PerOrder, 1))
	if i.PerMember > 0 {
		most = min(most, int64(i.PerMember))
	}
	return min(most, i.Left, 20)
}

// plainPage says one thing: a code that leads nowhere, a fault, a sign-in.
type plainPage struct {
	page
	Head       string
	Body       string
	Link       string
	LinkText   string
	Second     string // a lesser link
	SecondText string
	Sad        bool
}

// banner is the drawing of a campaign without a picture: seats round a table
// for a group-buy, a dial with the day's window for a flash sale, two circles
// that meet for an invitation. The name's id moves it a little, so that two
// campaigns in one chat do not look the same.
type banner struct {
	Kind   string
	X, Y   int
	X2, Y2 int
	Points []point
	Wedge  string
}

type point struct {
	X, Y, X2, Y2 int
	On           bool
}

func drawBanner(kind string, seed int64, seats int) banner {
	b := banner{Kind: kind, X: 286 + int(seed%5)*5, Y: 74 + int(seed/5%4)*3}
	b.X2, b.Y2 = b.X-52, b.Y+16
	turn := float64(seed%60) / 60
	switch kind {
	case "group_buy":
		seats = min(max(seats, 2), 12)
		for i := range seats {
			x, y := around(b, turn+float64(i)/float64(seats), 55)
			b.Points = append(b.Points, point{X: x, Y: y, On: i < (seats+1)/2})
		}
	case "flash_sale":
		for i := range 24 {
			x, y := around(b, float64(i)/24, 58)
			x2, y2 := around(b, float64(i)/24, 64)
			b.Points = append(b.Points, point{x, y, x2, y2, i%6 == 0})
		}
		x, y := around(b, -0.25+turn*0.1, 44)
		x2, y2 := around(b, 0.02+turn*0.1, 44)
		b.Wedge = arc(b, x, y, x2, y2)
	}
	return b
}

// around is the point at a turn (0 to 1, from the right) and a distance from
// the drawing's middle.
func around(b banner, turn, r float64) (x, y int) {
	a := 2 * math.Pi * turn
	return b.X + int(math.Round(r*math.Cos(a))), b.Y + int(math.Round(r*math.Sin(a)))
}

// arc is the path of a slice of 44 pixels from the middle between two points.
func arc(b banner, x, y, x2, y2 int) string {
	return fmt.Sprintf("M%d %d L%d %d A44 44 0 0 1 %d %d Z", b.X, b.Y, x, y, x2, y2)
}
