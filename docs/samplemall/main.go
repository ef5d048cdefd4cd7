// Samplemall is a mall that sells through Siyu, small enough to read: it gives
// Siyu its products and members, takes payments, listens to Siyu's webhooks,
// and reports what became of the orders. README.md shows how to run it.
//
// It uses the standard library alone, so what it does can be done in any
// language. Its state is one JSON file; a real mall has a database, and keeps
// the rules of store.go: what an event asks for is written down before the
// event is answered, and every report has a key that stays the same when it is
// sent again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// mall is everything of the sample: its store, and Siyu at the other end.
type mall struct {
	store *store
	siyu  *siyu
	url   string // how Siyu and people reach the mall
	// failing is how many refunds the mall's bank refuses before it pays, to
	// show what then happens.
	failing int
}

const usage = `samplemall COMMAND

  serve                          give Siyu products and members, listen, take payments at /pay
  token MALL_ID                  a member token, for the mall's own pages
  pay ORDER [PAYMENT_NO]         report a payment in full
  refund ORDER FEN QTY [NO]      report a refund done; the same NO again changes nothing
  ship ORDER NO, receive ORDER NO, cancel ORDER
  show ORDER                     the order as Siyu sees it

SIYU_URL and SIYU_KEY (a key of role mall) say where Siyu is`

func main() {
	flags := flag.NewFlagSet("samplemall", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprintln(os.Stderr, usage) }
	addr := flags.String("addr", "127.0.0.1:9090", "where serve listens")
	file := flags.String("file", "samplemall.json", "the mall's state")
	failing := flags.Int("failing", 0, "how many refunds the bank refuses at first")
	_ = flags.Parse(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *file, *failing, flags.Args()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr, file string, failing int, args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	st, err := openStore(file)
	if err != nil {
		return err
	}
	m := &mall{store: st, siyu: fromEnv(), failing: failing}
	if args[0] == "serve" {
		return m.serve(ctx, addr)
	}
	return m.command(ctx, args[0], args[1:])
}

// serve listens until it is told to end.
func (m *mall) serve(ctx context.Context, addr string) error {
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	m.url = "http://" + ln.Addr().String()
	if err := m.introduce(ctx); err != nil {
		return err
	}
	server := &http.Server{Handler: m.routes(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	fmt.Printf("the mall listens on %s\n", m.url)
	m.carryOut(ctx)
	last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return err
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// command does one thing and shows the order it was done to.
func (m *mall) command(ctx context.Context, name string, args []string) error {
	arg := func(n int, otherwise string) string {
		if n < len(args) {
			return args[n]
		}
		return otherwise
	}
	if len(args) == 0 {
		return errors.New(usage)
	}
	var o order
	var err error
	switch id := args[0]; name {
	case "token":
		token, err := m.token(ctx, id)
		fmt.Println(token)
		return err
	case "pay":
		o, err = m.pay(ctx, id, arg(1, "pay-"+id))
	case "refund":
		fen, bad := strconv.ParseInt(arg(1, ""), 10, 64)
		qty, worse := strconv.Atoi(arg(2, "0"))
		if err := errors.Join(bad, worse); err != nil {
			return err
		}
		o, err = m.refund(ctx, id, refund{No: arg(3, "refund-1"), Amount: fen, Goods: fen, Qty: qty, Status: "done"})
	case "ship":
		o, err = m.ship(ctx, id, "shipped", arg(1, "parcel-1"))
	case "receive":
		o, err = m.ship(ctx, id, "received", arg(1, "parcel-1"))
	case "cancel":
		o, err = m.cancel(ctx, id)
	case "show":
		err = m.siyu.call(ctx, "GET", "/v1/orders/"+id, "", nil, &o)
	default:
		return errors.New(usage)
	}
	if err == nil {
		fmt.Printf("%s %s: %d fen, refunded %d\n", o.ID, o.Status, o.Amount, o.RefundedGoods)
	}
	return err
}
