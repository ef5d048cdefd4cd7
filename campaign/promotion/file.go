package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"siyu/internal/database"
	"siyu/internal/task"
)

// FileChannel writes each ad as a JSON file into a folder per group: a work
// list for the group's owner, who posts it and confirms the slot. A picture
// lies beside it.
type FileChannel struct {
	Dir string
	// Owner plays the group's owner; DB is needed for one who posts later.
	Owner Owner
	DB    *database.DB
}

// Name is what promotions call the channel.
func (FileChannel) Name() string { return "file" }

// Deliver writes the file under the slot's name, whole or not at all.
func (f FileChannel) Deliver(ctx context.Context, s Send) (Receipt, error) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return "", err
	}
	path := f.path(s)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("promotion: file channel: %w", err)
	}
	if s.Picture != nil {
		if err := write(f.picture(s), s.Picture.Body); err != nil {
			return "", err
		}
	}
	if err := write(path, append(body, '\n')); err != nil {
		return "", err
	}
	if f.Owner == OwnerPrompt {
		return ReceiptShown, nil
	}
	return ReceiptPending, f.play(ctx, s)
}

// play has the owner post when he would.
func (f FileChannel) play(ctx context.Context, s Send) error {
	if f.Owner.posts(s.Window.From, s.Window) == 0 {
		return nil
	}
	return f.DB.Tx(ctx, func(tx *database.Tx) error {
		return task.EnqueueTx(tx, playOwner{s.SlotID}, f.Owner.posts(tx.Now, s.Window))
	})
}

// Remind lays a note beside the file.
func (f FileChannel) Remind(_ context.Context, s Send) error {
	return write(f.note(s), []byte("还没有发，时段即将结束\nnot posted yet; its slot ends soon\n"))
}

func write(path string, body []byte) error {
	if err := os.WriteFile(path+".part", body, 0o600); err != nil {
		return fmt.Errorf("promotion: file channel: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("promotion: file channel: %w", err)
	}
	return nil
}

// Cancel removes the file. An owner who posted the ad confirms it before the
// slot ends; what is not confirmed by then counts as not shown. The late owner
// has read it already: of his the channel is not sure.
func (f FileChannel) Cancel(_ context.Context, s Send) (Receipt, error) {
	paths := []string{f.path(s), f.note(s)}
	if s.Picture != nil {
		paths = append(paths, f.picture(s))
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("promotion: file channel: %w", err)
		}
	}
	if f.Owner == OwnerLate {
		return ReceiptPending, nil
	}
	return ReceiptCancelled, nil
}

// path sorts an owner's list by priority, the highest first.
func (f FileChannel) path(s Send) string {
	return filepath.Join(f.Dir, s.GroupID.String(), fmt.Sprintf("%d-%s.json", 9-s.Priority, s.SlotID))
}

func (f FileChannel) picture(s Send) string { return f.path(s) + "." + s.Picture.Format }

func (f FileChannel) note(s Send) string { return f.path(s) + ".remind" }
