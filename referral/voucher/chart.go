package voucher

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/wallet"
)

// Chart is a version of the mapping; number 0 is the house's own.
type Chart struct {
	No     int         `json:"no"`
	Rules  []Rule      `json:"rules" gorm:"-"`
	MadeBy id.Staff    `json:"made_by"`
	MadeAt clock.Milli `json:"made_at"`
}

// Rule gives an account to movements; what it leaves empty is any. The first
// rule that fits counts.
type Rule struct {
	Kind      string `json:"kind"`
	PayeeType string `json:"payee_type"`
	Stage     string `json:"stage"`
	OwnerKind string `json:"owner_kind"`
	Code      string `json:"code"`
	Title     string `json:"title"`
}

func (r Rule) fits(l Line) bool {
	is := func(rule, line string) bool { return rule == "" || rule == line }
	return is(r.Kind, l.Kind) && is(r.PayeeType, l.PayeeType) && is(r.Stage, l.Stage) && is(r.OwnerKind, l.OwnerKind)
}

func (c Chart) rule(l Line) (Rule, bool) {
	for _, r := range c.Rules {
		if r.fits(l) {
			return r, true
		}
	}
	return Rule{}, false
}

//go:embed chart.json
var ownChart []byte

// house is read once; the file is part of the program, so an error in it is
// one of the programmer.
var house = func() (rules []Rule) {
	if err := json.Unmarshal(ownChart, &rules); err != nil {
		panic("voucher: chart.json: " + err.Error())
	}
	return rules
}()

// ChartIn is a new mapping.
type ChartIn struct {
	Rules []Rule `json:"rules"`
}

var codeForm = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$`)

// Validate wants a code that every program takes, and a title.
func (in *ChartIn) Validate() error {
	var c fault.Check
	c.That(len(in.Rules) > 0 && len(in.Rules) <= 200, "rules", "range", "应有 1 到 200 条规则", "there must be 1 to 200 rules")
	for i, r := range in.Rules {
		at := fmt.Sprintf("rules[%d].", i)
		c.That(codeForm.MatchString(r.Code), at+"code", "format", "应为字母、数字、点、横线组成的科目编码", "must be an account code of letters, digits, dots and dashes")
		c.Required(r.Title, at+"title")
		c.Length(r.Title, at+"title", 64)
		c.Length(r.Kind, at+"kind", 32)
		c.Length(r.PayeeType, at+"payee_type", 16)
		c.Length(r.Stage, at+"stage", 16)
		c.Length(r.OwnerKind, at+"owner_kind", 16)
	}
	return c.Err()
}

// Chart is the mapping in force.
func (s *Service) Chart(ctx context.Context) (Chart, error) {
	if err := wallet.SeesBooks(ctx); err != nil {
		return Chart{}, err
	}
	return chartUpto(s.DB.Read(ctx), math.MaxInt32)
}

// chartUpto is the newest mapping up to a number.
func chartUpto(q *database.Query, most int) (Chart, error) {
	var c Chart
	if err := q.Raw("SELECT no, made_by, made_at FROM voucher_charts WHERE no <= ? ORDER BY no DESC LIMIT 1", most).Scan(&c).Error; err != nil {
		return c, fmt.Errorf("voucher: chart: %w", err)
	}
	if c.No == 0 {
		c.Rules = house
		return c, nil
	}
	err := q.Raw("SELECT kind, payee_type, stage, owner_kind, code, title FROM voucher_rules WHERE chart_no = ? ORDER BY rule_no", c.No).Scan(&c.Rules).Error
	return c, err
}

// SetChart puts a new version of the mapping in force; sets made before keep
// theirs.
func (s *Service) SetChart(ctx context.Context, in ChartIn) error {
	if err := wallet.SeesBooks(ctx); err != nil {
		return err
	}
	if err := in.Validate(); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *database.Tx) error {
		var last int
		if err := tx.Raw("SELECT COALESCE(MAX(no), 0) FROM voucher_charts").Scan(&last).Error; err != nil {
			return err
		}
		no := last + 1
		err := tx.Exec("INSERT INTO voucher_charts (no, made_by, made_at) VALUES (?, ?, ?)", no, tx.Actor.Staff, tx.Now).Error
		if database.IsDuplicate(err) {
			return ErrChart
		}
		if err != nil {
			return fmt.Errorf("voucher: chart %d: %w", no, err)
		}
		for i, r := range in.Rules {
			err := tx.Exec("INSERT INTO voucher_rules (chart_no, rule_no, kind, payee_type, stage, owner_kind, code, title) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				no, i+1, r.Kind, r.PayeeType, r.Stage, r.OwnerKind, r.Code, r.Title).Error
			if err != nil {
				return fmt.Errorf("voucher: chart %d: %w", no, err)
			}
		}
		tx.SetResult("voucher_chart", int64(no), http.StatusOK)
		return database.AuditTx(tx, "voucher.chart", chartName(no), nil, in)
	})
}

// ErrChart refuses a twin that changed the chart at the same moment.
var ErrChart = fault.New(fault.KindConflict, "voucher.chart", "科目对照刚被他人修改，请重新读取", "somebody changed the chart a moment ago; read it again")

// chartName is a chart in the audit.
type chartName int

// String is like chart_2.
func (n chartName) String() string { return fmt.Sprintf("chart_%d", int(n)) }
