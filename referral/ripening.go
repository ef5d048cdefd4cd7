package referral

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/internal/money"
	"siyu/internal/task"
)

// ripening is a row that says when a pending reward in money becomes payable.
// It is there while the reward waits for nothing but its day, or for its last
// look before it: what stops for a human loses its row and gets one again by
// his word, and what is not looked at in time by the look. The row says when
// and no more; whether it clears is the reward's to say, under its lock.
type ripening struct {
	maturesAt clock.Milli
	reward    id.Reward
	member    id.Member // who it was for when it was written; brings together what is his
	writes    int       // rows that clearing it may write, but for what its member's rewards share
}

// kindRipening names the work on them.
const kindRipening = "referral:clear_due"

// What clearing one reward writes: an event, at most a fact, and the end of its
// row; in all of a member's, two entries, two balances and maybe an account.
// What others listen to is told of each: an event and a notice, with their
// deliveries and tasks.
const (
	writesEach   = 3
	writesTold   = 12
	writesMember = 5
)

// ripeWindow is how many due rewards are sorted by member before they are
// worked. With more of them, more rewards of one member are cleared together
// and share their ledger entries, but the rows of one transaction lie further
// apart in the store.
const ripeWindow = 200_000

// ripeMany is how many due rows are read before room is made for a window.
const ripeMany = 10_000

// ripens is the work on due rows.
func ripens() task.Rows[ripening] {
	return task.Rows[ripening]{
		Kind: kindRipening, Window: ripeWindow,
		Due:  "SELECT MIN(matures_at) FROM ripening WHERE matures_at <= ?",
		Read: readRipe,
		Arrange: func(list []ripening) {
			slices.SortFunc(list, func(a, b ripening) int {
				return cmp.Or(cmp.Compare(a.member, b.member), cmp.Compare(a.reward, b.reward))
			})
		},
		Take: takeRipe, Work: sweepTx, Aside: asideTx,
	}
}

func readRipe(q *database.Query, now clock.Milli, after ripening, most int) ([]ripening, error) {
	told, err := clearedTold(q)
	if err != nil {
		return nil, err
	}
	writes := writesEach
	if told {
		writes += writesTold
	}
	list, err := ripeningBehind(q, after, now, most)
	for i := range list {
		list[i].writes = writes
	}
	return list, err
}

// ripeningBehind reads the rows that follow one, in their order. It asks first
// for the rest of the last moment and then for later ones: asked for both at
// once, an engine would pass again over all rows of that moment that it has
// deleted.
func ripeningBehind(q *database.Query, after ripening, until clock.Milli, most int) ([]ripening, error) {
	var list []ripening
	read := func(cond string, args ...any) error {
		return database.Read{
			SQL:  "SELECT matures_at, reward_id, member_id FROM ripening WHERE " + cond + " ORDER BY matures_at, reward_id LIMIT ?",
			Args: append(args, most-len(list)),
			Row: func(rows database.Row) error {
				var at, reward, member int64
				err := rows.Scan(&at, &reward, &member)
				if len(list) == ripeMany {
					list = slices.Grow(list, most-len(list)) // once, instead of by quarters that are thrown away
				}
				list = append(list, ripening{maturesAt: clock.Milli(at), reward: id.Reward(reward), member: id.Member(member)})
				return err
			},
		}.On(q)
	}
	if after.reward != 0 {
		if err := read("matures_at = ? AND reward_id > ?", after.maturesAt, after.reward); err != nil || len(list) == most {
			return list, err
		}
	}
	return list, read("matures_at > ? AND matures_at <= ?", after.maturesAt, until)
}

func takeRipe(list []ripening, writes int) int {
	for i, r := range list {
		writes -= r.writes
		if i == 0 || r.member != list[i-1].member {
			writes -= writesMember
		}
		if writes < 0 && i > 0 {
			return i
		}
	}
	return len(list)
}

// sweepTx clears what is ripe of due rows and deletes all of them: a row whose
// reward does not clear was taken away since it was read, or waits for a look
// that will write it again.
func sweepTx(tx *database.Tx, list []ripening) error {
	ids := make([]id.Reward, len(list))
	for i, r := range list {
		ids[i] = r.reward
	}
	ripe, err := lockRipe(tx, ids)
	if err != nil {
		return err
	}
	if err := clearRipe(tx, ripe); err != nil {
		return err
	}
	return unripenTx(tx, list)
}

func asideTx(tx *database.Tx, r ripening) error {
	if err := unripenTx(tx, []ripening{r}); err != nil {
		return err
	}
	return task.EnqueueTx(tx, ClearReward{r.reward}, 0)
}

// row is the reward's row, if it has one.
func (r Reward) row() ripening {
	return ripening{maturesAt: r.MaturesAt, reward: r.ID, member: r.BeneficiaryID}
}

// ripenTx has the reward clear on its day. One in money that a human stopped
// does not: his word asks for it.
func (r Reward) ripenTx(tx *database.Tx) error {
	if r.Currency != money.CNY {
		return task.EnqueueTx(tx, GiveReward{r.ID}, r.MaturesAt)
	}
	if r.Review.stopped() {
		return nil
	}
	err := tx.Exec("INSERT INTO ripening (matures_at, reward_id, member_id) VALUES (?, ?, ?)", r.MaturesAt, r.ID, r.BeneficiaryID).Error
	if err != nil && !database.IsDuplicate(err) {
		return fmt.Errorf("referral: ripen %s: %w", r.ID, err)
	}
	if r.MaturesAt <= tx.Now {
		tx.Wake(kindRipening)
	}
	return nil
}

// restTx takes the reward's row away: it moved, was stopped or came to nothing.
func (r Reward) restTx(tx *database.Tx) error {
	if r.Currency != money.CNY {
		return nil
	}
	return unripenTx(tx, []ripening{r.row()})
}

// unripenTx deletes rows by their keys.
func unripenTx(tx *database.Tx, list []ripening) error {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b ripening) int {
		return cmp.Or(cmp.Compare(a.maturesAt, b.maturesAt), cmp.Compare(a.reward, b.reward))
	})
	for part := range slices.Chunk(list, inAtOnce) {
		if err := tx.Exec("DELETE FROM ripening WHERE " + keysOf(part)).Error; err != nil {
			return fmt.Errorf("referral: unripen: %w", err)
		}
	}
	return nil
}

// keysOf is a condition for the rows, moment by moment.
func keysOf(list []ripening) string {
	var b []byte
	for i, r := range list {
		switch {
		case i > 0 && r.maturesAt == list[i-1].maturesAt:
			b = append(b, ',')
		default:
			if i > 0 {
				b = append(b, ")) OR "...)
			}
			b = append(b, "(matures_at = "...)
			b = strconv.AppendInt(b, int64(r.maturesAt), 10)
			b = append(b, " AND reward_id IN ("...)
		}
		b = strconv.AppendInt(b, int64(r.reward), 10)
	}
	return string(b) + strings.Repeat(")", 2)
}
