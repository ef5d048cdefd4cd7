-- How many people of a group took part together on a local day, by whoever
-- held it: ref names the ritual or event.
CREATE TABLE IF NOT EXISTS group_gatherings (
  group_id BIGINT NOT NULL,
  day INT NOT NULL,
  ref BIGINT NOT NULL,
  people INT NOT NULL,
  PRIMARY KEY (group_id, day, ref)
){{.Table}};
