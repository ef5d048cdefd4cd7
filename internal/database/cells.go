package database

import (
	"bytes"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
)

// cells are a row as the driver gives it. It holds until the next one.
type cells struct{ row []driver.Value }

// Scan copies the cells into whole numbers, texts and truths of any type of
// ours, as database/sql does, which goes by way of a text for each.
func (c *cells) Scan(dest ...any) error {
	if len(dest) != len(c.row) {
		return fmt.Errorf("database: %d columns into %d places", len(c.row), len(dest))
	}
	for i, d := range dest {
		if err := put(d, c.row[i]); err != nil {
			return fmt.Errorf("database: column %d: %w", i+1, err)
		}
	}
	return nil
}

func put(dest any, v driver.Value) (err error) {
	switch d := dest.(type) {
	case *int64:
		*d, err = whole(v)
		return err
	case *string:
		*d, err = text(v)
		return err
	case *[]byte:
		if *d = nil; v == nil {
			return nil
		}
		s, err := text(v)
		*d = []byte(s)
		return err
	case sql.Scanner:
		if b, ok := v.([]byte); ok {
			v = bytes.Clone(b)
		}
		return d.Scan(v)
	}
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("a %T is no place", dest)
	}
	switch e := p.Elem(); e.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := whole(v)
		if err == nil && e.OverflowInt(n) {
			err = fmt.Errorf("%d is too much for a %s", n, e.Type())
		}
		e.SetInt(n)
		return err
	case reflect.String:
		s, err := text(v)
		e.SetString(s)
		return err
	case reflect.Bool:
		n, err := whole(v)
		if err == nil && n != 0 && n != 1 {
			err = fmt.Errorf("%d is neither true nor false", n)
		}
		e.SetBool(n == 1)
		return err
	}
	return fmt.Errorf("a %T cannot be read into", dest)
}

func whole(v driver.Value) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case []byte: // a sum is a decimal to MySQL, written out
		return strconv.ParseInt(string(v), 10, 64)
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	}
	return 0, fmt.Errorf("a whole number is a %T", v)
}

func text(v driver.Value) (string, error) {
	switch v := v.(type) {
	case []byte:
		return string(v), nil
	case string:
		return v, nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	}
	return "", fmt.Errorf("a text is a %T", v)
}
