-- Payouts whose payments are on their way until a result says what became of
-- them: the files they are paid by, and the results that came back.

ALTER TABLE payouts ADD COLUMN channel VARCHAR(32) NOT NULL DEFAULT 'manual';

ALTER TABLE payout_lines ADD COLUMN arrived_by BIGINT NOT NULL DEFAULT 0;

-- Every making of a file, by the hash of its bytes; the bytes are not kept,
-- because they name people.
CREATE TABLE IF NOT EXISTS payout_files (
  payout_id BIGINT NOT NULL,
  part INT NOT NULL,
  made_no INT NOT NULL,
  row_count INT NOT NULL,
  net BIGINT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  made_by BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (payout_id, part, made_no)
){{.Table}};

-- Result files and their lines, without the names and accounts in them; the
-- same bytes are the same import.
CREATE TABLE IF NOT EXISTS payout_imports (
  payout_id BIGINT NOT NULL,
  import_no INT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  status VARCHAR(16) NOT NULL,
  row_count INT NOT NULL,
  missing_count INT NOT NULL,
  imported_by BIGINT NOT NULL,
  imported_at BIGINT NOT NULL,
  done_at BIGINT NOT NULL,
  PRIMARY KEY (payout_id, import_no)
){{.Table}};

CREATE UNIQUE INDEX payout_imports_bytes ON payout_imports (payout_id, sha256);

CREATE TABLE IF NOT EXISTS payout_import_rows (
  payout_id BIGINT NOT NULL,
  import_no INT NOT NULL,
  row_no INT NOT NULL,
  line_no INT NOT NULL,
  bill_no VARCHAR(64) NOT NULL,
  amount BIGINT NOT NULL,
  state VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  outcome VARCHAR(24) NOT NULL,
  PRIMARY KEY (payout_id, import_no, row_no)
){{.Table}};
