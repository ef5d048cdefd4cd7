-- The three-way tie-out of a payer's day: what the mall says it sold and
-- refunded, what Siyu noted, and what the provider's statement says. Lines hold
-- numbers, amounts and times, and nothing that names a person.

CREATE TABLE IF NOT EXISTS tieouts (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  day_no INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  phase VARCHAR(16) NOT NULL,
  run_no INT NOT NULL,
  cursor_at BIGINT NOT NULL,
  cursor_id BIGINT NOT NULL,
  cursor_no VARCHAR(64) NOT NULL,
  taken INT NOT NULL,
  matched INT NOT NULL,
  difference_count INT NOT NULL,
  open_count INT NOT NULL,
  version INT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  run_by BIGINT NOT NULL,
  run_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  approved_by BIGINT NOT NULL,
  approved_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX tieouts_day ON tieouts (payer_id, day_no);

CREATE INDEX tieouts_unit ON tieouts (unit_id, id);

-- A delivery of one side, or Siyu's own side as a run took it.
CREATE TABLE IF NOT EXISTS tieout_files (
  id {{.ID}},
  tieout_id BIGINT NOT NULL,
  side VARCHAR(12) NOT NULL,
  part INT NOT NULL,
  form VARCHAR(32) NOT NULL,
  status VARCHAR(12) NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  line_count INT NOT NULL,
  delivered_by BIGINT NOT NULL,
  delivered_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX tieout_files_of ON tieout_files (tieout_id, id);

CREATE TABLE IF NOT EXISTS tieout_lines (
  file_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  tieout_id BIGINT NOT NULL,
  side VARCHAR(12) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  no VARCHAR(64) NOT NULL,
  order_id BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (file_id, line_no)
){{.Table}};

CREATE INDEX tieout_lines_no ON tieout_lines (tieout_id, kind, no);

-- What each side comes to, and what of the mall's is none of Siyu's.
CREATE TABLE IF NOT EXISTS tieout_totals (
  tieout_id BIGINT NOT NULL,
  run_no INT NOT NULL,
  side VARCHAR(12) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  line_count INT NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (tieout_id, run_no, side, kind)
){{.Table}};

CREATE TABLE IF NOT EXISTS tieout_differences (
  tieout_id BIGINT NOT NULL,
  run_no INT NOT NULL,
  diff_no INT NOT NULL,
  difference VARCHAR(20) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  no VARCHAR(64) NOT NULL,
  order_id BIGINT NOT NULL,
  mall_lines INT NOT NULL,
  mall_amount BIGINT NOT NULL,
  siyu_lines INT NOT NULL,
  siyu_amount BIGINT NOT NULL,
  statement_lines INT NOT NULL,
  statement_amount BIGINT NOT NULL,
  other_day INT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  explained_by BIGINT NOT NULL,
  explained_at BIGINT NOT NULL,
  PRIMARY KEY (tieout_id, run_no, diff_no)
){{.Table}};

CREATE UNIQUE INDEX tieout_differences_no ON tieout_differences (tieout_id, run_no, kind, no);

CREATE INDEX payments_paid ON payments (paid_at, id);

CREATE INDEX payments_number ON payments (payment_no);

CREATE INDEX refunds_done ON refunds (done_at, id);

CREATE INDEX refunds_number ON refunds (refund_no);

CREATE INDEX payout_lines_paid ON payout_lines (paid_at, id);
