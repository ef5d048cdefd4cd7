-- Who pays, who receives, and what was withheld of it. A program, a campaign
-- and a settlement each have one payer; 0 is the default payer of the root
-- unit, whose id is that unit's.

CREATE TABLE IF NOT EXISTS payers (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  tax_no VARCHAR(20) NOT NULL,
  agent_id BIGINT NOT NULL,
  mch_id VARCHAR(32) NOT NULL,
  app_id VARCHAR(32) NOT NULL,
  strategy VARCHAR(32) NOT NULL,
  income_type VARCHAR(16) NOT NULL,
  borne_by VARCHAR(16) NOT NULL,
  payee_needed INT NOT NULL,
  cost_centre VARCHAR(64) NOT NULL,
  budget_no VARCHAR(64) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX payers_unit ON payers (unit_id, id);

CREATE INDEX payers_agent ON payers (agent_id, income_type);

-- One row per withholding agent, locked by every withholding and by the close
-- of a month. Months before open_month are closed. A payer without a tax number
-- is an agent of its own.
CREATE TABLE IF NOT EXISTS tax_agents (
  id {{.ID}},
  tax_no VARCHAR(32) NOT NULL,
  open_month INT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX tax_agents_no ON tax_agents (tax_no);

CREATE TABLE IF NOT EXISTS tax_closes (
  agent_id BIGINT NOT NULL,
  month_no INT NOT NULL,
  closed_by BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  line_count INT NOT NULL,
  gross BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  PRIMARY KEY (agent_id, month_no)
){{.Table}};

-- What one agent paid one person as one kind of income in one month: the fold
-- of its lines, kept under a lock.
CREATE TABLE IF NOT EXISTS tax_months (
  id {{.ID}},
  agent_id BIGINT NOT NULL,
  taxpayer_id BIGINT NOT NULL,
  income_type VARCHAR(16) NOT NULL,
  month_no INT NOT NULL,
  strategy VARCHAR(32) NOT NULL,
  rule_version VARCHAR(40) NOT NULL,
  line_count INT NOT NULL,
  gross BIGINT NOT NULL,
  tax BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX tax_months_one ON tax_months (agent_id, taxpayer_id, income_type, month_no);

CREATE INDEX tax_months_month ON tax_months (agent_id, month_no, id);

-- Append-only. A reversal names the line it corrects, once.
CREATE TABLE IF NOT EXISTS tax_lines (
  id {{.ID}},
  month_id BIGINT NOT NULL,
  line_key VARCHAR(64) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  corrects BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  payee_id BIGINT NOT NULL,
  borne_by VARCHAR(16) NOT NULL,
  promised BIGINT NOT NULL,
  gross BIGINT NOT NULL,
  taxable BIGINT NOT NULL,
  rate INT NOT NULL,
  quick BIGINT NOT NULL,
  tax BIGINT NOT NULL,
  net BIGINT NOT NULL,
  rule_version VARCHAR(40) NOT NULL,
  at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX tax_lines_key ON tax_lines (line_key);

CREATE INDEX tax_lines_month ON tax_lines (month_id, id);

CREATE INDEX tax_lines_payee ON tax_lines (payee_id, id);

CREATE INDEX tax_lines_payer ON tax_lines (payer_id, id);

-- One taxpayer per resident id or tax number, whoever's member ids it is
-- behind.
CREATE TABLE IF NOT EXISTS taxpayers (
  id {{.ID}},
  hash VARCHAR(64) NOT NULL
){{.Table}};

CREATE UNIQUE INDEX taxpayers_hash ON taxpayers (hash);

CREATE TABLE IF NOT EXISTS payees (
  id {{.ID}},
  member_id BIGINT NOT NULL,
  active_no INT NOT NULL,
  pending_no INT NOT NULL,
  last_no INT NOT NULL,
  paid_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payees_member ON payees (member_id);

-- What a payee is, in versions that are added and decided and never edited;
-- erasure empties sealed, the hashes and the masks.
CREATE TABLE IF NOT EXISTS payee_versions (
  payee_id BIGINT NOT NULL,
  no INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  payee_type VARCHAR(16) NOT NULL,
  account_kind VARCHAR(16) NOT NULL,
  app_id VARCHAR(64) NOT NULL,
  taxpayer_id BIGINT NOT NULL,
  name_mask VARCHAR(100) NOT NULL,
  id_mask VARCHAR(32) NOT NULL,
  account_mask VARCHAR(64) NOT NULL,
  phone_mask VARCHAR(32) NOT NULL,
  name_hash VARCHAR(64) NOT NULL,
  account_hash VARCHAR(64) NOT NULL,
  sealed {{.Blob}} NOT NULL,
  consent_version VARCHAR(32) NOT NULL,
  entered_by BIGINT NOT NULL,
  entered_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  PRIMARY KEY (payee_id, no)
){{.Table}};

CREATE INDEX payee_versions_status ON payee_versions (status, payee_id);

CREATE INDEX payee_versions_account ON payee_versions (account_hash);

CREATE TABLE IF NOT EXISTS payee_invoices (
  id {{.ID}},
  payee_id BIGINT NOT NULL,
  payer_id BIGINT NOT NULL,
  invoice_no VARCHAR(32) NOT NULL,
  amount BIGINT NOT NULL,
  recorded_by BIGINT NOT NULL,
  recorded_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX payee_invoices_no ON payee_invoices (invoice_no);

CREATE INDEX payee_invoices_payee ON payee_invoices (payee_id, payer_id);

ALTER TABLE programs ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE campaigns ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE settlements ADD COLUMN payer_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE settlements ADD COLUMN income_type VARCHAR(16) NOT NULL DEFAULT '';
