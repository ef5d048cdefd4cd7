-- How long and how actively somebody is in a group, as a grade that moves by
-- night: the rules in versions, where everybody stands, and each move with the
-- facts it rests on.

CREATE TABLE IF NOT EXISTS grade_rules (
  version INT NOT NULL PRIMARY KEY,
  grades {{.Text}} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS grade_days (
  group_id BIGINT NOT NULL PRIMARY KEY,
  day INT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS member_grades (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  grade VARCHAR(32) NOT NULL,
  day INT NOT NULL,
  rules INT NOT NULL,
  days_in INT NOT NULL,
  active_days INT NOT NULL,
  replies INT NOT NULL,
  attended INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX member_grades_once ON member_grades (group_id, member_id);

CREATE TABLE IF NOT EXISTS grade_moves (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  day INT NOT NULL,
  grade_before VARCHAR(32) NOT NULL,
  grade_after VARCHAR(32) NOT NULL,
  rules INT NOT NULL,
  days_in INT NOT NULL,
  active_days INT NOT NULL,
  replies INT NOT NULL,
  attended INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX grade_moves_once ON grade_moves (group_id, member_id, day);

CREATE INDEX grade_moves_member ON grade_moves (member_id, id);
