-- The console lists payouts by WeChat bills, newest first, however many of
-- other channels lie between.

CREATE INDEX payouts_of_channel ON payouts (channel, id);
