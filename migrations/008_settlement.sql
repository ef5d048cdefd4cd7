-- Sealed settlements: their lines, files and chain, and the payouts that pay
-- them.

CREATE TABLE IF NOT EXISTS settlements (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  label VARCHAR(64) NOT NULL,
  currency VARCHAR(3) NOT NULL,
  all_programs INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  wanted_cut_at BIGINT NOT NULL,
  cut_at BIGINT NOT NULL,
  tax_rule VARCHAR(32) NOT NULL,
  line_count INT NOT NULL,
  gross BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  net BIGINT NOT NULL,
  rows_digest VARCHAR(64) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  closed_by BIGINT NOT NULL,
  closing_at BIGINT NOT NULL,
  reviewed_by BIGINT NOT NULL,
  reviewed_at BIGINT NOT NULL,
  rejected_by BIGINT NOT NULL,
  rejected_at BIGINT NOT NULL,
  reject_reason VARCHAR(200) NOT NULL,
  freed_at BIGINT NOT NULL,
  paid_by BIGINT NOT NULL,
  paid_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX settlements_unit ON settlements (unit_id, id);

CREATE TABLE IF NOT EXISTS settlement_programs (
  settlement_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  PRIMARY KEY (settlement_id, program_id)
){{.Table}};

CREATE INDEX settlement_programs_program ON settlement_programs (program_id, settlement_id);

-- One row per sealed settlement; row 0 is the head that sealing locks.
CREATE TABLE IF NOT EXISTS settlement_chain (
  seq BIGINT NOT NULL PRIMARY KEY,
  settlement_id BIGINT NOT NULL,
  previous VARCHAR(64) NOT NULL,
  digest VARCHAR(64) NOT NULL,
  sealed_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX settlement_chain_settlement ON settlement_chain (settlement_id);

CREATE TABLE IF NOT EXISTS settlement_lines (
  id {{.ID}},
  settlement_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  kind VARCHAR(16) NOT NULL,
  source_id BIGINT NOT NULL,
  freed BIGINT NOT NULL,
  reward_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  program_version INT NOT NULL,
  campaign_id BIGINT NOT NULL,
  order_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  rule_name VARCHAR(24) NOT NULL,
  note VARCHAR(200) NOT NULL,
  corrects VARCHAR(48) NOT NULL,
  tax_rule VARCHAR(32) NOT NULL,
  gross BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  net BIGINT NOT NULL,
  occurred_at BIGINT NOT NULL,
  digest VARCHAR(64) NOT NULL
){{.Table}};

-- A reward, a clawback, a debt or a failed payment stands on one line that is
-- not freed.
CREATE UNIQUE INDEX settlement_lines_source ON settlement_lines (source_id, kind, freed);

CREATE UNIQUE INDEX settlement_lines_no ON settlement_lines (settlement_id, line_no);

CREATE INDEX settlement_lines_member ON settlement_lines (settlement_id, member_id);

CREATE INDEX settlement_lines_kind ON settlement_lines (kind, settlement_id);

CREATE TABLE IF NOT EXISTS settlement_files (
  settlement_id BIGINT NOT NULL,
  name VARCHAR(64) NOT NULL,
  file_id BIGINT NOT NULL,
  media VARCHAR(100) NOT NULL,
  size BIGINT NOT NULL,
  chunk_count INT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  PRIMARY KEY (settlement_id, name)
){{.Table}};

CREATE TABLE IF NOT EXISTS settlement_chunks (
  file_id BIGINT NOT NULL,
  chunk_no INT NOT NULL,
  settlement_id BIGINT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  body {{.Blob}} NOT NULL,
  PRIMARY KEY (file_id, chunk_no)
){{.Table}};

CREATE INDEX settlement_chunks_settlement ON settlement_chunks (settlement_id);

CREATE TABLE IF NOT EXISTS payouts (
  id {{.ID}},
  settlement_id BIGINT NOT NULL,
  unit_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  gross BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  net BIGINT NOT NULL,
  line_count INT NOT NULL,
  failed_count INT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  paid_by BIGINT NOT NULL,
  paying_at BIGINT NOT NULL,
  paid_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payouts_settlement ON payouts (settlement_id);

CREATE TABLE IF NOT EXISTS payout_lines (
  id {{.ID}},
  payout_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  member_id BIGINT NOT NULL,
  paid_to BIGINT NOT NULL,
  gross BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  net BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  transfer_id BIGINT NOT NULL,
  returned_by BIGINT NOT NULL,
  failed_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payout_lines_no ON payout_lines (payout_id, line_no);

CREATE UNIQUE INDEX payout_lines_member ON payout_lines (payout_id, member_id);

CREATE INDEX payout_lines_failed ON payout_lines (status, failed_at);
