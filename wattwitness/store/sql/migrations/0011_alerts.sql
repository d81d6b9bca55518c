-- Alerts in course: changes of level, and who did what to an alert, a plan, or on the telephone.
-- The logs are only ever added to.

CREATE TABLE alert_changes (
    alert_id      text        NOT NULL REFERENCES alerts,
    issued_at     timestamptz NOT NULL, -- tells the changes of an alert apart
    level         text        NOT NULL,
    response_from timestamptz NOT NULL,
    PRIMARY KEY (alert_id, issued_at)
);

CREATE TABLE alert_log (
    entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id text        NOT NULL,
    act      text        NOT NULL, -- declared, changed, lifted, amended, imported
    actor    text        NOT NULL CHECK (actor <> ''),
    reason   text        NOT NULL CHECK (reason <> ''),
    at       timestamptz NOT NULL, -- wall clock
    before   jsonb, -- the row of the alert, or of one of its changes; NULL = there was none
    after    jsonb       NOT NULL
);
CREATE INDEX alert_log_alert ON alert_log (alert_id, entry_id);

CREATE TABLE measure_log (
    entry_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enterprise_id text        NOT NULL,
    act           text        NOT NULL, -- saved, removed, imported
    actor         text        NOT NULL CHECK (actor <> ''),
    reason        text        NOT NULL CHECK (reason <> ''),
    at            timestamptz NOT NULL, -- wall clock
    before        jsonb, -- the row of the measure
    after         jsonb -- NULL = removed
);
CREATE INDEX measure_log_enterprise ON measure_log (enterprise_id, entry_id);

CREATE TABLE call_notes (
    note_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id      text        NOT NULL,
    enterprise_id text        NOT NULL,
    at            timestamptz NOT NULL, -- wall clock
    actor         text        NOT NULL CHECK (actor <> ''),
    text          text        NOT NULL CHECK (text <> ''),
    promised_at   timestamptz -- "will stop by"
);
CREATE INDEX call_notes_alert ON call_notes (alert_id, enterprise_id, note_id);
