-- Steps by the inviter's count: the counters of caps count each stepped rule
-- too ('' is what caps count), and a reward keeps its place in that count and
-- the step it was paid by (0: its rule has no steps).

ALTER TABLE reward_counts ADD COLUMN rule VARCHAR(24) NOT NULL DEFAULT '';

CREATE UNIQUE INDEX reward_counts_place ON reward_counts (program_id, member_id, rule, window_no);

DROP INDEX reward_counts_window{{.On "reward_counts"}};

ALTER TABLE rewards ADD COLUMN nth_no BIGINT NOT NULL DEFAULT 0;

ALTER TABLE rewards ADD COLUMN step_no INT NOT NULL DEFAULT 0;
