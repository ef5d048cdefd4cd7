package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"siyu/access"
	"siyu/api"
	"siyu/internal/database"
	"siyu/internal/httpd"
)

// frontCommand makes this binary the baselines' server. It is not for people.
const frontCommand = "serve-front"

// front is the process that serves the baselines twice: behind bare gin, and
// behind the house's own front, which is middleware, token, rate, key and
// strict body.
type front struct {
	*process
	bare  string
	house string
	ways  []string // as the process told
}

// startFront starts this binary again as the baselines' server, with so many
// teams to join.
func (l *lab) startFront(ctx context.Context, teams int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, frontCommand)
	db := l.store.url
	if l.store.sqlite {
		// A file of its own: SQLite's one writer must not be shared with the house.
		db = "sqlite:" + filepath.Join(l.folder, "baseline.db")
	}
	cmd.Env = l.env("BENCH_DB="+db, "BENCH_TEAMS="+strconv.Itoa(teams))
	said, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p, err := start("front", cmd, l.folder)
	if err != nil {
		return err
	}
	l.front = &front{process: p}
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the baselines' server: %w: %s", err, p.lastWords())
	}
	words := strings.Fields(line)
	l.front.bare, l.front.house, l.front.ways = words[0], words[1], words[2:]
	return ctx.Err()
}

func (l *lab) stopFront() {
	if l.front != nil {
		l.front.kill()
		l.front = nil
	}
}

// rest asks the front to finish what it does behind its answers.
func (f *front) rest(ctx context.Context) error {
	return newRest(f.bare, "").call(ctx, http.MethodGet, "/rest", nil, nil)
}

// serveFront is the process: it says its two addresses and its ways, and
// serves until it is killed.
func serveFront(ctx context.Context, out io.Writer) error {
	debug.SetGCPercent(400)                                        // as serve does
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil))) // as serve does
	teams, err := strconv.Atoi(os.Getenv("BENCH_TEAMS"))
	if err != nil {
		return fmt.Errorf("%s is not for people: %w", frontCommand, err)
	}
	ways, stop, err := openWays(ctx, os.Getenv("BENCH_DB"), os.Getenv("SIYU_REDIS"), teams)
	if err != nil {
		return err
	}
	defer stop()
	own, err := houseFront(ctx, ways)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	addrs := make([]string, 0, 2)
	for _, h := range []http.Handler{bareFront(ways), own} {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return err
		}
		addrs = append(addrs, ln.Addr().String())
		go func() { failed <- httpd.Serve(ctx, ln, h, httpd.Limits{}) }()
	}
	names := make([]string, 0, len(ways.list))
	for _, w := range ways.list {
		names = append(names, w.name)
	}
	fmt.Fprintln(out, strings.Join(append(addrs, names...), " "))
	return errors.Join(<-failed, <-failed)
}

// bareClaim is the same JSON as the house's claims take.
type bareClaim struct {
	ItemID string `json:"item_id"`
	Qty    int    `json:"qty"`
}

// bareFront is gin with nothing but routes.
func bareFront(ways *ways) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	for _, w := range ways.list {
		e.POST("/bare/"+w.name, bareHandler(w))
	}
	e.POST("/hold", func(c *gin.Context) {
		var in bareClaim
		if err := c.ShouldBindJSON(&in); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		<-ways.held
		c.JSON(http.StatusCreated, in)
	})
	e.POST("/release", func(c *gin.Context) {
		close(ways.held)
		c.JSON(http.StatusOK, gin.H{})
	})
	var picture []byte // given before it is asked for
	e.PUT("/picture", func(c *gin.Context) {
		picture, _ = io.ReadAll(c.Request.Body)
	})
	e.GET("/picture", func(c *gin.Context) { c.Data(http.StatusOK, "image/png", picture) })
	e.GET("/rest", func(c *gin.Context) {
		ways.rest(c.Request.Context())
		c.JSON(http.StatusOK, gin.H{})
	})
	return e
}

func bareHandler(w way) gin.HandlerFunc {
	return func(c *gin.Context) {
		var in bareClaim
		if err := c.ShouldBindJSON(&in); err != nil {
			c.Status(http.StatusBadRequest)
			return
		}
		o, err := w.bare(c, in)
		if err != nil {
			slog.Error("baseline", "way", w.name, "error", err)
			c.Status(http.StatusInternalServerError)
			return
		}
		c.JSON(http.StatusCreated, o)
	}
}

// houseFront is the house's engine with a probe for every way.
func houseFront(ctx context.Context, ways *ways) (http.Handler, error) {
	db, err := database.Open(ctx, database.Config{URL: os.Getenv("SIYU_DB")})
	if err != nil {
		return nil, err
	}
	keys, err := keySet(os.Getenv("SIYU_SECRETS_JSON"))
	if err != nil {
		return nil, err
	}
	e, err := httpd.NewEngine(httpd.Config{})
	if err != nil {
		return nil, err
	}
	s := &api.Server{DB: db, Secrets: keys, Access: &access.Service{DB: db, Secrets: keys}}
	if err := s.Mount(e); err != nil {
		return nil, err
	}
	for _, w := range ways.list {
		s.MountProbe(e, "/probe/"+w.name+"/:id/claims", w.house)
	}
	return e, nil
}

// drainRest is how long a queue may take to be written after a round.
const drainRest = 30 * time.Second
