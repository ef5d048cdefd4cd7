-- Codes by the campaign they lead to and bindings by their code: a campaign's
-- funnel begins with these. Orders have no such index, because every claim
-- would pay for it.

CREATE INDEX codes_campaign ON codes (campaign_id);

CREATE INDEX bindings_code ON bindings (code_id);
