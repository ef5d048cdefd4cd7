-- What ads show: materials with their variants and pictures, the brand's own
-- words that must not stand in them, and which material a promotion sends.

CREATE TABLE IF NOT EXISTS materials (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  name VARCHAR(100) NOT NULL,
  kind VARCHAR(8) NOT NULL,
  sponsor VARCHAR(60) NOT NULL,
  status VARCHAR(16) NOT NULL,
  words VARCHAR(32) NOT NULL,
  created_by BIGINT NOT NULL,
  approved_by BIGINT NOT NULL,
  version INT NOT NULL,
  created_at BIGINT NOT NULL,
  approved_at BIGINT NOT NULL,
  withdrawn_at BIGINT NOT NULL
){{.Table}};

CREATE TABLE IF NOT EXISTS material_variants (
  material_id BIGINT NOT NULL,
  variant_no INT NOT NULL,
  title_zh VARCHAR(64) NOT NULL,
  title_en VARCHAR(64) NOT NULL,
  text_zh VARCHAR(4000) NOT NULL,
  text_en VARCHAR(4000) NOT NULL,
  link VARCHAR(500) NOT NULL,
  app_id VARCHAR(32) NOT NULL,
  app_path VARCHAR(500) NOT NULL,
  picture_id BIGINT NOT NULL,
  PRIMARY KEY (material_id, variant_no)
){{.Table}};

CREATE TABLE IF NOT EXISTS pictures (
  id {{.ID}},
  unit_id BIGINT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  format VARCHAR(8) NOT NULL,
  width INT NOT NULL,
  height INT NOT NULL,
  size INT NOT NULL,
  body {{.Blob}} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

CREATE UNIQUE INDEX pictures_sha256 ON pictures (unit_id, sha256);

CREATE TABLE IF NOT EXISTS ad_words (
  version INT NOT NULL PRIMARY KEY,
  body {{.Text}} NOT NULL,
  created_by BIGINT NOT NULL,
  created_at BIGINT NOT NULL
){{.Table}};

ALTER TABLE promotions ADD COLUMN material_id BIGINT NOT NULL DEFAULT 0;

ALTER TABLE promotion_sends ADD COLUMN variant_no INT NOT NULL DEFAULT 0;
