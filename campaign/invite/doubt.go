package invite

import (
	"encoding/json"
	"fmt"

	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral"
)

// doubtedTx says that too few of those whom a step counts are beyond doubt:
// the fraud review has stopped or refused what the invitations of the others
// earned their inviter. The step waits for its people's word, or for more
// invitees; where nothing is doubted it is given as ever.
func doubtedTx(tx *database.Tx, w Reward, inviter id.Member) (bool, error) {
	doubted, err := referral.Doubted(tx.DB, inviter)
	if err != nil || len(doubted) == 0 {
		return false, err
	}
	step, err := stepOf(tx.DB, w)
	if err != nil {
		return false, err
	}
	var rows []invitee
	err = tx.Raw("SELECT * FROM invitees WHERE campaign_id = ? AND inviter_id = ? AND void = 0", w.CampaignID, inviter).Scan(&rows).Error
	if err != nil {
		return false, fmt.Errorf("invite: invitees of %s: %w", inviter, err)
	}
	clear, stopped := 0, 0
	for _, x := range rows {
		if counts := x.Bought && step.Kind == StepBought || x.Stayed && step.Kind == StepStayed; !counts {
			continue
		}
		if doubted[x.BindingID] {
			stopped++
		} else {
			clear++
		}
	}
	return stopped > 0 && clear < step.Count, nil
}

// stepOf is the step that a reward was reached by.
func stepOf(q *database.Query, w Reward) (Step, error) {
	var text string
	if err := q.Raw("SELECT rules FROM campaigns WHERE id = ?", w.CampaignID).Row().Scan(&text); err != nil {
		return Step{}, fmt.Errorf("invite: rules of %s: %w", w.CampaignID, err)
	}
	var r Rules
	if err := json.Unmarshal([]byte(text), &r); err != nil || w.Step < 1 || w.Step > len(r.Steps) {
		return Step{}, fmt.Errorf("invite: step %d of %s: %w", w.Step, w.CampaignID, err)
	}
	return r.Steps[w.Step-1], nil
}
