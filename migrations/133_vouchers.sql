-- Vouchers of closed days. A chart says which account of the general ledger a
-- movement is booked to; it is kept in versions, and a set says by which.

CREATE TABLE IF NOT EXISTS voucher_charts (
  no INT NOT NULL PRIMARY KEY,
  made_by BIGINT NOT NULL,
  made_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS voucher_rules (
  chart_no INT NOT NULL,
  rule_no INT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  payee_type VARCHAR(16) NOT NULL,
  stage VARCHAR(16) NOT NULL,
  owner_kind VARCHAR(16) NOT NULL,
  code VARCHAR(32) NOT NULL,
  title VARCHAR(64) NOT NULL,
  PRIMARY KEY (chart_no, rule_no)
){{.Table}};

CREATE TABLE IF NOT EXISTS voucher_sets (
  close_no BIGINT NOT NULL,
  chart_no INT NOT NULL,
  day_no INT NOT NULL,
  line_count INT NOT NULL,
  debit BIGINT NOT NULL,
  credit BIGINT NOT NULL,
  made_by BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (close_no, chart_no),
  CHECK (debit = credit)
){{.Table}};

CREATE TABLE IF NOT EXISTS voucher_lines (
  close_no BIGINT NOT NULL,
  chart_no INT NOT NULL,
  line_no INT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  payee_type VARCHAR(16) NOT NULL,
  stage VARCHAR(16) NOT NULL,
  owner_kind VARCHAR(16) NOT NULL,
  code VARCHAR(32) NOT NULL,
  title VARCHAR(64) NOT NULL,
  debit BIGINT NOT NULL,
  credit BIGINT NOT NULL,
  PRIMARY KEY (close_no, chart_no, line_no)
){{.Table}};
