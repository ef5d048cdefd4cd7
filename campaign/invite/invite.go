// Package invite is the kind referral (邀请有礼): members bring others, and the
// campaign's program says who is rewarded for what. Nothing is claimed in it;
// invite codes of the campaign lead to its page, and the rewards are the
// referral room's. Called by main, which registers it; owns no table.
package invite

import (
	"encoding/json"

	"siyu/campaign"
	"siyu/internal/fault"
)

// Kind is the kind as main registers it.
func Kind() campaign.Kind { return campaign.Kind{Name: "referral", Rules: rules} }

// rules accepts no field yet: steps and leaderboards are refused rather than
// ignored.
func rules(raw json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &fields) != nil {
		return nil, fault.Invalid.Field("rules", "format", "应为对象", "must be an object")
	}
	if len(fields) > 0 {
		return nil, fault.NotYet.Field("rules", "not_yet", "暂不支持阶梯和榜单", "steps and leaderboards are not supported yet")
	}
	return json.RawMessage("{}"), nil
}
