-- What lifts a policy for some groups for a while, never the charter: an
-- override of one ad, a pass for a named moment, an advance on next week's ad.
-- Approved by somebody else than asked; whether used, the slots say.

CREATE TABLE IF NOT EXISTS guard_permits (
  id {{.ID}},
  kind VARCHAR(16) NOT NULL,
  unit_id BIGINT NOT NULL,
  promotion_id BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  from_at BIGINT NOT NULL,
  to_at BIGINT NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  approved_by BIGINT NOT NULL,
  approved_at BIGINT NOT NULL,
  revoked_by BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS guard_permit_groups (
  group_id BIGINT NOT NULL,
  permit_id BIGINT NOT NULL,
  PRIMARY KEY (group_id, permit_id)
){{.Table}};

CREATE INDEX guard_permit_groups_permit ON guard_permit_groups (permit_id);

ALTER TABLE slots ADD COLUMN permit_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE slots ADD COLUMN permit_kind VARCHAR(16) NOT NULL DEFAULT '';

ALTER TABLE decisions ADD COLUMN permit_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE decisions ADD COLUMN permit_kind VARCHAR(16) NOT NULL DEFAULT '';

-- An id made when the delivery began: clocks may step back, ids do not.
ALTER TABLE slots ADD COLUMN started_no BIGINT NOT NULL DEFAULT 0;
