-- Figures of invitations are counted over those bound within a window.

CREATE INDEX bindings_bound ON bindings (bound_at, id);
