package settlement

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// zipDate stands on every entry: the first day the format can hold.
const zipDate = 1<<5 | 1

// spoolAt is from how many bytes on a packed entry lies in a temporary file.
const spoolAt = 1 << 20

// sortedZip is the archive of a workbook with its entries in order of name and
// without real times: excelize keeps them in maps, and the same sheets would
// come out as other bytes in the next process. An entry is packed as it comes
// and waits, packed, for its place.
type sortedZip struct {
	out     io.Writer
	entries []*packed
	last    *packed // that excelize writes, one after the other
}

// packed is one entry.
type packed struct {
	head  zip.FileHeader
	sum   hash.Hash32
	deft  *flate.Writer
	store spool
}

// own begins an entry that is written beside others, instead of one that
// excelize would make of the name.
func (z *sortedZip) own(name string) (*packed, error) {
	e := &packed{head: zip.FileHeader{Name: name, Method: zip.Deflate}, sum: crc32.NewIEEE()}
	//lint:ignore SA1019 an entry that comes packed has its date from here alone
	e.head.ModifiedDate = zipDate
	deft, err := flate.NewWriter(&e.store, 5)
	e.deft = deft
	z.entries = append(z.entries, e)
	return e, err
}

// Create begins the next entry; what is there already stays.
func (z *sortedZip) Create(name string) (io.Writer, error) {
	if err := z.endLast(); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(z.entries, func(e *packed) bool { return e.head.Name == name }) {
		return io.Discard, nil
	}
	var err error
	z.last, err = z.own(name)
	return z.last, err
}

func (z *sortedZip) endLast() error {
	if z.last == nil {
		return nil
	}
	e := z.last
	z.last = nil
	return e.end()
}

// AddFS is not needed by any workbook.
func (z *sortedZip) AddFS(fs.FS) error { return errors.New("settlement: an archive of a folder") }

// Write packs a part of the entry.
func (e *packed) Write(p []byte) (int, error) {
	e.sum.Write(p)
	e.head.UncompressedSize64 += uint64(len(p))
	return e.deft.Write(p)
}

// end packs what is left of the entry.
func (e *packed) end() error {
	if err := e.deft.Close(); err != nil {
		return err
	}
	e.deft = nil // it is as large as a sheet's page of rows
	e.head.CRC32, e.head.CompressedSize64 = e.sum.Sum32(), uint64(e.store.size)
	return nil
}

// Close writes the archive.
func (z *sortedZip) Close() error {
	defer z.discard()
	if err := z.endLast(); err != nil {
		return err
	}
	slices.SortFunc(z.entries, func(a, b *packed) int { return strings.Compare(a.head.Name, b.head.Name) })
	out := zip.NewWriter(z.out)
	for _, e := range z.entries {
		w, err := out.CreateRaw(&e.head)
		if err != nil {
			return err
		}
		if err := e.store.copyTo(w); err != nil {
			return err
		}
	}
	return out.Close()
}

// discard removes what lies in files, if anything is left.
func (z *sortedZip) discard() {
	for _, e := range z.entries {
		e.store.discard()
	}
}

// spool holds bytes in memory while they are few, else in a file.
type spool struct {
	small bytes.Buffer
	file  *os.File
	size  int64
}

// Write keeps the bytes.
func (s *spool) Write(p []byte) (n int, err error) {
	if s.file == nil && s.small.Len()+len(p) > spoolAt {
		if s.file, err = os.CreateTemp("", "siyu-sheet-"); err != nil {
			return 0, err
		}
		if _, err := s.file.Write(s.small.Bytes()); err != nil {
			return 0, err
		}
		s.small = bytes.Buffer{}
	}
	if s.file != nil {
		n, err = s.file.Write(p)
	} else {
		n, err = s.small.Write(p)
	}
	s.size += int64(n)
	return n, err
}

func (s *spool) copyTo(w io.Writer) error {
	if s.file == nil {
		_, err := w.Write(s.small.Bytes())
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.file)
	return err
}

func (s *spool) discard() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
		s.file = nil
	}
}
