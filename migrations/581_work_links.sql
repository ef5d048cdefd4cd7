-- Links by which a group's owner opens his work page on a phone: opened once,
-- good for hours, ended at any time. The link itself is signed and not stored.

CREATE TABLE IF NOT EXISTS work_links (
  id {{.ID}},
  staff_id BIGINT NOT NULL,
  made_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  open_until BIGINT NOT NULL,
  opened_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
){{.Table}};

CREATE INDEX work_links_staff ON work_links (staff_id, id);
