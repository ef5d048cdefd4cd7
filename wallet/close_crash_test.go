package wallet_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"siyu/internal/clock"
	"siyu/internal/database"
	"siyu/internal/database/dbtest"
	"siyu/internal/id"
	"siyu/wallet"
)

// childEnv makes the test binary close what is due and end: store, kill point,
// business time.
const childEnv = "SIYU_WALLET_CHILD"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		if err := runChild(strings.Split(spec, "|")); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func runChild(spec []string) error {
	at, err := strconv.ParseInt(spec[2], 10, 64)
	if err != nil {
		return err
	}
	db, err := database.Open(bg, database.Config{URL: spec[0], Clock: clock.At(time.UnixMilli(at))})
	if err != nil {
		return err
	}
	defer db.Close()
	db.IDs = id.NewGenerator(2, time.Now().Add(time.Hour))
	database.ArmKillPoint(spec[1])
	return (&wallet.Service{DB: db}).CloseDue(context.Background())
}

// TestCloseKilled kills the closing of a day at its points, one process after
// another; the next goes on, and the close is as if nobody had died.
func TestCloseKilled(t *testing.T) {
	for _, engine := range dbtest.Engines {
		t.Run(engine, func(t *testing.T) {
			url := dbtest.URL(t, engine)
			db := dbtest.At(t, url)
			fund(t, db, wallet.Program(7), 1_000_000)
			for part := range 5 {
				var list []wallet.Transfer
				for i := range 300 {
					list = append(list, pay(fmt.Sprintf("p%d:%d", part, i), 1))
				}
				err := db.Tx(bg, func(tx *database.Tx) error {
					_, err := wallet.PostManyTx(tx, list)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			day := today(t, db)
			nextMorning(t, db)
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			for _, point := range []string{"wallet:close_taken:1", "wallet:close_taken:1", "wallet:close_summed:1"} {
				cmd := exec.Command(self)
				cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{url, point, strconv.FormatInt(db.Clock.Now().UnixMilli(), 10)}, "|"))
				cmd.Stderr = os.Stderr
				var exit *exec.ExitError
				if err := cmd.Run(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
					t.Fatalf("at %s: ended with %v, want killed", point, err)
				}
			}
			s := &wallet.Service{DB: db}
			if err := s.CloseDue(bg); err != nil {
				t.Fatal(err)
			}
			if c := closedDay(t, s, day); c.Status != wallet.CloseSealed || c.Transfers != 1501 || c.Entries != 3002 {
				t.Errorf("got %+v", c)
			}
			closesHold(t, db)
		})
	}
}
