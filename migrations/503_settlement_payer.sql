-- The payer as it was when a settlement began to close, for its files. Those of
-- layout 0 were closed before and say nothing of it.

ALTER TABLE settlements ADD COLUMN layout INT NOT NULL DEFAULT 0;

ALTER TABLE settlements ADD COLUMN payer_name VARCHAR(100) NOT NULL DEFAULT '';

ALTER TABLE settlements ADD COLUMN cost_centre VARCHAR(64) NOT NULL DEFAULT '';

ALTER TABLE settlements ADD COLUMN budget_no VARCHAR(64) NOT NULL DEFAULT '';
