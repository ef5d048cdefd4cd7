-- A settlement is paid by one payout or by several, each of one payer; a
-- member stands on one line of a settlement's payouts, so what is on its way
-- is locked.

ALTER TABLE payers ADD COLUMN daily_limit BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payouts ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payouts ADD COLUMN owed BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payouts ADD COLUMN limit_fen BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payouts ADD COLUMN carry_held INT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN settlement_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN owed BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN day_no INT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN paid_at BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN payee_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN payee_no INT NOT NULL DEFAULT 0;

ALTER TABLE payout_lines ADD COLUMN account_kind VARCHAR(16) NOT NULL DEFAULT '';

ALTER TABLE payout_lines ADD COLUMN tax_line_id BIGINT NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX payout_lines_settled ON payout_lines (settlement_id, member_id);

-- What a payer has given out on a day, under its limit.
CREATE TABLE IF NOT EXISTS payer_days (
  payer_id BIGINT NOT NULL,
  day_no INT NOT NULL,
  owed BIGINT NOT NULL,
  PRIMARY KEY (payer_id, day_no)
){{.Table}};

-- Whom a payout left out, and why.
CREATE TABLE IF NOT EXISTS payout_holds (
  payout_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  owed BIGINT NOT NULL,
  reason VARCHAR(24) NOT NULL,
  PRIMARY KEY (payout_id, member_id)
){{.Table}};
