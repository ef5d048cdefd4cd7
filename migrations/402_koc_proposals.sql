-- What KOC candidates of a group are to be paid for a month: proposed by one
-- colleague, decided by another. freed is 0 for lines that stand, and the
-- proposal's id once it was refused: a member is named once for a group and
-- month.

CREATE TABLE IF NOT EXISTS koc_proposals (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  program_id BIGINT NOT NULL,
  program_version INT NOT NULL,
  group_id BIGINT NOT NULL,
  month_no INT NOT NULL,
  as_of_day INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  proposed_by BIGINT NOT NULL,
  proposed_at BIGINT NOT NULL,
  decided_by BIGINT NOT NULL,
  decided_at BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL
){{.Table}};

CREATE INDEX koc_proposals_group ON koc_proposals (group_id, id);

CREATE TABLE IF NOT EXISTS koc_lines (
  id {{.ID}},
  proposal_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  month_no INT NOT NULL,
  member_id BIGINT NOT NULL,
  facts {{.Text}} NOT NULL,
  freed BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX koc_lines_once ON koc_lines (group_id, month_no, member_id, freed);

CREATE INDEX koc_lines_proposal ON koc_lines (proposal_id, id);
