package campaign_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"siyu/internal/id"
)

// ask is what a client asked of the item.
type ask struct {
	what question
	key  int // whose key, and which: member × historyKeys + key
	qty  int
	no   string // of a payment
}

type question string

const (
	askClaim  question = "claim"
	askCancel question = "cancel"
	askLetGo  question = "let go"
	askPay    question = "pay"
	askCount  question = "count"
)

// reply is what it was answered.
type reply struct {
	is               answer
	order            id.Order
	reason           string // of a payment sent back
	left, held, sold int64
}

type answer string

const (
	granted    answer = "granted"
	replayed   answer = "replayed"
	keyReused  answer = "key reused"
	limited    answer = "limit reached"
	soldOut    answer = "sold out"
	done       answer = "done"
	wrongState answer = "wrong state"
	bought     answer = "bought"
	sentBack   answer = "sent back"
	counted    answer = "counted"
)

// answers are all there are.
var answers = []answer{granted, replayed, keyReused, limited, soldOut, done, wrongState, bought, sentBack, counted}

// itemBook is the item that does one thing at a time: its pieces left, and the
// order each key is bound to for ever. It is a value, so that porcupine may
// compare states and go back to an older one.
type itemBook struct {
	left   int
	orders [historyMembers * historyKeys]bookedOrder
}

type bookedOrder struct {
	id  id.Order // 0 until the key is granted
	qty int
	at  stage
}

type stage int

const (
	stageHeld stage = iota
	stagePaid
	stageGone
)

// judge says whether one item that does one thing at a time could have given
// all the answers.
//
// Refusals are given up to 200 ms more than other calls (stale), so dozens of
// them are under way at once, and porcupine would try them in every order. They
// change nothing, though: each needs only some moment of its time at which it
// was true. So a refusal is played as two marks, where its time begins and
// where it ends, and the state notes which of the open ones were true meanwhile.
func judge(history []porcupine.Operation) porcupine.CheckResult {
	var ops []porcupine.Operation
	var refusals []refusal
	for _, op := range history {
		if len(refusals) == 64 {
			panic("judge: more refusals than bits")
		}
		r := refusal{op.Input.(ask), op.Output.(reply).is}
		if r.is != soldOut && r.is != limited {
			ops = append(ops, op)
			continue
		}
		ops = append(ops,
			porcupine.Operation{Input: mark{len(refusals), true}, Call: op.Call, Return: op.Call},
			porcupine.Operation{Input: mark{len(refusals), false}, Call: op.Return, Return: op.Return})
		refusals = append(refusals, r)
	}
	return porcupine.CheckOperationsTimeout(porcupine.Model{
		Init: func() any { return view{item: itemBook{left: historyStock}} },
		Step: func(state, input, output any) (bool, any) {
			v := state.(view)
			ok := v.step(refusals, input, output)
			return ok, v
		},
	}, ops, 20*time.Second)
}

// refusal is a claim that was not granted.
type refusal struct {
	ask
	is answer
}

// mark is where the time of a refusal begins or ends.
type mark struct {
	refusal int
	begins  bool
}

// view is the item and the refusals whose time has begun and not ended, by bit.
type view struct {
	item       itemBook
	open, held uint64
}

func (v *view) step(refusals []refusal, input, output any) bool {
	switch in := input.(type) {
	case ask:
		if !v.item.step(in, output.(reply)) {
			return false
		}
	case mark:
		bit := uint64(1) << in.refusal
		if in.begins {
			v.open |= bit
			break
		}
		if v.held&bit == 0 {
			return false
		}
		v.open, v.held = v.open&^bit, v.held&^bit
	}
	for i, r := range refusals {
		if bit := uint64(1) << i; v.open&bit != 0 && v.item.refuses(r) {
			v.held |= bit
		}
	}
	return true
}

// refuses says whether a refusal is true now. The limit is looked at before the
// stock, but an answer from memory may know only that the stock is gone, so
// sold out says nothing about the limit.
func (b *itemBook) refuses(r refusal) bool {
	switch {
	case b.orders[r.key].id != 0:
		return false
	case r.is == limited:
		return b.holds(r.key)+r.qty > historyLimit
	}
	return b.left < r.qty
}

// step does what was asked, and says whether the answer is the item's own.
func (b *itemBook) step(a ask, r reply) bool {
	o := &b.orders[a.key]
	switch a.what {
	case askClaim:
		return b.claim(a, r)
	case askPay:
		return b.pay(a, r)
	case askCount:
		held, sold := b.pieces(stageHeld), b.pieces(stagePaid)
		return r.left == int64(b.left) && r.held == int64(held) && r.sold == int64(sold)
	case askCancel:
		if o.at == stagePaid {
			return o.id != 0 && r.is == wrongState
		}
		fallthrough
	case askLetGo:
		if o.id != 0 && o.at == stageHeld {
			o.at = stageGone
			b.left += o.qty
		}
		return o.id != 0 && r.is == done
	}
	return false
}

// claim grants a new key within limit and stock, and knows a granted one.
func (b *itemBook) claim(a ask, r reply) bool {
	o := &b.orders[a.key]
	switch {
	case o.id != 0 && o.qty != a.qty:
		return r.is == keyReused
	case o.id != 0:
		return r.is == replayed && r.order == o.id
	case r.is != granted || b.left < a.qty || b.holds(a.key)+a.qty > historyLimit:
		return false
	}
	*o = bookedOrder{id: r.order, qty: a.qty}
	b.left -= a.qty
	return true
}

// pay buys a held order, and one let go if a fresh claim would be granted now.
func (b *itemBook) pay(a ask, r reply) bool {
	o := &b.orders[a.key]
	reason := ""
	switch {
	case o.id == 0:
		return false
	case o.at == stagePaid:
		reason = "paid_twice"
	case o.at == stageGone && b.holds(a.key)+o.qty > historyLimit:
		reason = "late_limit_reached"
	case o.at == stageGone && b.left < o.qty:
		reason = "late_sold_out"
	}
	if reason != "" {
		return r.is == sentBack && r.reason == reason
	}
	if o.at == stageGone {
		b.left -= o.qty
	}
	o.at = stagePaid
	return r.is == bought
}

// holds is how many pieces the key's member has.
func (b *itemBook) holds(key int) (n int) {
	for i, o := range b.orders {
		if i/historyKeys == key/historyKeys && o.at != stageGone {
			n += o.qty
		}
	}
	return n
}

// pieces are those of all orders at a stage.
func (b *itemBook) pieces(at stage) (n int) {
	for _, o := range b.orders {
		if o.at == at {
			n += o.qty
		}
	}
	return n
}

// The judge of histories must refuse what no item does.
func TestHistoryModel(t *testing.T) {
	const second = int64(time.Second)
	// at is one call that begins and ends at its own moment.
	at := func(when int64, a ask, r reply) porcupine.Operation {
		call := when
		if r.is == soldOut || r.is == limited {
			call = int64(stale(time.Unix(0, when)).UnixNano())
		}
		return porcupine.Operation{Input: a, Call: call, Output: r, Return: when + 1}
	}
	claim := func(key, qty int) ask { return ask{what: askClaim, key: key, qty: qty} }
	got := func(order id.Order) reply { return reply{is: granted, order: order} }
	// Members 0 and 1 take four and three pieces: the stock of seven is gone.
	gone := []porcupine.Operation{
		at(1*second, claim(0, 2), got(1)), at(2*second, claim(1, 2), got(2)), at(3*second, claim(4, 3), got(3)),
	}
	freed := at(4*second, ask{what: askCancel, key: 4}, reply{is: done})
	for _, tc := range []struct {
		name string
		then []porcupine.Operation
		want porcupine.CheckResult
	}{
		{"sold out", []porcupine.Operation{at(4*second, claim(8, 1), reply{is: soldOut})}, porcupine.Ok},
		{"limit reached", []porcupine.Operation{at(4*second, claim(2, 1), reply{is: limited})}, porcupine.Ok},
		{"a piece too many", []porcupine.Operation{at(4*second, claim(8, 1), got(4))}, porcupine.Illegal},
		{"a piece beyond the limit", []porcupine.Operation{freed, at(5*second, claim(2, 1), got(4))}, porcupine.Illegal},
		{"a limit nobody reached", []porcupine.Operation{freed, at(5*second, claim(8, 1), reply{is: limited})}, porcupine.Illegal},
		{"a key finds its order", []porcupine.Operation{at(4*second, claim(4, 3), reply{is: replayed, order: 3})}, porcupine.Ok},
		{"a key finds another order", []porcupine.Operation{at(4*second, claim(4, 3), reply{is: replayed, order: 2})}, porcupine.Illegal},
		{"a key is granted twice", []porcupine.Operation{freed, at(5*second, claim(4, 3), got(4))}, porcupine.Illegal},
		{"a granted key is refused", []porcupine.Operation{at(4*second, claim(4, 3), reply{is: soldOut})}, porcupine.Illegal},
		{"refused 100 ms after a piece was free", []porcupine.Operation{freed, at(4*second+second/10, claim(8, 1), reply{is: soldOut})}, porcupine.Ok},
		{"refused 300 ms after a piece was free", []porcupine.Operation{freed, at(4*second+second*3/10, claim(8, 1), reply{is: soldOut})}, porcupine.Illegal},
		{"a late payment is sent back for nothing", []porcupine.Operation{freed, at(5*second, ask{what: askPay, key: 4}, reply{is: sentBack, reason: "late_sold_out"})}, porcupine.Illegal},
		{"pieces are lost", []porcupine.Operation{freed, at(5*second, ask{what: askCount}, reply{is: counted, left: 2, held: 4})}, porcupine.Illegal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ops := append(append([]porcupine.Operation(nil), gone...), tc.then...)
			if result := judge(ops); result != tc.want {
				t.Errorf("got %s, want %s", result, tc.want)
			}
		})
	}
}

func (a ask) String() string { return fmt.Sprintf("%s %d×%d %s", a.what, a.key, a.qty, a.no) }

func (r reply) String() string {
	return fmt.Sprintf("%s %d %s %d/%d/%d", r.is, r.order, r.reason, r.left, r.held, r.sold)
}
