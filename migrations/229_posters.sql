-- What codes are printed on: an uploaded background with its layout.

CREATE TABLE IF NOT EXISTS poster_templates (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(64) NOT NULL,
  width INT NOT NULL,
  height INT NOT NULL,
  layout {{.Text}} NOT NULL,
  image {{.Blob}} NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX poster_templates_name ON poster_templates (unit_id, name);
