-- When a channel may deliver next, and until when deliveries are spread ahead.

CREATE TABLE IF NOT EXISTS channel_paces (
  channel VARCHAR(16) NOT NULL PRIMARY KEY,
  free_at BIGINT NOT NULL,
  spread_at BIGINT NOT NULL
){{.Table}};
