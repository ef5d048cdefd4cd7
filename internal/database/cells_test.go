package database

import (
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/google/go-cmp/cmp"

	"siyu/internal/clock"
	"siyu/internal/id"
)

// TestCells: a row that the driver gave is scanned as database/sql would.
func TestCells(t *testing.T) {
	type mode string
	type places struct {
		Group id.Group
		At    clock.Milli
		N     int
		Big   int64
		Mode  mode
		Name  string
		On    bool
		Off   bool
		Raw   []byte
		None  []byte
		Null  sql.NullInt64
	}
	scan := func(p *places, row ...driver.Value) error {
		return (&cells{row: row}).Scan(&p.Group, &p.At, &p.N, &p.Big, &p.Mode, &p.Name, &p.On, &p.Off, &p.Raw, &p.None, &p.Null)
	}
	buffer := []byte("advise")
	var got places
	if err := scan(&got, int64(7), int64(-1), []byte("12"), int64(1)<<62, buffer, "群", int64(1), []byte("0"), buffer, nil, nil); err != nil {
		t.Fatal(err)
	}
	copy(buffer, "XXXXXX") // the driver's, who reads the next row into it
	want := places{Group: 7, At: -1, N: 12, Big: 1 << 62, Mode: "advise", Name: "群", On: true, Raw: []byte("advise")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for i, row := range [][]driver.Value{
		{int64(7)},
		{nil, int64(-1), []byte("12"), int64(1), buffer, "群", int64(1), int64(0), buffer, nil, nil},
		{int64(7), int64(-1), "12", int64(1), nil, "群", int64(1), int64(0), buffer, nil, nil},
		{int64(7), int64(-1), []byte("1.5"), int64(1), buffer, "群", int64(1), int64(0), buffer, nil, nil},
		{int64(7), int64(-1), int64(1), int64(1), buffer, "群", int64(2), int64(0), buffer, nil, nil},
	} {
		if err := scan(&got, row...); err == nil {
			t.Errorf("row %d: scanned to %+v", i, got)
		}
	}
	var small int8
	if err := (&cells{row: []driver.Value{int64(128)}}).Scan(&small); err == nil {
		t.Errorf("128 is %d", small)
	}
}
