package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
)

// exportVouchers books a closed day and fetches its vouchers as a file, all or
// one payer's; or those of a settlement.
func exportVouchers(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("export vouchers", flag.ContinueOnError)
	flags.SetOutput(out)
	day := flags.Int("day", 0, "a closed day, like 20260301")
	payer := flags.String("payer", "", "what of the day this payer pays, like ent_…, or none: what is no payer's")
	settlement := flags.String("settlement", "", "what of the closed days is this settlement's, like stl_…, instead of a day")
	form := flags.String("form", "csv", "csv, kingdee_kis, yonyou_u8, or another of GET /v1/voucher-forms")
	args, err := parse(flags, args)
	if err != nil {
		return err
	}
	if (*day == 0) == (*settlement == "") || *payer != "" && *day == 0 {
		return errors.New("export vouchers (--day DAY [--payer PAYER] | --settlement SETTLEMENT) [--form FORM] [FOLDER]: name a closed day or a settlement")
	}
	folder := "."
	if len(args) > 0 {
		folder = args[0]
	}
	c, err := fromEnv()
	if err != nil {
		return err
	}
	at, name, of := "/v1/settlements/"+*settlement+"/vouchers", *settlement, url.Values{}
	var set struct {
		Lines int   `json:"line_count"`
		Debit int64 `json:"debit_fen"`
		Open  int   `json:"open_count"`
	}
	if *day != 0 {
		name = strconv.Itoa(*day)
		at = "/v1/ledger/closes/" + name + "/vouchers"
		if err := c.call(ctx, "POST", at, struct{}{}, &set); err != nil {
			return err
		}
	}
	if *payer != "" {
		of.Set("payer_id", *payer)
		name += "-" + *payer
	}
	if *day == 0 || *payer != "" {
		if err := c.call(ctx, "GET", at+"?"+of.Encode(), nil, &set); err != nil {
			return err
		}
	}
	var forms struct {
		Items []struct{ Name, Format string }
	}
	if err := c.call(ctx, "GET", "/v1/voucher-forms", nil, &forms); err != nil {
		return err
	}
	format := ""
	for _, f := range forms.Items {
		if f.Name == *form {
			format = f.Format
		}
	}
	if format == "" {
		return fmt.Errorf("there is no voucher form %q; see GET /v1/voucher-forms", *form)
	}
	of.Set("form", *form)
	raw, err := c.send(ctx, "GET", at+"/file?"+of.Encode(), nil, "")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	path := filepath.Join(folder, fmt.Sprintf("vouchers-%s-%s.%s", name, *form, format))
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "    %s  %d bytes; %d movements, debit = credit = %s; what meets on one account is netted in the file\n", path, len(raw), set.Lines, yuan(set.Debit))
	if set.Open > 0 {
		fmt.Fprintf(out, "    %d transfers are not in it yet: their day is not closed\n", set.Open)
	}
	return nil
}
