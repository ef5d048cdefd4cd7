-- The double-entry ledger: accounts, transfers that sum to zero, their legs.

CREATE TABLE IF NOT EXISTS accounts (
  id {{.ID}},
  stage VARCHAR(16) NOT NULL,
  owner_kind VARCHAR(16) NOT NULL,
  owner_id BIGINT NOT NULL,
  currency VARCHAR(3) NOT NULL,
  balance BIGINT NOT NULL,
  guarded INT NOT NULL,
  created_at BIGINT NOT NULL,
  CHECK (guarded = 0 OR balance >= 0)
){{.Table}};

CREATE UNIQUE INDEX accounts_owner ON accounts (stage, owner_kind, owner_id, currency);

CREATE TABLE IF NOT EXISTS transfers (
  id {{.ID}},
  transfer_key VARCHAR(128) NOT NULL,
  kind VARCHAR(32) NOT NULL,
  currency VARCHAR(3) NOT NULL,
  corrects BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX transfers_key ON transfers (transfer_key);

CREATE TABLE IF NOT EXISTS entries (
  id {{.ID}},
  transfer_id BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  currency VARCHAR(3) NOT NULL,
  amount BIGINT NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE INDEX entries_account ON entries (account_id, id);

CREATE INDEX entries_transfer ON entries (transfer_id);
