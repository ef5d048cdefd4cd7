-- Withdrawal on request 提现: how a payer's members are paid, in versions; what
-- they ask for; which rewards a request covers.

CREATE TABLE IF NOT EXISTS withdrawal_terms (
  payer_id BIGINT NOT NULL,
  no INT NOT NULL,
  mode VARCHAR(16) NOT NULL,
  least BIGINT NOT NULL,
  most BIGINT NOT NULL,
  fee_fixed BIGINT NOT NULL,
  fee_rate INT NOT NULL,
  per_day INT NOT NULL,
  made_by BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (payer_id, no)
){{.Table}};

-- One row per payer that was ever given terms. Asking and closing lock it, so
-- that a closing knows by number which requests were made before it.
CREATE TABLE IF NOT EXISTS withdrawal_heads (
  payer_id BIGINT NOT NULL PRIMARY KEY,
  terms_no INT NOT NULL,
  last_no BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS withdrawals (
  id {{.ID}},
  payer_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  no BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  terms_no INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  reward_count INT NOT NULL,
  gross BIGINT NOT NULL,
  fee BIGINT NOT NULL,
  day_no INT NOT NULL,
  day_seq INT NOT NULL,
  asked_at BIGINT NOT NULL,
  reopened_at BIGINT NOT NULL,
  settlement_id BIGINT NOT NULL,
  ended_at BIGINT NOT NULL,
  ended_by BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  CHECK (fee >= 0 AND fee < gross)
){{.Table}};

CREATE UNIQUE INDEX withdrawals_no ON withdrawals (payer_id, no);

-- The place of a request in its member's day: two that saw the same counter
-- cannot both stand.
CREATE UNIQUE INDEX withdrawals_day ON withdrawals (member_id, payer_id, day_no, day_seq);

CREATE INDEX withdrawals_member ON withdrawals (member_id, id);

CREATE INDEX withdrawals_status ON withdrawals (status, payer_id, no);

CREATE INDEX withdrawals_settlement ON withdrawals (settlement_id, id);

-- What a request covers. live is 0 while it does, and the request's id once it
-- let the reward go.
CREATE TABLE IF NOT EXISTS withdrawal_rewards (
  withdrawal_id BIGINT NOT NULL,
  reward_id BIGINT NOT NULL,
  live BIGINT NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (withdrawal_id, reward_id)
){{.Table}};

CREATE UNIQUE INDEX withdrawal_rewards_live ON withdrawal_rewards (reward_id, live);

-- How often a member asked a payer on a local day.
CREATE TABLE IF NOT EXISTS withdrawal_days (
  member_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  day_no INT NOT NULL,
  qty INT NOT NULL,
  PRIMARY KEY (member_id, payer_id, day_no)
){{.Table}};

-- How a settlement was closed: 1 takes what was asked for and nothing else.
-- asked_upto is the last request made before it began to close.
ALTER TABLE settlements ADD COLUMN on_request INT NOT NULL DEFAULT 0;

ALTER TABLE settlements ADD COLUMN asked_upto BIGINT NOT NULL DEFAULT 0;
