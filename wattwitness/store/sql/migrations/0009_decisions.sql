-- What officers decided about leads. Nothing is deleted: a later decision takes an earlier one back.
CREATE TABLE decisions (
    decision_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lead_id        text        NOT NULL, -- not a reference: a lead may vanish, what was decided stays
    enterprise_key int         NOT NULL,
    outcome        text        NOT NULL CHECK (outcome IN ('confirmed', 'dismissed', 'not_yet')),
    reason         text        NOT NULL CHECK (reason <> ''),
    actor          text        NOT NULL,
    decided_at     timestamptz NOT NULL, -- wall clock
    score          float8      NOT NULL, -- score and confidence as they were shown then
    confidence     float8      NOT NULL,
    raw_confidence float8      NOT NULL, -- as the analytics gave it
    episodes       text[]      NOT NULL, -- of the lead then
    lead_to        timestamptz NOT NULL -- data time; what begins later opens the lead again
);
CREATE INDEX decisions_lead ON decisions (lead_id, decision_id);

-- What decisions taught: raw confidence -> calibrated. The newest row holds; no points = as it is.
CREATE TABLE recalibrations (
    recalibration_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    recalibrated_at  timestamptz NOT NULL, -- wall clock of the decision that changed it
    decisions        int         NOT NULL,
    points           jsonb       NOT NULL
);

ALTER TABLE leads
    ADD COLUMN newest_from timestamptz, -- when its newest episode began
    ADD COLUMN registration_check jsonb NOT NULL DEFAULT '[]';

-- Rules that hold right now, and are no episodes yet.
CREATE TABLE early_warnings (
    enterprise_key   int         NOT NULL,
    kind             text        NOT NULL,
    pairing_id       text        NOT NULL,
    from_at          timestamptz NOT NULL,
    to_at            timestamptz NOT NULL,
    known_minutes    float8      NOT NULL,
    required_minutes float8      NOT NULL,
    PRIMARY KEY (enterprise_key, kind, pairing_id, from_at)
);
