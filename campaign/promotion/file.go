package promotion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// FileChannel writes each ad as a JSON file into a folder per group: a work
// list for the group's owner, who posts it and confirms the slot. A picture
// lies beside it.
type FileChannel struct {
	Dir string
	// ShownAtOnce takes the written file for the shown ad; only a demo, which
	// has no owners, sets it.
	ShownAtOnce bool
}

// Name is what promotions call the channel.
func (FileChannel) Name() string { return "file" }

// Deliver writes the file under the slot's name, whole or not at all.
func (f FileChannel) Deliver(_ context.Context, s Send) (Receipt, error) {
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
	if f.ShownAtOnce {
		return ReceiptShown, nil
	}
	return ReceiptPending, nil
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
// slot ends; what is not confirmed by then counts as not shown.
func (f FileChannel) Cancel(_ context.Context, s Send) (Receipt, error) {
	paths := []string{f.path(s)}
	if s.Picture != nil {
		paths = append(paths, f.picture(s))
	}
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("promotion: file channel: %w", err)
		}
	}
	return ReceiptCancelled, nil
}

// path sorts an owner's list by priority, the highest first.
func (f FileChannel) path(s Send) string {
	return filepath.Join(f.Dir, s.GroupID.String(), fmt.Sprintf("%d-%s.json", 9-s.Priority, s.SlotID))
}

func (f FileChannel) picture(s Send) string { return f.path(s) + "." + s.Picture.Format }
