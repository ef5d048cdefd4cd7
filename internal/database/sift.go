package database

// Sift reads pages of a list narrowed by a condition that no index knows, such
// as a state that events tell. A page looks at a bounded number of rows and may
// end early, with a cursor, where they hold too few: what is rare would else be
// looked for among all there are.
type Sift[T any] struct {
	// Columns, Table and ID are SQL: what is read, from where, and its id.
	Columns, Table, ID string
	// Cond narrows the rows that are looked at, Is those of them that are read;
	// each begins with AND.
	Cond, Is         string
	CondArgs, IsArgs []any
	IDOf             func(T) int64
	// Step is how many rows one statement looks at, Most a page; without them
	// 1,000 and 20,000.
	Step, Most int
}

// Page reads one page, newest first.
func (s Sift[T]) Page(q *Query, p Page) (Paged[T], error) {
	if s.Is == "" { // nothing to look for
		rows, err := s.between(q, 0, p.Bound(), p.Fetch())
		return Cut(p, rows, s.IDOf), err
	}
	if s.Step == 0 {
		s.Step, s.Most = 1000, 20_000
	}
	var rows []T
	for looked, before := 0, p.Bound(); ; {
		from, err := s.from(q, before)
		if err != nil {
			return Paged[T]{}, err
		}
		found, err := s.between(q, from, before, p.Fetch()-len(rows))
		if err != nil {
			return Paged[T]{}, err
		}
		rows, looked, before = append(rows, found...), looked+s.Step, from
		out := Cut(p, rows, s.IDOf)
		if out.NextCursor == "" && from != 0 && looked >= s.Most {
			out.NextCursor = cursor(from)
		}
		if out.NextCursor != "" || from == 0 {
			return out, nil
		}
	}
}

// from is the id of the last row of a step below an id, 0 if the list ends
// within it.
func (s Sift[T]) from(q *Query, before int64) (from int64, err error) {
	args := append([]any{before}, s.CondArgs...)
	err = q.Raw("SELECT "+s.ID+" FROM "+s.Table+" WHERE "+s.ID+" < ?"+s.Cond+" ORDER BY "+s.ID+" DESC LIMIT 1 OFFSET ?", append(args, s.Step-1)...).Scan(&from).Error
	return from, err
}

func (s Sift[T]) between(q *Query, from, before int64, most int) (rows []T, err error) {
	args := append(append([]any{from, before}, s.CondArgs...), s.IsArgs...)
	err = q.Raw("SELECT "+s.Columns+" FROM "+s.Table+" WHERE "+s.ID+" >= ? AND "+s.ID+" < ?"+s.Cond+s.Is+" ORDER BY "+s.ID+" DESC LIMIT ?", append(args, most)...).Scan(&rows).Error
	return rows, err
}
