-- What members object to in their monthly statements. While one is open the
-- member gets no payment of that settlement.

CREATE TABLE IF NOT EXISTS objections (
  id {{.ID}},
  settlement_id BIGINT NOT NULL,
  line_no INT NOT NULL,
  member_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  reason VARCHAR(400) NOT NULL,
  raised_by BIGINT NOT NULL,
  raised_at BIGINT NOT NULL,
  answer VARCHAR(400) NOT NULL,
  answered_by BIGINT NOT NULL,
  answered_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX objections_line ON objections (settlement_id, line_no);

CREATE INDEX objections_member ON objections (settlement_id, member_id, status);

CREATE INDEX objections_person ON objections (member_id, id);

CREATE INDEX objections_open ON objections (status, id);
