package health

import "siyu/internal/id"

// Sales says how much of what was bought through a group's members hangs on
// one of them, over 30 days.
type Sales struct {
	Top    id.Member `json:"top"`
	Share  Figure    `json:"share"` // of all that was paid and kept by those whom members brought
	Orders int       `json:"orders"`
	High   bool      `json:"high"`
}

// salesLeast is how many orders there must be before a share of them says
// something.
const salesLeast = 5

// sales is Unknown where there are too few orders.
func (c Crowd) sales() Sales {
	out := Sales{Share: Unknown}
	var all, most int64
	for _, p := range c.members() {
		all += int64(p.Referred)
		out.Orders += p.ReferredOrders
		if int64(p.Referred) > most {
			most, out.Top = int64(p.Referred), p.ID
		}
	}
	if out.Orders < salesLeast || all <= 0 {
		out.Top = 0
		return out
	}
	out.Share = Figure(most * whole / all)
	out.High = most*whole > all*headCR1
	return out
}
