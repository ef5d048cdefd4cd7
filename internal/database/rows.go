package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// EachRow calls fn with every row of one statement while it runs, as the driver
// gives them: whole numbers, or texts as bytes or strings. A row holds until fn
// returns. database/sql converts each cell by way of its destination, which for
// documents of a million lines costs more than all else that is done with them.
// It is for reads, outside a transaction.
func EachRow(q *Query, query string, args []any, fn func(row []driver.Value) error) error {
	ctx := q.Statement.Context
	values, err := named(args)
	if err != nil {
		return err
	}
	var conn *sql.Conn
	switch pool := q.Statement.ConnPool.(type) {
	case *sql.Conn: // a snapshot's
		conn = pool
	case *sql.DB:
		if conn, err = pool.Conn(ctx); err != nil {
			return fmt.Errorf("database: rows: %w", err)
		}
		defer conn.Close()
	default:
		return fmt.Errorf("database: rows over a %T", pool)
	}
	return conn.Raw(func(c any) error { return eachRow(ctx, c, query, values, fn) })
}

func eachRow(ctx context.Context, conn any, query string, args []driver.NamedValue, fn func(row []driver.Value) error) (err error) {
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		return fmt.Errorf("database: rows: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	row := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("database: rows: %w", err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
}

// named are a statement's arguments as a driver takes them.
func named(args []any) ([]driver.NamedValue, error) {
	values := make([]driver.NamedValue, len(args))
	for i, a := range args {
		v, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return nil, fmt.Errorf("database: argument %d: %w", i+1, err)
		}
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return values, nil
}

// Numbers are the whole numbers that the first cells of a row are.
func Numbers(cells []driver.Value) (out [4]int64, err error) {
	for i, v := range cells {
		switch v := v.(type) {
		case int64:
			out[i] = v
		case []byte:
			out[i], err = strconv.ParseInt(string(v), 10, 64)
		default:
			err = fmt.Errorf("database: a number is a %T", v)
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// Text is the text that a cell is.
func Text(cell driver.Value) string {
	if b, ok := cell.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(cell)
}
