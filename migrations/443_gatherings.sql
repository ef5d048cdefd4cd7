-- Offline events of a group: places held by the event's own row, a line for
-- who comes too late, and who was there.

CREATE TABLE IF NOT EXISTS gatherings (
  id {{.ID}},
  group_id BIGINT NOT NULL,
  title VARCHAR(100) NOT NULL,
  place VARCHAR(200) NOT NULL,
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  capacity INT NOT NULL,
  taken INT NOT NULL,
  status VARCHAR(16) NOT NULL,
  reason VARCHAR(200) NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  CONSTRAINT gatherings_places CHECK (taken >= 0 AND taken <= capacity)
){{.Table}};

CREATE INDEX gatherings_group ON gatherings (group_id, id);

CREATE TABLE IF NOT EXISTS gathering_seats (
  id {{.ID}},
  gathering_id BIGINT NOT NULL,
  group_id BIGINT NOT NULL,
  member_id BIGINT NOT NULL,
  status VARCHAR(16) NOT NULL,
  waited_at BIGINT NOT NULL,
  checked_at BIGINT NOT NULL,
  checked_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX gathering_seats_once ON gathering_seats (gathering_id, member_id);

CREATE INDEX gathering_seats_line ON gathering_seats (gathering_id, status, waited_at, id);

CREATE INDEX gathering_seats_member ON gathering_seats (member_id, id);

CREATE INDEX gathering_seats_attended ON gathering_seats (group_id, checked_at);
