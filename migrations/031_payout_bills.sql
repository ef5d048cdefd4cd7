-- Payments by transfer bills: each is kept under its number before it is asked
-- for, so that whatever is lost is asked again by the same number.

CREATE TABLE IF NOT EXISTS payout_bills (
  id {{.ID}},
  bill_no VARCHAR(32) NOT NULL,
  payout_id BIGINT NOT NULL,
  line_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  try_no INT NOT NULL,
  member_id BIGINT NOT NULL,
  payee_id BIGINT NOT NULL,
  payee_no INT NOT NULL,
  net BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  asked_no INT NOT NULL,
  refused INT NOT NULL,
  code VARCHAR(64) NOT NULL,
  platform_no VARCHAR(64) NOT NULL,
  package_info VARCHAR(1000) NOT NULL,
  made_at BIGINT NOT NULL,
  sent_at BIGINT NOT NULL,
  until_at BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  ended_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payout_bills_no ON payout_bills (bill_no);

-- One bill at a time: the next try of a line comes after the last one's end.
CREATE UNIQUE INDEX payout_bills_try ON payout_bills (line_id, try_no);

CREATE INDEX payout_bills_due ON payout_bills (payout_id, status, next_at);

CREATE INDEX payout_bills_member ON payout_bills (member_id, status);
