package main

import (
	"fmt"
	"path/filepath"
	"time"
)

// mature lets goods arrive and rewards clear.
func (s *story) mature() error {
	s.step("The goods arrive; seven days later the worker clears the rewards 奖励到期入账")
	for _, o := range s.orders {
		body := map[string]any{"stage": "received", "shipment_no": "sf" + o}
		if err := s.do(s.mall, "POST", "/v1/orders/"+o+"/shipments", body, nil); err != nil {
			return err
		}
	}
	if err := s.jump(7*24*time.Hour, "seven days after receipt have passed"); err != nil {
		return err
	}
	if _, err := s.talk(7); err != nil { // the groups did not fall silent meanwhile
		return err
	}
	err := s.until("the rewards to clear", func() (bool, error) {
		var list rewardList
		if err := s.do(s.preparer, "GET", "/v1/rewards?limit=200", nil, &list); err != nil {
			return false, err
		}
		for _, r := range list.Items {
			if r.State == "pending" {
				return false, nil
			}
		}
		return len(list.Items) > 0, nil
	})
	if err != nil {
		return err
	}
	return s.showRewards("cleared: reserved → payable in the ledger")
}

// giveBack refunds an order after its rewards were cleared.
func (s *story) giveBack() error {
	s.step("A buyer returns the goods after that: the rewards are clawed back, to the fen 退货扣回")
	var o orderView
	if err := s.do(s.mall, "GET", "/v1/orders/"+s.orders[1], nil, &o); err != nil {
		return err
	}
	body := map[string]any{"refund_no": "rf1", "amount_fen": o.Amount, "goods_fen": o.Amount}
	if err := s.show(s.mall, "POST", "/v1/orders/"+o.ID+"/refunds", body, &o, func() string { return "order " + o.Status }); err != nil {
		return err
	}
	return s.showRewards("what was promised is taken back by share of the refund:")
}

// closeBooks prepares and seals a settlement and has it reviewed.
func (s *story) closeBooks() error {
	s.step("Finance closes a settlement: sealed lines, XLSX and CSV, a digest 结算封存")
	if err := s.jump(10*time.Minute, "clearings must be five minutes old"); err != nil {
		return err
	}
	var made idOf
	body := map[string]any{"unit_id": s.store, "label": "2026-03 第一期"}
	if err := s.show(s.preparer, "POST", "/v1/settlements", body, &made, func() string { return made.ID }); err != nil {
		return err
	}
	if err := s.do(s.preparer, "POST", "/v1/settlements/"+made.ID+"/close", map[string]any{}, nil); err != nil {
		return err
	}
	err := s.until("the settlement to be sealed", func() (bool, error) {
		err := s.do(s.preparer, "GET", "/v1/settlements/"+made.ID, nil, &s.settlement)
		return s.settlement.Status == "closed", err
	})
	if err != nil {
		return err
	}
	x := s.settlement
	s.printf("    ← %s %s: %d lines, gross %s, tax %s, net %s yuan\n      digest %s\n", x.ID, x.Status, x.LineCount, yuan(x.Gross), yuan(x.Tax), yuan(x.Net), x.Digest)
	return s.as(s.preparer).fetchFiles(s.ctx, x.ID, s.sealed(), s.out)
}

// sealed is the folder that the settlement's files are fetched into.
func (s *story) sealed() string { return filepath.Join(s.folder, "settlement") }

// payOut is the second and third person.
func (s *story) payOut() error {
	s.step("A second person reviews, a third pays; one person cannot do both 三人分工")
	x := s.settlement
	body := map[string]any{"digest": x.Digest}
	if err := s.refused(s.preparer, "POST", "/v1/settlements/"+x.ID+"/review", body, "settlement.same_person"); err != nil {
		return err
	}
	if err := s.show(s.reviewer, "POST", "/v1/settlements/"+x.ID+"/review", body, &x, func() string { return x.ID + " " + x.Status }); err != nil {
		return err
	}
	var payout struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	if err := s.do(s.cashier, "POST", "/v1/payouts", map[string]any{"settlement_id": x.ID}, &payout); err != nil {
		return err
	}
	if err := s.show(s.cashier, "POST", "/v1/payouts/"+payout.ID+"/pay", map[string]any{}, &payout, func() string { return payout.ID + " " + payout.Status }); err != nil {
		return err
	}
	err := s.until("the payout to be booked", func() (bool, error) {
		err := s.do(s.cashier, "GET", "/v1/settlements/"+x.ID, nil, &x)
		return x.Status == "paid", err
	})
	if err != nil {
		return err
	}
	s.printf("    ← %s %s: payable → paid, member by member\n", x.ID, x.Status)
	var check struct {
		OK bool `json:"ok"`
	}
	if err := s.do(s.reviewer, "GET", "/v1/settlements/"+x.ID+"/verify", nil, &check); err != nil {
		return err
	}
	if !check.OK {
		return fmt.Errorf("settlement %s does not verify", x.ID)
	}
	s.printf("    ← rows digest, file hashes, totals and ledger agree\n")
	return nil
}
