package web

import (
	"strconv"
	"strings"

	"siyu/campaign"
	"siyu/campaign/groupbuy"
	"siyu/internal/money"
)

// offerView is what an item costs in a team of one size.
type offerView struct {
	Size   int
	Price  money.Amount // for who joins
	Opener money.Amount // for who opens it
}

// offer gives the items their prices by team size; the price shown is the
// lowest, that of the largest team.
func (p *landingPage) offer(run campaign.Campaign) {
	for i, item := range run.Items {
		v := &p.Items[i]
		v.Offers = nil
		for _, o := range p.Sizes {
			price, opener := item.At(o.Size)
			v.Offers = append(v.Offers, offerView{o.Size, price, opener})
			v.Price = price
		}
		if v.ID == p.Chosen.ID {
			p.Chosen = *v
		}
	}
}

// ToOpen is what a piece costs who opens a team of the size; where there are
// no teams it is the price.
func (i itemView) ToOpen(size int) money.Amount {
	for _, o := range i.Offers {
		if o.Size == size {
			return o.Opener
		}
	}
	return i.Price
}

// Told says whether the prices by team size need saying: there are several, or
// the opener has one of his own.
func (i itemView) Told() bool {
	return len(i.Offers) > 1 || len(i.Offers) == 1 && i.Offers[0].Opener != i.Offers[0].Price
}

// Fens are the opener's prices by size, as the script reads them: "2:3500 5:2500".
func (i itemView) Fens() string {
	list := make([]string, len(i.Offers))
	for n, o := range i.Offers {
		list[n] = strconv.Itoa(o.Size) + ":" + strconv.FormatInt(int64(o.Opener), 10)
	}
	return strings.Join(list, " ")
}

// SizeText are the sizes in one word: "2/5".
func (p landingPage) SizeText() string {
	list := make([]string, len(p.Sizes))
	for i, o := range p.Sizes {
		list[i] = strconv.Itoa(o.Size)
	}
	return strings.Join(list, "/")
}

// Least are the sizes that form with fewer than all at the deadline.
func (p landingPage) Least() []groupbuy.Size {
	var list []groupbuy.Size
	for _, o := range p.Sizes {
		if o.Need() < o.Size {
			list = append(list, o)
		}
	}
	return list
}
