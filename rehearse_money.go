package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"siyu/internal/clock"
)

// stageReward is what the script reads of a reward.
type stageReward struct {
	ID        string      `json:"id"`
	OrderID   string      `json:"order_id"`
	Rule      string      `json:"rule"`
	Base      int64       `json:"base_fen"`
	Amount    int64       `json:"amount_fen"`
	Net       int64       `json:"net_fen"`
	State     string      `json:"state"`
	Note      string      `json:"note"`
	MaturesAt clock.Milli `json:"matures_at"`
}

func (s *script) ship() (string, error) {
	if err := s.shop().received(s.ctx, s.friendOrder.ID); err != nil {
		return "", err
	}
	return s.friendOrder.ID, nil
}

// readRewards reads those of the friend's order.
func (s *script) readRewards() error {
	var list struct{ Items []stageReward }
	if err := s.do(s.preparer, "GET", "/v1/rewards?limit=200", nil, &list); err != nil {
		return err
	}
	s.rewards = nil
	for _, r := range list.Items {
		if r.OrderID == s.friendOrder.ID {
			s.rewards = append(s.rewards, r)
		}
	}
	return nil
}

// promised looks for one reward per rule, none of them declined.
func (s *script) promised() (string, error) {
	if err := s.readRewards(); err != nil {
		return "", err
	}
	rules := s.stage.play.Program.Rules
	if want := len(rules.Rewards); len(s.rewards) != want {
		return "", fmt.Errorf("承诺了 %[1]d 笔奖励，应为 %[2]d 笔 · %[1]d rewards are promised, want %[2]d", len(s.rewards), want)
	}
	var parts []string
	for _, r := range s.rewards {
		if r.Amount == 0 {
			return "", fmt.Errorf("奖励 %[1]s 落空（%[2]s），例如预算不够 · reward %[1]s came to nothing (%[2]s), as when the budget is short", r.Rule, r.Note)
		}
		parts = append(parts, r.Rule+" ¥"+yuan(r.Amount))
	}
	return strings.Join(parts, ", "), nil
}

// cleared goes to when the last of them matures.
func (s *script) cleared() (string, error) {
	if len(s.rewards) == 0 {
		return "", errors.New("there is no reward to clear")
	}
	var last clock.Milli
	for _, r := range s.rewards {
		last = max(last, r.MaturesAt)
	}
	if err := s.jump(last.Time().Add(time.Minute)); err != nil {
		return "", err
	}
	return last.String(), s.until("the rewards to clear", func() (bool, error) {
		if err := s.readRewards(); err != nil {
			return false, err
		}
		for _, r := range s.rewards {
			if r.State != "cleared" {
				return false, nil
			}
		}
		return true, nil
	})
}

// clawback refunds half the order: of each reward that share is taken back, to
// the fen.
func (s *script) clawback() (string, error) {
	if len(s.rewards) == 0 {
		return "", errors.New("there is no reward to claw back")
	}
	part := max(s.friendOrder.Amount/2, 1)
	if err := s.shop().refund(s.ctx, s.friendOrder.ID, "half", part); err != nil {
		return "", err
	}
	err := s.until("the clawback", func() (bool, error) {
		if err := s.readRewards(); err != nil {
			return false, err
		}
		for _, r := range s.rewards {
			if r.Net != r.Amount-r.Amount*part/r.Base {
				return false, nil
			}
		}
		return true, nil
	})
	return fmt.Sprintf("退 ¥%[1]s，应得剩 ¥%[2]s · ¥%[1]s went back, ¥%[2]s is still owed", yuan(part), yuan(s.owed())), err
}

// owed is what the rewards still come to.
func (s *script) owed() (fen int64) {
	for _, r := range s.rewards {
		fen += r.Net
	}
	return fen
}

// settle seals a settlement and has it reviewed, by another than its maker.
func (s *script) settle() (string, error) {
	if err := s.ahead(10 * time.Minute); err != nil {
		return "", err
	}
	var made idOf
	if err := s.do(s.preparer, "POST", "/v1/settlements", map[string]any{"unit_id": s.brand, "label": "彩排"}, &made); err != nil {
		return "", err
	}
	path := "/v1/settlements/" + made.ID
	if err := s.do(s.preparer, "POST", path+"/close", map[string]any{}, nil); err != nil {
		return "", err
	}
	err := s.until("the settlement to be sealed", func() (bool, error) {
		err := s.do(s.preparer, "GET", path, nil, &s.settlement)
		return s.settlement.Status == "closed", err
	})
	if err != nil {
		return "", err
	}
	body := map[string]any{"digest": s.settlement.Digest}
	if err := s.refused(s.preparer, "POST", path+"/review", body, "settlement.same_person"); err != nil {
		return "", err
	}
	if s.settlement.Net != s.owed() {
		return "", fmt.Errorf("the settlement comes to %s yuan, owed are %s", yuan(s.settlement.Net), yuan(s.owed()))
	}
	return "¥" + yuan(s.settlement.Net), s.do(s.reviewer, "POST", path+"/review", body, nil)
}

// payOut is the third person.
func (s *script) payOut() (string, error) {
	if s.settlement.ID == "" {
		return "", errors.New("there is no settlement to pay")
	}
	var payout idOf
	if err := s.do(s.cashier, "POST", "/v1/payouts", map[string]any{"settlement_id": s.settlement.ID}, &payout); err != nil {
		return "", err
	}
	if err := s.do(s.cashier, "POST", "/v1/payouts/"+payout.ID+"/pay", map[string]any{}, nil); err != nil {
		return "", err
	}
	return payout.ID, s.until("the payout to be booked", func() (bool, error) {
		err := s.do(s.cashier, "GET", "/v1/settlements/"+s.settlement.ID, nil, &s.settlement)
		return s.settlement.Status == "paid", err
	})
}

// files fetches what was sealed and compares it.
func (s *script) files() (string, error) {
	if len(s.settlement.Files) == 0 {
		return "", errors.New("the settlement has no files")
	}
	c := &client{url: home, key: s.preparer}
	c.http.Transport = inside{s.shop().handler}
	var names []string
	for _, f := range s.settlement.Files {
		body, err := c.send(s.ctx, "GET", "/v1/settlements/"+s.settlement.ID+"/files/"+f.Name, nil, "")
		if err != nil {
			return "", err
		}
		if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != f.SHA256 {
			return "", fmt.Errorf("%s does not have the sealed SHA-256", f.Name)
		}
		names = append(names, f.Name)
	}
	return strings.Join(names, ", "), nil
}

// verify waits for the queue to be empty and proves the stage's store.
func (s *script) verify() (string, error) {
	if err := s.until("the queue to be empty", func() (bool, error) { return s.house.idle(s.ctx) }); err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := prove(s.ctx, s.house.db, proving{}, &out); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out.String())
	}
	return fmt.Sprintf("%d proofs", strings.Count(out.String(), " holds ")), nil
}
