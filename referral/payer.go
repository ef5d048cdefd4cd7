package referral

import (
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/referral/payee"
)

// PayerOf is SQL for who pays a row of rewards or clearings: what was written
// on it when it was earned, which is its campaign's payer where its program
// names none, else its program's for life; 0 is the default payer.
func PayerOf(row string) string {
	return "COALESCE(NULLIF(" + row + ".payer_id, 0), (SELECT pg.payer_id FROM programs pg WHERE pg.id = " + row + ".program_id))"
}

// payerTx is the payer to be written on what an act earns by a program: the
// campaign's, if the program names none and it pays for the program's unit,
// whose settlements will hold the reward; else none.
func payerTx(tx *database.Tx, p id.Program, ofCampaign id.Payer) (id.Payer, error) {
	if ofCampaign == 0 {
		return 0, nil
	}
	var own Program
	if err := tx.Raw("SELECT unit_id, payer_id FROM programs WHERE id = ?", p).Scan(&own).Error; err != nil || own.PayerID != 0 {
		return 0, err
	}
	pays, err := payee.Pays(tx.DB, own.UnitID, ofCampaign)
	if !pays {
		ofCampaign = 0
	}
	return ofCampaign, err
}

// CampaignPayerTx refuses a payer of a campaign that does not pay for its unit
// or for its program's, or beside which the program names another: what one
// campaign earns by its program is paid by one.
func CampaignPayerTx(tx *database.Tx, unit id.Unit, p id.Program, named id.Payer) error {
	if named == 0 {
		return nil
	}
	if _, err := payee.PayerTx(tx, unit, named); err != nil || p == 0 {
		return err
	}
	var own Program
	if err := tx.Raw("SELECT unit_id, payer_id FROM programs WHERE id = ?", p).Scan(&own).Error; err != nil {
		return err
	}
	if own.PayerID != 0 && own.PayerID != named {
		return fault.Invalid.Field("payer_id", "conflict", "奖励方案的付款主体是 "+own.PayerID.String()+"；请填同一个、留空，或换一个方案",
			"the program's payer is "+own.PayerID.String()+"; name the same, leave it out, or choose another program")
	}
	_, err := payee.PayerTx(tx, own.UnitID, named)
	return err
}
