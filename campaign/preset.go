package campaign

import (
	_ "embed"
	"encoding/json"
	"sync"

	"siyu/internal/clock"
	"siyu/internal/fault"
)

// The templates the house brings along. They have no items, because products
// are the brand's: a draft of one names them.
//
//go:embed presets.json
var presetsFile []byte

var presets = sync.OnceValue(func() []Template {
	var list []Template
	if err := json.Unmarshal(presetsFile, &list); err != nil {
		panic(err) // a mistake in the binary
	}
	for i := range list {
		list[i].Plan.Zone = clock.Shanghai
		list[i].Plan.Items = []ItemIn{}
	}
	return list
})

// Presets are the templates the house brings along.
func Presets() []Template { return presets() }

// ErrPreset refuses to take away what the house brings along.
var ErrPreset = fault.New(fault.KindConflict, "template.preset", "内置模板不能删除", "a template of the house cannot be taken away")

func preset(code string) (Template, error) {
	for _, t := range presets() {
		if t.Code == code {
			return t, nil
		}
	}
	return Template{}, fault.NotFound
}
