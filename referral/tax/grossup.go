package tax

import "siyu/internal/money"

// GrossUp is the smallest payment of which at least net arrives, for a company
// that bears the tax. Each fen more of gross brings nought or one fen more of
// net, so every net is reached exactly.
func GrossUp(s Strategy, m Month, net money.Amount) (Result, error) {
	if net <= 0 {
		return Result{}, ErrAmount
	}
	low, high := net, net // the answer is from low to high once high brings enough
	for {
		r, err := Withhold(s, m, high)
		if err != nil {
			return Result{}, err
		}
		if r.Net >= net {
			break
		}
		low, high = high+1, high*2
	}
	for low < high {
		mid := low + (high-low)/2
		r, err := Withhold(s, m, mid)
		switch {
		case err != nil:
			return Result{}, err
		case r.Net >= net:
			high = mid
		default:
			low = mid + 1
		}
	}
	return Withhold(s, m, high)
}

// Pay is what becomes of a promised amount: taxed itself, or grossed up.
func Pay(s Strategy, by Bearer, m Month, promised money.Amount) (Result, error) {
	if by == BorneCompany {
		return GrossUp(s, m, promised)
	}
	return Withhold(s, m, promised)
}
