-- Holdout groups: which of a promotion's groups are shown nothing, so that what
-- follows its ads can be held against them, and the share that was drawn.

ALTER TABLE promotions ADD COLUMN holdout_bp INT NOT NULL DEFAULT 0;

ALTER TABLE promotion_groups ADD COLUMN held_out INT NOT NULL DEFAULT 0;
