package web

import (
	"cmp"
	"context"
	"strconv"

	"siyu/campaign"
	"siyu/campaign/guard"
	"siyu/campaign/material"
	"siyu/community"
	"siyu/internal/id"
)

// pricesAsked are prices under their floor.
func (s *Server) pricesAsked(ctx context.Context, a asking) ([]approvalCard, string, error) {
	list, err := s.Campaign.ListAskedPrices(ctx, a.page)
	var cards []approvalCard
	for _, x := range list.Items {
		cards = append(cards, priceCard(a, x))
	}
	return cards, list.NextCursor, err
}

func priceCard(a asking, x campaign.AskedPrice) approvalCard {
	say := func(zh, en string) string { return choose(a.lang, zh, en) }
	return approvalCard{ID: x.ID.String(), Of: x.CampaignID.String(), Seen: x.Digest, Name: clean(x.Product) + " " + clean(x.SKU), Why: cleanLong(x.Reason),
		by: x.AskedBy, At: x.AskedAt.Time().In(shop), Own: x.AskedBy == a.me,
		What: []figure{{say("想卖", "asked for"), cny(x.Price)}, {say("底价", "floor"), cny(x.FloorPrice)}, {say("成本", "cost"), cny(x.Cost)},
			{say("现在活动价", "price now"), cny(x.Now)}, {say("原价", "list price"), cny(x.ListPrice)}, {say("活动", "campaign"), clean(x.Campaign)}}}
}

func (s *Server) approvePrice(ctx context.Context, d decision) error {
	return s.decidePrice(ctx, d, campaign.PriceDecision{To: campaign.ApprovalApproved, Digest: d.Seen})
}

func (s *Server) refusePrice(ctx context.Context, d decision) error {
	return s.decidePrice(ctx, d, campaign.PriceDecision{To: campaign.ApprovalRejected, Refusal: d.Reason})
}

func (s *Server) decidePrice(ctx context.Context, d decision, word campaign.PriceDecision) error {
	var of id.Campaign
	if err := read(d.Of, &of); err != nil {
		return err
	}
	var which id.PriceApproval
	if err := read(d.ID, &which); err != nil {
		return err
	}
	return s.Campaign.DecidePrice(ctx, of, which, word)
}

// materialsAsked are drafts of what ads would show, with the words in them to
// be weighed.
func (s *Server) materialsAsked(ctx context.Context, a asking) ([]approvalCard, string, error) {
	list, err := s.Material.List(ctx, material.Filter{Status: material.StatusDraft}, a.page)
	if err != nil {
		return nil, "", err
	}
	var cards []approvalCard
	for _, row := range list.Items {
		x, err := s.Material.Look(ctx, row.ID)
		if err != nil {
			return nil, "", err
		}
		cards = append(cards, materialCard(a, x))
	}
	return cards, list.NextCursor, nil
}

func materialCard(a asking, x material.Looked) approvalCard {
	card := approvalCard{ID: x.ID.String(), Seen: strconv.Itoa(x.Version), Name: clean(x.Name), by: x.CreatedBy, At: x.CreatedAt.Time().In(shop), Own: x.CreatedBy == a.me}
	kind, _ := word(a.lang, materialWords, x.Kind)
	card.What = []figure{{choose(a.lang, "种类", "kind"), kind}, {choose(a.lang, "广告主", "sponsor"), clean(x.Sponsor)}}
	for _, v := range x.Variants {
		text := cleanLong(choose(a.lang, v.TextZH, cmp.Or(v.TextEN, v.TextZH)))
		for _, part := range []string{clean(choose(a.lang, v.TitleZH, cmp.Or(v.TitleEN, v.TitleZH))), clean(v.Link), clean(v.AppPath)} {
			if part != "" {
				text += " · " + part
			}
		}
		if v.PictureID != 0 {
			text += " · " + choose(a.lang, "图片 %s", "picture %s", v.PictureID)
		}
		card.Texts = append(card.Texts, text)
	}
	for _, f := range x.Findings {
		card.What = append(card.What, figure{choose(a.lang, "须斟酌", "to be weighed"), cleanLong(choose(a.lang, f.ReasonZH, f.ReasonEN))})
	}
	return card
}

var materialWords = map[material.Kind]pair{
	material.KindText: {"文字", "text", ""}, material.KindPicture: {"图片", "picture", ""}, material.KindLink: {"链接", "link", ""}, material.KindCard: {"小程序卡片", "mini program card", ""},
}

func (s *Server) approveMaterial(ctx context.Context, d decision) error {
	var which id.Material
	if err := read(d.ID, &which); err != nil {
		return err
	}
	seen, err := strconv.Atoi(d.Seen)
	if err != nil || seen < 1 {
		return errForm
	}
	return s.Material.Approve(ctx, which, seen)
}

func (s *Server) refuseMaterial(ctx context.Context, d decision) error {
	var which id.Material
	if err := read(d.ID, &which); err != nil {
		return err
	}
	return s.Material.Withdraw(ctx, which, material.WithdrawIn{Refusal: d.Reason})
}

// permitsAsked are overrides, passes and advances that may still be used.
func (s *Server) permitsAsked(ctx context.Context, a asking) ([]approvalCard, string, error) {
	list, err := s.Guard.ListPermits(ctx, guard.PermitFilter{Asked: true}, a.page)
	if err != nil {
		return nil, "", err
	}
	var cards []approvalCard
	for _, row := range list.Items {
		x, err := s.Guard.FindPermit(ctx, row.ID) // with its groups
		if err != nil {
			return nil, "", err
		}
		groups, err := community.GroupsIn(s.DB.Read(ctx), x.Groups)
		if err != nil {
			return nil, "", err
		}
		card := permitCard(a, x, groups)
		if x.PromotionID != 0 {
			p, err := s.Promotion.Find(ctx, x.PromotionID)
			if err != nil {
				return nil, "", err
			}
			card.What = append(card.What, figure{choose(a.lang, "放行的推送", "for the promotion"), clean(p.Name)})
		}
		cards = append(cards, card)
	}
	return cards, list.NextCursor, nil
}

// groupsNamed is how many groups of a permit a card names.
const groupsNamed = 5

func permitCard(a asking, x guard.Permit, groups map[id.Group]community.Group) approvalCard {
	names, more := "", len(x.Groups)-groupsNamed
	for i, g := range x.Groups[:min(len(x.Groups), groupsNamed)] {
		if i > 0 {
			names += choose(a.lang, "、", ", ")
		}
		names += clean(groups[g].Name)
	}
	if more > 0 {
		names += choose(a.lang, " 等 %d 个群", ", %d groups in all", len(x.Groups))
	}
	from, to := x.From.Time().In(shop), x.To.Time().In(shop)
	return approvalCard{ID: x.ID.String(), Name: permitName(a.lang, x.Kind), Why: cleanLong(x.Reason), by: x.CreatedBy, At: x.CreatedAt.Time().In(shop), Own: x.CreatedBy == a.me,
		What: []figure{{choose(a.lang, "群", "groups"), names}, {choose(a.lang, "时段", "when"), moment(a.lang, from, from) + " – " + moment(a.lang, from, to)}}}
}

func (s *Server) approvePermit(ctx context.Context, d decision) error {
	var which id.Permit
	if err := read(d.ID, &which); err != nil {
		return err
	}
	return s.Guard.ApprovePermit(ctx, which)
}

func (s *Server) refusePermit(ctx context.Context, d decision) error {
	var which id.Permit
	if err := read(d.ID, &which); err != nil {
		return err
	}
	return s.Guard.RevokePermit(ctx, which, guard.RevokeIn{Refusal: d.Reason})
}
