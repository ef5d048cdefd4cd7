// Package flashsale is the kind flash_sale: items at a campaign price within a
// window, first come first served, with limits per member. It holds nothing
// but stock, so the kind is only its rules. Called by main, which registers
// it; owns no table.
package flashsale

import (
	"encoding/json"

	"siyu/campaign"
	"siyu/internal/fault"
)

// Kind is the kind as main registers it.
func Kind() campaign.Kind {
	return campaign.Kind{Name: "flash_sale", Rules: rules, Claimable: true}
}

// rules accepts no field yet: sessions and waiting lists come with a later
// release and are refused rather than ignored.
func rules(raw json.RawMessage) (json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if len(raw) > 0 && json.Unmarshal(raw, &fields) != nil {
		return nil, fault.Invalid.Field("rules", "format", "应为对象", "must be an object")
	}
	f := fault.NotYet
	for name := range fields {
		f = f.Field("rules."+name, "not_yet", "暂不支持", "is not supported yet")
	}
	if len(f.Fields) > 0 {
		return nil, f
	}
	return json.RawMessage("{}"), nil
}
