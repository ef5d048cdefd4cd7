-- Why a second person refused, or who asked took back: read by whoever asked.

ALTER TABLE price_approvals ADD COLUMN refusal VARCHAR(200) NOT NULL DEFAULT '';

ALTER TABLE guard_permits ADD COLUMN refusal VARCHAR(200) NOT NULL DEFAULT '';

ALTER TABLE materials ADD COLUMN refusal VARCHAR(200) NOT NULL DEFAULT '';
