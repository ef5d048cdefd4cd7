package referral

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
	"siyu/wallet"
)

// GiveReward asks to hand over a reward in points or coupons once it has
// matured: what a row of ripening is for money.
type GiveReward struct {
	Reward id.Reward `json:"reward"`
}

// Kind names the task.
func (GiveReward) Kind() string { return "referral:give_reward" }

// giveMost is how many are handed over in one transaction: each takes some
// twenty statements of its own, on lots, counters and stock.
const giveMost = 20

// giveAgain is when a coupon that could not be given is tried again.
const giveAgain = 6 * time.Hour

// sourceReward is the source of a coupon that a reward gave; its id is the
// reward's.
const sourceReward wallet.SourceKind = "reward"

// giveTx hands matured rewards over, as clearTx makes money payable. Whom a
// coupon cannot be given now keeps his reward pending, with the reason.
func giveTx(tx *database.Tx, list []GiveReward) error {
	ids := make([]id.Reward, len(list))
	for i, a := range list {
		ids[i] = a.Reward
	}
	slices.Sort(ids)
	ripe, err := lockMany(tx, slices.Compact(ids))
	if err != nil {
		return err
	}
	ripe = slices.DeleteFunc(ripe, func(r Reward) bool { return r.Currency == money.CNY || !r.ripe(tx.Now) })
	byHolder(ripe)
	given := ripe[:0]
	for _, r := range ripe {
		err := r.handTx(tx)
		f, refused := fault.As(err)
		switch {
		case refused && f.Kind < fault.KindInternal:
			err = r.waits(tx, Note(f.Code))
		case err == nil:
			given = append(given, r)
		}
		if err != nil {
			return err
		}
	}
	if len(given) == 0 {
		return nil
	}
	byProgram(given)
	moves := make([]wallet.Transfer, len(given))
	for i, r := range given {
		if r.Note.refusal() { // it had waited
			if err := r.noteTx(tx, ""); err != nil {
				return err
			}
		}
		moves[i] = r.move("clear", "reward_give", r.Net, r.at(wallet.StageReserved), r.at(wallet.StagePayable))
	}
	transfers, err := wallet.PostManyTx(tx, moves)
	if err != nil {
		return err
	}
	events, together := clearingsOf(tx, given)
	if err := clearedTx(tx, given, events, together, transfers); err != nil {
		return err
	}
	return tellClearedTx(tx, given)
}

// byHolder puts rewards into the order in which holders and coupons are
// locked.
func byHolder(list []Reward) {
	slices.SortFunc(list, func(a, b Reward) int {
		return cmp.Or(cmp.Compare(a.BeneficiaryID, b.BeneficiaryID), cmp.Compare(a.CouponID, b.CouponID), cmp.Compare(a.ID, b.ID))
	})
}

// handTx gives what is left of the reward to its beneficiary.
func (r Reward) handTx(tx *database.Tx) error {
	if r.Currency == Coupons {
		_, err := wallet.IssueTx(tx, r.issue())
		return err
	}
	return wallet.EarnPointsTx(tx, wallet.EarnPoints{
		Member: r.BeneficiaryID, Reference: "reward:" + r.ID.String(), Points: r.Net,
		ExpiresDay: clock.Day(tx.Now.Time().AddDate(0, 0, r.ValidDays), shanghai),
	})
}

func (r Reward) issue() wallet.Issue {
	return wallet.Issue{Coupon: r.CouponID, Member: r.BeneficiaryID, SourceKind: sourceReward, SourceID: r.ID.String()}
}

// refusal says that the note is the code of a refusal, for which the reward
// waits to be given, and not the reason why it was lowered when it was earned.
// Only codes have a dot.
func (n Note) refusal() bool { return strings.Contains(string(n), ".") }

// waits notes why a coupon was not given, and tries again later.
func (r Reward) waits(tx *database.Tx, why Note) error {
	if err := r.noteTx(tx, why); err != nil {
		return err
	}
	return task.EnqueueTx(tx, GiveReward{r.ID}, tx.Now.Add(giveAgain))
}

func (r Reward) noteTx(tx *database.Tx, n Note) error {
	if err := tx.Exec("UPDATE rewards SET note = ? WHERE id = ?", n, r.ID).Error; err != nil {
		return fmt.Errorf("referral: note of %s: %w", r.ID, err)
	}
	return nil
}

// leftTx takes back from the beneficiary what is left of the lost part, and
// says how much that was. Money may leave a debt; points that were spent and a
// coupon that was used are gone.
func (r Reward) leftTx(tx *database.Tx, lost money.Amount, ref string) (money.Amount, error) {
	if r.ClearedAt == 0 || r.Currency == money.CNY {
		return lost, nil
	}
	if r.Currency == money.PTS {
		return wallet.TakePointsTx(tx, wallet.TakePoints{
			Member: r.BeneficiaryID, Reference: fmt.Sprintf("reward:%s:%s", r.ID, ref), Points: lost,
		})
	}
	took, err := wallet.WithdrawTx(tx, r.issue())
	if err != nil || !took {
		return 0, err
	}
	return lost, nil
}

// notice is how its beneficiary is told that the reward is his.
func (r Reward) notice() community.Notice {
	n := community.Notice{Member: r.BeneficiaryID, Fact: r.ID.String(), Params: map[string]string{"order_id": r.OrderID.String()}}
	switch r.Currency {
	case money.PTS:
		n.Name, n.Params["points"] = community.NoticeRewardPoints, strconv.FormatInt(int64(r.Net), 10)
	case Coupons:
		n.Name = community.NoticeRewardCoupon
	default:
		n.Name, n.Params["amount"] = community.NoticeRewardCleared, community.NoticeAmount(r.Net)
	}
	return n
}
