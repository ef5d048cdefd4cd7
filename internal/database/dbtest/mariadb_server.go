package dbtest

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // the administrative connection

	"siyu/migrations"
)

// startMariaDB starts a server on a copy of the image folder.
func startMariaDB() (*mariadb, error) {
	if dsn := os.Getenv("SIYU_TEST_MYSQL"); dsn != "" {
		return connectGiven(dsn)
	}
	dir, err := ownFolder("siyu-mariadb-")
	if err != nil {
		return nil, err
	}
	if err := copyImage(filepath.Join(dir, "data")); err != nil {
		return nil, err
	}
	s, err := serve(dir)
	if err != nil {
		return nil, err
	}
	s.free = []string{firstSchema}
	return s, nil
}

// copyImage copies the image folder: the data of a server that has imageSchema
// and firstSchema and was shut down. Making it takes some seconds, so all test
// binaries of these migrations and this server share one. How a dialect renders
// a migration is not in its name, since what was released stands.
func copyImage(to string) error {
	image, err := imageName()
	if err != nil {
		return err
	}
	unlock, err := lockImage(image, syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Stat(image); err != nil {
		if err := makeFolder(image); err != nil {
			return err
		}
		removeOldImages(image)
	}
	return os.CopyFS(to, os.DirFS(image))
}

func lockImage(image string, how int) (unlock func() error, err error) {
	lock, err := os.OpenFile(image+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), how); err != nil {
		lock.Close()
		return nil, err
	}
	return lock.Close, nil
}

// removeOldImages removes what other migrations left more than a day ago and
// nobody copies now.
func removeOldImages(but string) {
	locks, _ := filepath.Glob(filepath.Join(os.TempDir(), fmt.Sprintf("siyu-image-%d-*.lock", os.Getuid())))
	for _, lock := range locks {
		image := strings.TrimSuffix(lock, ".lock")
		if info, err := os.Stat(image); image == but || err != nil || time.Since(info.ModTime()) < 24*time.Hour {
			continue
		}
		if unlock, err := lockImage(image, syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			os.RemoveAll(image)
			unlock()
		}
	}
}

// imageName is where the image of these migrations and this server lies.
func imageName() (string, error) {
	key := sha256.New()
	version, err := exec.Command("mariadbd", "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("mariadbd --version: %w", err)
	}
	key.Write(version)
	files, err := fs.Glob(migrations.Files, "*.sql")
	if err != nil {
		return "", err
	}
	for _, name := range files {
		text, err := migrations.Files.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(key, "%s %d\n%s", name, len(text), text)
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("siyu-image-%d-%.12x", os.Getuid(), key.Sum(nil))), nil
}

// makeFolder makes the image folder, whole or not at all.
func makeFolder(path string) error {
	dir, err := ownFolder("siyu-mariadb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "data")
	out, err := exec.Command("mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
		"--skip-test-db", "--datadir="+data, "--tmpdir="+dir, "--innodb-log-file-size=8M").CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	s, err := serve(dir)
	if err != nil {
		return err
	}
	if _, err := s.admin.Exec("CREATE DATABASE " + firstSchema + charset); err != nil {
		return err
	}
	if err := s.copyTo(firstSchema); err != nil {
		return err
	}
	if err := s.admin.Close(); err != nil {
		return err
	}
	if err := s.process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-s.ended
	return os.Rename(data, path)
}

// serve starts a server on the data in a folder.
func serve(dir string) (*mariadb, error) {
	socket := filepath.Join(dir, "s")
	// A folder of its own for temporary tables: a server that starts deletes
	// those it finds, and in /tmp they are another test binary's. nosync: what a
	// killed process wrote is the kernel's, and no test cuts the power.
	cmd := exec.Command("mariadbd", "--no-defaults", "--user=root", "--datadir="+filepath.Join(dir, "data"), "--tmpdir="+dir, "--socket="+socket, "--skip-networking",
		"--pid-file="+filepath.Join(dir, "pid"), "--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin",
		"--innodb-buffer-pool-size=256M", "--innodb-log-file-size=64M", "--max-connections=400", "--innodb-flush-log-at-trx-commit=1", "--innodb-flush-method=nosync")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	cmd.Stdout, cmd.Stderr = log, log
	ended, err := startBound(cmd)
	if err != nil {
		return nil, err
	}
	s := &mariadb{process: cmd.Process, ended: ended, url: func(schema string) string { return "mysql://root@unix(" + socket + ")/" + schema }}
	s.image = sync.OnceValues(s.makeImage)
	s.admin, err = sql.Open("mysql", "root@unix("+socket+")/")
	if err != nil {
		return nil, err
	}
	s.admin.SetMaxOpenConns(4)
	for range 300 {
		if err = s.admin.Ping(); err == nil {
			return s, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("mariadbd did not answer: %w\n%s", err, text)
}

// ownFolder is a temporary folder that names this process. The server in it is
// killed with the binary, so nobody is left to remove the folder: the next
// binary does, once the process is gone.
func ownFolder(prefix string) (string, error) {
	old, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*-*"))
	if err != nil {
		return "", err
	}
	for _, dir := range old {
		pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), prefix), "-")
		if n, err := strconv.Atoi(pid); err == nil && syscall.Kill(n, 0) == syscall.ESRCH {
			os.RemoveAll(dir)
		}
	}
	return os.MkdirTemp("", fmt.Sprintf("%s%d-", prefix, os.Getpid()))
}

// connectGiven uses a server of the environment, one test binary at a time:
// user:password@tcp(host:port).
func connectGiven(dsn string) (*mariadb, error) {
	dsn = strings.TrimSuffix(dsn, "/")
	admin, err := sql.Open("mysql", dsn+"/")
	if err != nil {
		return nil, err
	}
	creds, rest, _ := strings.Cut(dsn, "@")
	addr := strings.TrimSuffix(strings.TrimPrefix(rest, "tcp("), ")")
	s := &mariadb{admin: admin, url: func(schema string) string { return "mysql://" + creds + "@" + addr + "/" + schema }}
	s.image = sync.OnceValues(s.makeImage)
	_, err = admin.Exec("DROP DATABASE IF EXISTS " + imageSchema) // of older migrations, it may be
	return s, err
}

// startBound starts a server that dies with this test binary. The kernel
// watches the thread that started it, so that thread is kept for ever.
func startBound(cmd *exec.Cmd) (ended <-chan struct{}, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, over := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		started <- cmd.Start()
		_ = cmd.Wait()
		close(over)
		select {}
	}()
	return over, <-started
}
