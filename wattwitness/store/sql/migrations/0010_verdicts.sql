-- Verdicts on alerts, one per alert and enterprise, and every turn they took.
CREATE TABLE verdicts (
    alert_id       text        NOT NULL, -- not a reference: what was said stays, whatever is imported
    enterprise_key int         NOT NULL,
    as_of          timestamptz NOT NULL, -- data time up to which was judged
    verdict        text        NOT NULL,
    confidence     float8      NOT NULL,
    basis          text        NOT NULL, -- digest of the plan, alert and declarations judged under
    record         jsonb       NOT NULL, -- the whole verdict
    changed_at     timestamptz NOT NULL, -- wall clock
    PRIMARY KEY (alert_id, enterprise_key)
);
CREATE INDEX verdicts_enterprise ON verdicts (enterprise_key);

CREATE TABLE verdict_changes (
    change_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id       text        NOT NULL,
    enterprise_key int         NOT NULL,
    changed_at     timestamptz NOT NULL, -- wall clock
    as_of          timestamptz NOT NULL, -- data time of the new verdict
    cause          text        NOT NULL CHECK (cause IN ('time', 'late_data', 'registry')),
    before         text, -- null = the first that was said
    after          text, -- null = withdrawn: the alert no longer concerns the enterprise
    confidence     float8      NOT NULL,
    record         jsonb       -- the whole verdict as it was then
);
CREATE INDEX verdict_changes_alert ON verdict_changes (alert_id, enterprise_key, change_id);
