package api

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"siyu/internal/database"
	"siyu/internal/fault"
	"siyu/internal/id"
	"siyu/wallet"
)

func (s *Server) listAccounts(c *gin.Context) error {
	p, err := page(c)
	if err != nil {
		return err
	}
	f := wallet.AccountFilter{Stage: wallet.Stage(c.Query("stage"))}
	if c.Query("owner_id") != "" {
		if f.Owner, err = ownerNamed(c.Query("owner_id")); err != nil {
			return err
		}
		if err := s.seesOwner(c, f.Owner); err != nil {
			return err
		}
	}
	list, err := s.Wallet.ListAccounts(c.Request.Context(), f, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, list)
}

// ownerNamed is the owner of accounts that a public id or `brand` means.
func ownerNamed(text string) (wallet.Owner, error) {
	prefix, _, _ := strings.Cut(text, "_")
	switch prefix {
	case "mem":
		m, err := readID[id.Member]("owner_id", text)
		return wallet.Member(m), err
	case "prg":
		p, err := readID[id.Program]("owner_id", text)
		return wallet.Program(p), err
	case "cmp":
		g, err := readID[id.Campaign]("owner_id", text)
		return wallet.Campaign(g), err
	case "brand":
		return wallet.Brand(), nil
	}
	return wallet.Owner{}, fault.Invalid.Field("owner_id", "format", "应为会员、方案、活动的编号或 brand", "must be the id of a member, program or campaign, or brand")
}

// seesOwner refuses what the caller's units do not hold, as the room of the
// owner says. A merged member's old accounts are seen by who sees what he
// became.
func (s *Server) seesOwner(c *gin.Context, o wallet.Owner) error {
	ctx := c.Request.Context()
	var err error
	switch o.Kind {
	case wallet.OwnerMember:
		_, err = s.Community.FindMember(ctx, id.Member(o.ID))
	case wallet.OwnerProgram:
		_, err = s.Referral.FindProgram(ctx, id.Program(o.ID))
	case wallet.OwnerCampaign:
		_, err = s.Campaign.FindCampaign(ctx, id.Campaign(o.ID))
	default:
		if database.ActorOf(ctx).Units != nil {
			err = fault.NotFound
		}
	}
	return err
}

// accountNamed is the account in the path, if the caller sees its owner, and
// the period asked for.
func (s *Server) accountNamed(c *gin.Context) (id.Account, wallet.Period, error) {
	var over wallet.Period
	aid, err := pathID[id.Account](c, "id")
	if err != nil {
		return 0, over, err
	}
	a, err := s.Wallet.FindAccount(c.Request.Context(), aid)
	if err != nil {
		return 0, over, err
	}
	if err := s.seesOwner(c, a.Owner); err != nil {
		return 0, over, err
	}
	var from, until error
	over.From, from = queryTime(c, "from")
	over.Until, until = queryTime(c, "until")
	if err := errors.Join(from, until); err != nil {
		return 0, over, err
	}
	return aid, over, over.Validate()
}

func (s *Server) accountStatement(c *gin.Context) error {
	aid, over, err := s.accountNamed(c)
	if err != nil {
		return err
	}
	p, err := page(c)
	if err != nil {
		return err
	}
	st, err := s.Wallet.Statement(c.Request.Context(), aid, over, p)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, st)
}

func (s *Server) accountStatementCSV(c *gin.Context) error {
	aid, over, err := s.accountNamed(c)
	if err != nil {
		return err
	}
	mark, err := byteOrder(c)
	if err != nil {
		return err
	}
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+aid.String()+`-statement.csv"`)
	c.Header("Cache-Control", "private, no-store")
	c.Status(http.StatusOK)
	if err := s.Wallet.WriteStatement(c.Request.Context(), aid, over, c.Writer, mark); err != nil {
		panic(http.ErrAbortHandler) // the head has gone out
	}
	return nil
}
