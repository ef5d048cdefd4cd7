package settlement

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// zipTime stands on every entry: the first moment the format can hold.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// write packs the workbook again with its entries in order of name and without
// real times, because excelize keeps them in maps and the same sheets would
// come out as other bytes in the next process.
func (b *workbook) write(w io.Writer) error {
	var raw bytes.Buffer
	if err := b.Write(&raw); err != nil {
		return fmt.Errorf("settlement: workbook: %w", err)
	}
	in, err := zip.NewReader(bytes.NewReader(raw.Bytes()), int64(raw.Len()))
	if err != nil {
		return fmt.Errorf("settlement: workbook: %w", err)
	}
	slices.SortFunc(in.File, func(a, b *zip.File) int { return strings.Compare(a.Name, b.Name) })
	out := zip.NewWriter(w)
	for _, f := range in.File {
		if err := repack(out, f); err != nil {
			return fmt.Errorf("settlement: workbook %s: %w", f.Name, err)
		}
	}
	return out.Close()
}

func repack(out *zip.Writer, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := out.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: zipTime})
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}
