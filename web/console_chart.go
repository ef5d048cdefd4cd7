package web

import (
	"strconv"
	"time"

	"siyu/campaign"
	"siyu/internal/clock"
)

// chartBar is one horizontal bar; Width is of the longest, in hundredths.
type chartBar struct {
	Name  string
	Value string
	N     int64
	Width int64
}

// scale gives the bars their widths. What is more than nothing is seen.
func scale(bars []chartBar) {
	most := int64(0)
	for _, b := range bars {
		most = max(most, b.N)
	}
	for i := range bars {
		if bars[i].Width = part(bars[i].N, most); bars[i].Width == 0 && bars[i].N > 0 {
			bars[i].Width = 1
		}
	}
}

// funnelBars are the steps from a scan to a paid order.
func funnelBars(lang string, f campaign.FunnelSteps) []chartBar {
	bars := []chartBar{
		{Name: choose(lang, "扫码", "Scans"), N: f.Touches}, {Name: choose(lang, "接受邀请", "Invitations"), N: f.Bindings},
		{Name: choose(lang, "下单", "Orders"), N: f.Orders}, {Name: choose(lang, "付款", "Paid"), N: f.Paid},
		{Name: choose(lang, "全额退款", "Refunded"), N: f.Refunded},
	}
	for i := range bars {
		bars[i].Value = count(bars[i].N)
	}
	scale(bars)
	return bars
}

// columns are the orders of the last hours in which anything happened, drawn
// in a field about 320 by 64.
type columns struct {
	List     []column
	From, To time.Time
	Peak     time.Time
	Most     int64 // orders in the peak hour
	Field    int   // how wide the drawing is
}

// column is one hour: its orders and, of them, the paid ones.
type column struct {
	X, Width     int
	Y, Height    int64
	PaidY, PaidH int64
	Title        string
}

const (
	hoursDrawn  = 48
	fieldWidth  = 320
	fieldHeight = 64
)

// drawHours draws the hours up to the last in which there was something, the
// silent ones between them too; nil if there was nothing.
func drawHours(lang string, now time.Time, zone *time.Location, rows []campaign.FunnelRow) *columns {
	orders := map[clock.Milli]campaign.FunnelSteps{}
	var last clock.Milli
	c := &columns{}
	for _, r := range rows {
		if r.Orders == 0 {
			continue
		}
		orders[r.HourAt] = r.FunnelSteps
		last = max(last, r.HourAt)
	}
	if last == 0 {
		return nil
	}
	first := last
	for at := range orders {
		if at > last.Add(-hoursDrawn*time.Hour) {
			first = min(first, at)
			c.Most = max(c.Most, orders[at].Orders)
		}
	}
	n := int((last-first)/clock.Milli(time.Hour.Milliseconds())) + 1
	each := fieldWidth / max(n, 12)
	c.Field = each * max(n, 12)
	for i := range n {
		at := first.Add(time.Duration(i) * time.Hour)
		o := orders[at]
		height, paid := o.Orders*fieldHeight/c.Most, min(o.Paid, o.Orders)*fieldHeight/c.Most
		local := at.Time().In(zone)
		c.List = append(c.List, column{
			X: i * each, Width: max(each-1, 1), Y: fieldHeight - height, Height: height, PaidY: fieldHeight - paid, PaidH: paid,
			Title: choose(lang, "%s：下单 %d，付款 %d", "%s: %d orders, %d paid", moment(lang, now, local), o.Orders, o.Paid),
		})
		if o.Orders == c.Most && c.Peak.IsZero() {
			c.Peak = local
		}
	}
	c.From, c.To = first.Time().In(zone), last.Time().In(zone)
	return c
}

// count is a number with its thousands apart.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
