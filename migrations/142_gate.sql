-- How one gets into a group that is not open to everybody. An application that
-- is over frees its place among the open ones: closed is its own id then, and
-- 0 before.

ALTER TABLE chat_groups ADD COLUMN gated INT NOT NULL DEFAULT 0;

CREATE TABLE IF NOT EXISTS gates (
  group_id BIGINT NOT NULL PRIMARY KEY,
  version INT NOT NULL,
  capacity INT NOT NULL,
  review INT NOT NULL,
  paid_within_days INT NOT NULL,
  fee BIGINT NOT NULL,
  vouch_days INT NOT NULL,
  vouch_month INT NOT NULL,
  questions {{.Text}} NOT NULL,
  regions {{.Text}} NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS applications (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  closed BIGINT NOT NULL,
  charter_version INT NOT NULL,
  region VARCHAR(20) NOT NULL,
  answers {{.Text}} NOT NULL,
  reason VARCHAR(200) NOT NULL,
  fee BIGINT NOT NULL,
  paid BIGINT NOT NULL,
  looked INT NOT NULL,
  waited_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  decided_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX applications_open ON applications (group_id, member_id, closed);

CREATE INDEX applications_line ON applications (status, group_id, waited_at, id);

CREATE INDEX applications_member ON applications (member_id);

CREATE TABLE IF NOT EXISTS application_fees (
  payment_no VARCHAR(64) NOT NULL PRIMARY KEY,
  application_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS vouches (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  used_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX vouches_member ON vouches (member_id, group_id, created_at);

CREATE TABLE IF NOT EXISTS violations (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  rule VARCHAR(16) NOT NULL,
  at BIGINT NOT NULL,
  staff_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX violations_group ON violations (group_id, id);

CREATE INDEX violations_member ON violations (member_id, at);
