-- How many rewards were earned under a program's caps and what they cost, per
-- beneficiary (0: everybody's) and window: 0 is for ever, yyyymm a month,
-- yyyymmdd a day. brought is what merging members added.
CREATE TABLE IF NOT EXISTS reward_counts (
  id {{.ID}},
  program_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  window_no INT NOT NULL,
  qty BIGINT NOT NULL,
  cost BIGINT NOT NULL,
  brought_qty BIGINT NOT NULL,
  brought_cost BIGINT NOT NULL,
  CHECK (qty >= 0 AND cost >= 0)
){{.Table}};

CREATE UNIQUE INDEX reward_counts_window ON reward_counts (program_id, member_id, window_no);

CREATE INDEX reward_counts_member ON reward_counts (member_id);
