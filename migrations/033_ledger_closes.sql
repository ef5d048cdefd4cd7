-- The books by day: a closed day says exactly which transfers it sealed. A
-- transfer is in the close whose number it carries, so never in two; 0 is not
-- yet. Closing finds those by the first index, statements by the second.

ALTER TABLE transfers ADD COLUMN close_no BIGINT NOT NULL DEFAULT 0;

CREATE INDEX transfers_close ON transfers (close_no, at, id);

CREATE INDEX entries_book ON entries (account_id, at, id, amount);

CREATE TABLE IF NOT EXISTS ledger_closes (
  no BIGINT NOT NULL PRIMARY KEY,
  day_no INT NOT NULL,
  until_at BIGINT NOT NULL,
  status VARCHAR(8) NOT NULL,
  transfer_count BIGINT NOT NULL,
  entry_count BIGINT NOT NULL,
  late_count BIGINT NOT NULL,
  rows_digest VARCHAR(64) NOT NULL,
  previous VARCHAR(64) NOT NULL,
  digest VARCHAR(64) NOT NULL,
  opened_by BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  sealed_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX ledger_closes_day ON ledger_closes (day_no);

-- What moved on the day, and what stood at its end.
CREATE TABLE IF NOT EXISTS ledger_close_lines (
  close_no BIGINT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  stage VARCHAR(16) NOT NULL,
  owner_kind VARCHAR(16) NOT NULL,
  currency VARCHAR(3) NOT NULL,
  entry_count BIGINT NOT NULL,
  came BIGINT NOT NULL,
  went BIGINT NOT NULL,
  PRIMARY KEY (close_no, kind, stage, owner_kind, currency)
){{.Table}};

CREATE TABLE IF NOT EXISTS ledger_close_balances (
  close_no BIGINT NOT NULL,
  stage VARCHAR(16) NOT NULL,
  owner_kind VARCHAR(16) NOT NULL,
  currency VARCHAR(3) NOT NULL,
  opening BIGINT NOT NULL,
  moved BIGINT NOT NULL,
  closing BIGINT NOT NULL,
  PRIMARY KEY (close_no, stage, owner_kind, currency)
){{.Table}};
