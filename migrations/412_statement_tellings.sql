-- Whom it was told that his statement of a month is there, once.

CREATE TABLE IF NOT EXISTS statement_tellings (
  member_id BIGINT NOT NULL,
  month_no INT NOT NULL,
  settlement_id BIGINT NOT NULL,
  told_at BIGINT NOT NULL,
  PRIMARY KEY (member_id, month_no)
){{.Table}};
