package wallet

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"siyu/internal/database"
	"siyu/internal/money"
)

// VerifyCloses proves V17: closes follow each other, each holds what its
// transfers say, carries the balances on, and keeps the digest of the one
// before. That what is in no close makes up the rest of the accounts follows
// with V6: each entry has its transfer and its account, and each account is
// the fold of its entries.
func VerifyCloses(ctx context.Context, db *database.DB) ([]database.Proof, error) {
	p := database.Proof{ID: "V17", Says: "a transfer is in one close at most, and a closed day is what its transfers say"}
	q := db.Read(ctx)
	var nos []int64
	if err := q.Raw("SELECT no FROM ledger_closes WHERE status = ? ORDER BY no", CloseSealed).Scan(&nos).Error; err != nil {
		return nil, fmt.Errorf("wallet: verify closes: %w", err)
	}
	var last Close
	for _, no := range nos {
		c, err := findSealed(q, no)
		if err != nil {
			return nil, err
		}
		if err := checkClose(q, last, c, &p); err != nil {
			return nil, fmt.Errorf("wallet: verify close %d: %w", no, err)
		}
		last = c
	}
	if err := strays(q, &p); err != nil {
		return nil, err
	}
	return []database.Proof{p}, nil
}

// checkClose sums one close up again. Sealed rows never change, so it needs no
// snapshot.
func checkClose(q *database.Query, last, c Close, p *database.Proof) error {
	b, err := readBook(q, c.No, last.Until)
	if err != nil {
		return err
	}
	p.Checked += b.transfers
	day := fmt.Sprintf("close %d of %d", c.No, c.Day)
	if c.No != last.No+1 || c.Until <= last.Until || c.Previous != last.Digest {
		p.Break("%s does not follow close %d", day, last.No)
	}
	if b.transfers != c.Transfers || b.entries != c.Entries || b.late != c.Late || hex.EncodeToString(b.rows.Sum(nil)) != c.RowsDigest {
		p.Break("%s sealed %d transfers with %d entries, %d late; its transfers are %d with %d, %d late, or say something else", day, c.Transfers, c.Entries, c.Late, b.transfers, b.entries, b.late)
	}
	if !slices.Equal(b.sorted(), c.Lines) {
		p.Break("%s: its lines are not what its transfers moved", day)
	}
	if !slices.Equal(carried(last.Balances, c.Lines), c.Balances) {
		p.Break("%s: its balances are not those of the close before and its lines", day)
	}
	sums := map[string]money.Amount{}
	for _, x := range c.Balances {
		sums[x.Currency] += x.Closing
	}
	for currency, n := range sums {
		if n != 0 {
			p.Break("%s: its balances in %s sum to %s", day, currency, n)
		}
	}
	if c.seal() != c.Digest {
		p.Break("%s: its digest is of something else", day)
	}
	return nil
}

// strays are transfers whose close is not there, or was over before they were.
func strays(q *database.Query, p *database.Proof) error {
	var bad []struct {
		CloseNo int64
		N       int64
	}
	err := q.Raw(`SELECT t.close_no, COUNT(*) AS n FROM transfers t LEFT JOIN ledger_closes c ON c.no = t.close_no
		WHERE t.close_no <> 0 AND (c.no IS NULL OR t.at >= c.until_at) GROUP BY t.close_no`).Scan(&bad).Error
	for _, b := range bad {
		p.Break("%d transfers are in close %d, which is not there or ended before them", b.N, b.CloseNo)
	}
	return err
}
