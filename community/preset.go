package community

import (
	"slices"
	"time"

	"siyu/internal/clock"
)

// Preset is the sort of group, which decides the charter it starts with and
// the guard's policy.
type Preset string

// The presets.
const (
	PresetInterest Preset = "interest" // 兴趣群
	PresetRetail   Preset = "retail"   // 电商快消群
	PresetBenefit  Preset = "benefit"  // 门店福利群
	PresetFlash    Preset = "flash"    // 快闪群
	PresetCourse   Preset = "course"   // 课程群
	PresetChain    Preset = "chain"    // 社区接龙群
	PresetCore     Preset = "core"     // 核心群
	PresetService  Preset = "service"  // 售后群
)

func presets() []string {
	return []string{string(PresetInterest), string(PresetRetail), string(PresetBenefit), string(PresetFlash),
		string(PresetCourse), string(PresetChain), string(PresetCore), string(PresetService)}
}

// flashLife is how long a flash group may promise to live.
const flashLife = 14 * 24 * time.Hour

// Known says whether there is such a preset.
func (p Preset) Known() bool { return slices.Contains(presets(), string(p)) }

// defaults is the charter a group of the preset starts with unless it brings
// its own.
func (p Preset) defaults(now clock.Milli) CharterIn {
	at := func(hour, minute int) int { return hour*60 + minute }
	of := func(purpose string, day, week, from, to int) CharterIn {
		return CharterIn{Purpose: purpose, AdsPerDay: day, AdsPerWeek: week, QuietFrom: from, QuietTo: to}
	}
	switch p {
	case PresetRetail:
		return of("分享好价和新品，只发值得看的", 1, 4, at(22, 0), at(8, 0))
	case PresetBenefit:
		return of("门店会员的福利：券、活动和到店通知", 3, 15, at(21, 30), at(7, 0))
	case PresetFlash:
		in := of("限时活动的临时群，结束即解散", 5, 25, at(22, 30), at(8, 0))
		in.EndsAt = now.Add(flashLife)
		return in
	case PresetCourse:
		return of("一起上课和答疑，课程后段才有推广", 2, 4, at(22, 30), at(8, 0))
	case PresetChain:
		return of("邻里拼单接龙，自愿参加", 3, 15, at(21, 30), at(6, 30))
	case PresetCore:
		return of("老朋友的小圈子，有活动先问大家意见", 1, 1, at(21, 30), at(9, 0))
	case PresetService:
		return of("售后与使用帮助，不做推广", 0, 0, at(22, 0), at(8, 0))
	}
	return of("因共同兴趣相聚，交流为主", 1, 2, at(22, 0), at(8, 30))
}
