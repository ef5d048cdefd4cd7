package payfile

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"siyu/internal/fault"
)

// somebody is a row with every field filled.
func somebody(line int, name string) Row {
	return Row{Line: line, BillNo: "P7L1", PayoutID: "pay_1", SettlementID: "stl_1", MemberID: "mem_1", Name: name, IDNo: "11010519491231002X", Phone: "13800000000",
		CardNo: "6222020000000000000", BankName: "招商银行", Branch: "望京支行", CNAPS: "308100005019", Alipay: "wang@example.com", AppID: "wx1", OpenID: "oA",
		NameHash: "h", IDMask: "****002X", Owed: 3000_00, Gross: 3000_00, Taxable: 2200_00, Quick: 1, Tax: 440_00, Net: 2560_00, Rate: 2000,
		IncomeType: "labor", RuleVersion: "labor_2018.1", Remark: "3月奖励", Period: "2026-03", State: "sent"}
}

// TestProfilesAreWhole: every cell names something, every head is read back by
// its own form, and no state has two meanings.
func TestProfilesAreWhole(t *testing.T) {
	for _, p := range Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			for _, c := range append(append(append([]Cell{}, p.Columns...), p.Before...), p.After...) {
				_, text := texts[c.Field]
				_, amount := amounts[c.Field]
				_, sum := sums[c.Field]
				if !text && !amount && !sum && c.Field != "" && c.Field != "count" && c.Field != "sha256" {
					t.Errorf("unknown field %q", c.Field)
				}
				if c.Form != "" && c.Form != FormFen && c.Form != FormYuan {
					t.Errorf("unknown form %q", c.Form)
				}
			}
			if len(p.Comma) != 1 || p.MaxRows < 1 || p.MaxRows > 20_000 || p.TitleZH == "" || p.TitleEN == "" {
				t.Errorf("%+v", p)
			}
			seen := map[string]bool{}
			for _, word := range append(append(append([]string{}, p.Result.Success...), p.Result.Fail...), p.Result.Unknown...) {
				if seen[word] {
					t.Errorf("%q means two things", word)
				}
				seen[word] = true
			}
			body, err := Write(p, []Row{somebody(1, "王小明"), somebody(2, "李四")})
			if err != nil {
				t.Fatal(err)
			}
			if p.Encoding == GBK {
				if body, err = simplifiedchinese.GBK.NewDecoder().Bytes(body); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("\n%s", body)
			if p.Bare { // its answers bring heads of their own
				return
			}
			lines := strings.Split(strings.TrimPrefix(string(body), "\uFEFF"), "\r\n")
			answer := lines[0] + p.Comma + p.Result.State[0] + "\r\n"
			if p.Name == "bills" { // it has a column of state already
				answer = lines[0] + "\r\n"
			}
			for i, word := range []string{p.Result.Success[0], p.Result.Fail[0]} {
				if p.Name == "bills" {
					answer += strings.TrimSuffix(lines[i+1], "sent") + word + "\r\n"
				} else {
					answer += lines[i+1] + p.Comma + word + "\r\n"
				}
			}
			got, err := Read(p, []byte(answer))
			want := []Result{{Row: 2, Line: 1, BillNo: "P7L1", Amount: 2560_00, State: Success}, {Row: 3, Line: 2, BillNo: "P7L1", Amount: 2560_00, State: Fail}}
			for i := range got {
				got[i].Reason = ""
			}
			if err != nil || !cmp.Equal(got, want) {
				t.Errorf("read back: %v %s", err, cmp.Diff(want, got))
			}
		})
	}
}

func TestWhatAFileSays(t *testing.T) {
	bank, err := Find("bank_generic")
	if err != nil {
		t.Fatal(err)
	}
	rows := []Row{somebody(1, "王小明")}
	body, err := Write(bank, rows)
	if err != nil {
		t.Fatal(err)
	}
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(body)
	want := "序号,收款账号,收款户名,金额,开户行,开户网点,联行号,用途,业务编号\r\n1,6222020000000000000,王小明,2560.00,招商银行,望京支行,308100005019,3月奖励,P7L1\r\n"
	if err != nil || string(text) != want {
		t.Errorf("%v %s", err, cmp.Diff(want, string(text)))
	}
	pipe, _ := Find("bank_pipe")
	body, _ = Write(pipe, rows)
	if text, _ = simplifiedchinese.GBK.NewDecoder().Bytes(body); string(text) != "01|1|256000|pay_1\r\n02|1|6222020000000000000|王小明|256000|P7L1\r\n" {
		t.Errorf("got %s", text)
	}
	all, _ := Find("bills")
	body, _ = Write(all, rows)
	lines := strings.SplitAfter(string(body), "\r\n")
	sum := sha256.Sum256([]byte(lines[0] + lines[1]))
	if lines[2] != "total,1,300000,44000,256000,"+hex.EncodeToString(sum[:])+"\r\n" {
		t.Errorf("totals: %s", lines[2])
	}
	if strings.Contains(string(body), "11010519491231002X") || strings.Contains(string(body), "王小明") {
		t.Error("the list of bills names a person")
	}
}

func TestWhatIsRefused(t *testing.T) {
	bank, _ := Find("bank_generic")
	refuses := func(err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	_, err := Write(bank, []Row{somebody(7, "王𬱖")}) // beyond GBK
	refuses(err, ErrLetter)
	if f, ok := fault.As(err); !ok || f.Params["line"] != 7 {
		t.Errorf("does not name the line: %v", err)
	}
	erased := somebody(1, "")
	erased.CardNo = ""
	_, err = Write(bank, []Row{erased})
	refuses(err, ErrAccount)
	_, err = Find("no")
	refuses(err, ErrProfile)
	if !strings.Contains(err.Error(), "there are ") || !strings.Contains(err.Error(), Profiles()[0].Name) {
		t.Errorf("%v does not say which forms there are", err)
	}
	_, err = Read(bank, []byte("a,b\r\n1,2\r\n"))
	refuses(err, ErrHeads)
	_, err = Read(bank, []byte("序号,金额,处理结果\r\n1,500.00\r\n合计,500.00,\r\n"))
	refuses(err, ErrEmpty)
	_, err = Read(bank, make([]byte, BytesMax+1))
	refuses(err, ErrLarge)
	formula := somebody(1, "=cmd()")
	if body, err := Write(bank, []Row{formula}); err != nil || !strings.Contains(string(body), ",'=cmd(),") {
		t.Errorf("a formula: %v %s", err, body)
	}
}

func TestHowResultsAreRead(t *testing.T) {
	bank, _ := Find("bank_generic")
	file := "批次号,2026031601\r\n打印时间,2026-03-16 10:00\r\n" +
		"序号,业务编号,收款户名,交易金额,处理结果,失败原因\r\n" +
		"1,P7L1,王*明,\"2,560.00\",成功,\r\n" +
		"2,P7L2,李*,￥10.00,失败,户名不符\r\n" +
		"3,P7L3,张*,10,处理中,\r\n" +
		"4,P7L4,赵*,一百,冲正,\r\n" +
		"5,P7L5,赵*,,成功,\r\n" +
		"6,P7L6,赵*,10.001,成功,\r\n" +
		"7,P7L7,赵*,-10.00,成功,\r\n" +
		"8,P7L8,赵*,10.00 元,成功,\r\n" +
		",,合计,2580.00,,\r\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []Result{
		{Row: 4, Line: 1, BillNo: "P7L1", Amount: 2560_00, State: Success},
		{Row: 5, Line: 2, BillNo: "P7L2", Amount: 10_00, State: Fail, Reason: "户名不符"},
		{Row: 6, Line: 3, BillNo: "P7L3", Amount: 10_00, State: Unknown, Reason: "处理中"},
		{Row: 7, Line: 4, BillNo: "P7L4", Amount: Unreadable, State: Unknown, Reason: "冲正"}, // a word it does not know is no success
		{Row: 8, Line: 5, BillNo: "P7L5", Amount: Untold, State: Success},
		{Row: 9, Line: 6, BillNo: "P7L6", Amount: Unreadable, State: Success},
		{Row: 10, Line: 7, BillNo: "P7L7", Amount: Unreadable, State: Success},
		{Row: 11, Line: 8, BillNo: "P7L8", Amount: 10_00, State: Success},
	}
	for name, body := range map[string][]byte{"utf-8": []byte(file), "gbk": gbk} {
		got, err := Read(bank, body)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: %v %s", name, err, cmp.Diff(want, got))
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("序号,处理结果\n1,成功\n"))
	bank, _ := Find("bank_generic")
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := Read(bank, body)
		for _, x := range list {
			if err != nil || x.Amount < Unreadable || x.Line <= 0 && x.BillNo == "" || len(x.Reason) > 400 {
				t.Fatalf("%+v, %v", x, err)
			}
		}
	})
}
