package referral

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"siyu/community"
	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/id"
	"siyu/referral/promoter"
)

// credited is why a binding is whose it is.
type credited struct {
	Rule      Wins
	TouchID   id.Touch
	TouchedAt clock.Milli
	TouchDays int
	Weighed   int `gorm:"column:weighed_qty"`
}

// scansMost is how many scans of one person are weighed, from the end that the
// rule looks at.
const scansMost = 200

// creditTx finds the inviter to whom an act is credited. The rules that the
// page showed decide which scan wins; the winner is promised what the page of
// his own scan showed.
func (s *Service) creditTx(tx *database.Tx, b binding, rules Rules) (binding, Rules, error) {
	a := rules.Attribution
	b.credited = credited{Rule: a.rule(), TouchDays: a.TouchDays}
	if a.TouchDays == 0 {
		return b, rules, nil
	}
	scans, programs, err := s.scansOf(tx, b, rules)
	if err != nil {
		return b, rules, err
	}
	won, weighed, ok := a.Credit(scans, tx.Now)
	if !ok {
		return b, rules, cmp.Or(mayInvite(tx.DB, rules, b.InviterID), error(ErrPage))
	}
	b.TouchID, b.TouchedAt, b.Weighed = won.Touch, won.At, weighed
	if won.Code == b.CodeID && won.Version == b.ProgramVersion {
		return b, rules, nil
	}
	p := programs[won.Code]
	b.CodeID, b.InviterID, b.GroupID, b.ProgramID, b.ProgramVersion, b.PageAt = won.Code, won.Inviter, p.GroupID, p.ProgramID, won.Version, 0
	rules, err = rulesOf(tx.DB, b.ProgramID, b.ProgramVersion)
	return b, rules, err
}

// scansOf are the invitee's scans in the binding's scope, under whichever id he
// had then, of codes that still work in programs that run, of others who may
// invite now. The page acted on is one of them, noted or not.
func (s *Service) scansOf(tx *database.Tx, b binding, rules Rules) ([]Scan, map[id.Code]Code, error) {
	a := rules.Attribution
	was, err := community.MergedInto(tx.DB, []id.Member{b.InviteeID})
	if err != nil {
		return nil, nil, err
	}
	order := "t.at, t.id"
	if a.rule() == WinsLast {
		order = "t.at DESC, t.id DESC"
	}
	var list []Scan
	err = tx.Raw(`SELECT t.id AS touch, t.code_id AS code, t.rules_version AS version, t.at
		FROM touches t JOIN codes c ON c.id = t.code_id JOIN programs p ON p.id = c.program_id
		WHERE t.visitor_id IN ? AND t.at > ? AND t.rules_version > 0 AND p.scope = ? AND p.status = ? ORDER BY `+order+" LIMIT ?",
		append(was[b.InviteeID], b.InviteeID), tx.Now.Add(-days(a.TouchDays)), b.Scope, ProgramActive, scansMost).Scan(&list).Error
	if err != nil {
		return nil, nil, fmt.Errorf("referral: scans of %s: %w", b.InviteeID, err)
	}
	shown := b.PageAt
	if shown == 0 {
		shown = tx.Now // he named the code himself
	}
	noted := slices.ContainsFunc(list, func(x Scan) bool { return x.Code == b.CodeID && near(x.At, shown) })
	if !noted {
		list = append(list, Scan{Code: b.CodeID, Version: b.ProgramVersion, At: shown})
	}
	codes, err := s.working(tx, list)
	if err != nil {
		return nil, nil, err
	}
	var inviters []id.Member
	for _, c := range codes {
		inviters = append(inviters, c.InviterID)
	}
	standing, err := promoter.StandingIn(tx.DB, inviters)
	if err != nil {
		return nil, nil, err
	}
	list = slices.DeleteFunc(list, func(x Scan) bool {
		c, works := codes[x.Code]
		return !works || c.InviterID == b.InviteeID || rules.admits(standing[c.InviterID]) != nil
	})
	for i := range list {
		list[i].Inviter = codes[list[i].Code].InviterID
	}
	return list, codes, nil
}

// near says whether a page and a scan may be of the same opening.
func near(scan, page clock.Milli) bool {
	return scan >= page.Add(-touchWithin) && scan <= page.Add(touchWithin)
}

// working are the codes scanned that still work, or lead on to one that does.
func (s *Service) working(tx *database.Tx, scans []Scan) (map[id.Code]Code, error) {
	ids := make([]id.Code, len(scans))
	for i, x := range scans {
		ids[i] = x.Code
	}
	slices.Sort(ids)
	var rows []Code
	if err := tx.Raw("SELECT "+codeColumns+" FROM codes WHERE id IN ?", slices.Compact(ids)).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("referral: codes scanned: %w", err)
	}
	out := make(map[id.Code]Code, len(rows))
	for _, c := range rows {
		to, err := s.follow(tx.DB, c)
		switch {
		case errors.Is(err, ErrCode): // it leads nowhere
			continue
		case err != nil:
			return nil, err
		}
		if to.at(tx.Now).Status == CodeLive {
			out[c.ID] = to
		}
	}
	return out, nil
}
