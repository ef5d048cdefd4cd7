package main

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"siyu/referral"
)

// invitation lets a member who bought before share his code.
func (s *story) invitation() error {
	s.step("A member who tried the apples shares them 每人一码")
	first, err := s.claim(s.members[100], "/v1/campaigns/"+s.flash+"/claims", map[string]any{"item_id": s.flashItem})
	if err != nil {
		return err
	}
	if err := s.pay(first); err != nil {
		return err
	}
	s.printf("    %s bought and paid %s: only who has an order of his own may earn by inviting\n", s.who(100), yuan(first.Amount))
	token, err := s.tokenOf(s.members[100])
	if err != nil {
		return err
	}
	body := map[string]any{"program_id": s.program, "campaign_id": s.flash, "group_id": s.healthy, "channel": "group"}
	if err := s.show(token, "POST", "/v1/codes", body, &s.code, func() string { return s.code.Code + "  " + s.code.URL }); err != nil {
		return err
	}
	picture, err := s.as(token).send(s.ctx, "GET", "/v1/codes/"+s.code.Code+"/qr.png", nil, "")
	if err != nil {
		return err
	}
	path := filepath.Join(s.folder, "invite.png")
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		return err
	}
	text, err := s.houses[0].referral.QRText(referral.Code{Code: s.code.Code})
	if err != nil {
		return err
	}
	s.printf("    %s (%d bytes); scan it:\n%s", path, len(picture), indent(text))
	return nil
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)"`)

// scan is an invited friend opening the page a QR opens and buying on it.
func (s *story) scan() error {
	s.step("A friend scans, reads the page and the group's charter, and buys on the phone 扫码下单")
	token, err := s.tokenOf(s.members[101])
	if err != nil {
		return err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	phone := &http.Client{Jar: jar, Timeout: 30 * time.Second}
	address := s.code.URL + "?token=" + url.QueryEscape(token)
	s.printf("    → GET %s?token=…\n", s.code.URL)
	page, _, err := fetch(phone.Get(address))
	if err != nil {
		return err
	}
	text := readable(page)
	for _, line := range []string{"红富士", "群约定", "你（被邀请） ¥3 "} {
		if !strings.Contains(text, line) {
			return fmt.Errorf("the page of %s does not say %q", s.code.URL, line)
		}
	}
	s.printf("    ← the page shows the apples, what both sides get (the friend ¥3), and the group's charter\n")
	form := url.Values{}
	form.Set("qty", "1")
	for _, m := range hidden.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	s.printf("    → POST %s/claim (the page's form)\n", s.code.URL)
	_, at, err := fetch(phone.PostForm(s.code.URL+"/claim", form))
	if err != nil {
		return err
	}
	order := at[strings.LastIndexByte(at, '/')+1:]
	s.printf("    ← sent on to %s\n", at)
	var o orderView
	if err := s.do(s.mall, "GET", "/v1/orders/"+order, nil, &o); err != nil {
		return err
	}
	if err := s.pay(o); err != nil {
		return err
	}
	s.orders = append(s.orders, o.ID)
	return s.showRewards("paid: both sides are promised their reward, reserved in the budget, to be cleared later")
}

var (
	tags   = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`\s+`)
)

// readable is the text of a page; a price is one word of it.
func readable(page string) string {
	text := blanks.ReplaceAllString(tags.ReplaceAllString(page, " "), " ")
	return strings.ReplaceAll(html.UnescapeString(text), "¥ ", "¥")
}

// fetch reads a page and where redirects led.
func fetch(res *http.Response, err error) (body, at string, _ error) {
	if err != nil {
		return "", "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", "", err
	}
	at = res.Request.URL.String()
	if res.StatusCode >= 400 {
		return "", at, fmt.Errorf("%s answered %s", at, res.Status)
	}
	return string(b), at, nil
}

type rewardList struct {
	Items []struct {
		ID        string    `json:"id"`
		Side      string    `json:"side"`
		Amount    int64     `json:"amount_fen"`
		Net       int64     `json:"net_fen"`
		State     string    `json:"state"`
		MaturesAt time.Time `json:"matures_at"`
	} `json:"items"`
}

func (s *story) showRewards(why string) error {
	var list rewardList
	if err := s.do(s.preparer, "GET", "/v1/rewards?limit=200", nil, &list); err != nil {
		return err
	}
	sums := map[string]int64{}
	count := map[string]int{}
	for _, r := range list.Items {
		sums[r.State] += r.Net
		count[r.State]++
	}
	s.printf("    ← %s\n", why)
	for _, state := range []string{"pending", "cleared", "voided", "clawed_back"} {
		if count[state] > 0 {
			s.printf("      %-11s %3d rewards, %8s yuan\n", state, count[state], yuan(sums[state]))
		}
	}
	return nil
}

// rush lets 60 members claim at once for what is left.
func (s *story) rush() error {
	s.step("60 members claim in the same second; 28 pieces are left 抢购")
	var mu sync.Mutex
	var wg sync.WaitGroup
	answers := map[string]int{}
	var bought []orderView
	var failed error
	for n := 110; n < 170; n++ {
		token, err := s.tokenOf(s.members[n])
		if err != nil {
			return err
		}
		c := s.as(token)
		wg.Go(func() {
			var o orderView
			err := c.call(s.ctx, "POST", "/v1/campaigns/"+s.flash+"/claims", map[string]any{"item_id": s.flashItem, "code": s.code.Code}, &o)
			mu.Lock()
			defer mu.Unlock()
			if p, ok := err.(*problem); ok {
				answers[p.Code]++
				return
			}
			if err != nil {
				failed = err
				return
			}
			answers["granted"]++
			bought = append(bought, o)
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	for _, o := range bought {
		if err := s.pay(o); err != nil {
			return err
		}
		s.orders = append(s.orders, o.ID)
	}
	var c campaignView
	if err := s.do(s.marketer, "GET", "/v1/campaigns/"+s.flash, nil, &c); err != nil {
		return err
	}
	i := c.Items[0]
	s.printf("    ← granted %d, sold out %d; the item: %d left + %d held + %d sold = %d\n",
		answers["granted"], answers["campaign.sold_out"], i.Left, i.Held, i.Sold, i.Stock)
	return s.showRewards("every buyer came by the code:")
}

// fillTeam forms a group-buy team.
func (s *story) fillTeam() error {
	s.step("A group-buy of three fills and forms; the fourth is refused 三人成团")
	opened, err := s.claim(s.members[200], "/v1/campaigns/"+s.team+"/teams", map[string]any{"item_id": s.teamItem, "team_size": 3})
	if err != nil {
		return err
	}
	s.printf("    %s opens %s, of three: %s yuan each\n", s.who(200), opened.TeamID, yuan(opened.Amount))
	orders := []orderView{opened}
	for n := 201; n < 203; n++ {
		o, err := s.claim(s.members[n], "/v1/teams/"+opened.TeamID+"/join", map[string]any{})
		if err != nil {
			return err
		}
		orders = append(orders, o)
	}
	token, err := s.tokenOf(s.members[203])
	if err != nil {
		return err
	}
	if err := s.refused(token, "POST", "/v1/teams/"+opened.TeamID+"/join", map[string]any{}, "groupbuy.team_full"); err != nil {
		return err
	}
	for _, o := range orders {
		if err := s.pay(o); err != nil {
			return err
		}
	}
	s.formed = opened.TeamID
	return s.showTeam(opened.TeamID)
}

func (s *story) showTeam(team string) error {
	var t struct {
		Status string `json:"status"`
		Size   int    `json:"size"`
		Paid   int    `json:"paid_seats"`
	}
	if err := s.do(s.marketer, "GET", "/v1/teams/"+team, nil, &t); err != nil {
		return err
	}
	s.printf("    ← %s %s, %d of %d paid\n", team, t.Status, t.Paid, t.Size)
	return nil
}

// failTeam lets a team run out of time.
func (s *story) failTeam() error {
	s.step("A team that does not fill fails at its deadline; its payer is refunded 未成团自动退款")
	opened, err := s.claim(s.members[210], "/v1/campaigns/"+s.team+"/teams", map[string]any{"item_id": s.teamItem, "team_size": 5})
	if err != nil {
		return err
	}
	s.printf("    %s opens %s, of five, three of whom would do: %s yuan for the opener\n", s.who(210), opened.TeamID, yuan(opened.Amount))
	if err := s.pay(opened); err != nil {
		return err
	}
	if err := s.jump(2*time.Hour+time.Minute, "past the team's deadline"); err != nil {
		return err
	}
	var o orderView
	err = s.until("the team to fail", func() (bool, error) {
		err := s.do(s.mall, "GET", "/v1/orders/"+opened.ID, nil, &o)
		return len(o.Refunds) > 0, err
	})
	if err != nil {
		return err
	}
	if err := s.showTeam(opened.TeamID); err != nil {
		return err
	}
	r := o.Refunds[0]
	s.printf("    ← refund %s of %s yuan requested from the mall, reason %s\n", r.RefundNo, yuan(r.Amount), r.Reason)
	body := map[string]any{"refund_no": r.RefundNo, "amount_fen": r.Amount, "goods_fen": r.Amount}
	return s.show(s.mall, "POST", "/v1/orders/"+opened.ID+"/refunds", body, &o, func() string { return "order " + o.Status })
}
