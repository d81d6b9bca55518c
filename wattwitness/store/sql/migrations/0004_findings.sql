-- What the analytics found. Everything here can be computed again from readings and registry.

CREATE TABLE day_histograms (
    circuit_key int   NOT NULL,
    day         date  NOT NULL,
    counts      int[] NOT NULL,
    PRIMARY KEY (circuit_key, day)
);

CREATE TABLE day_thresholds (
    circuit_key        int    NOT NULL,
    day                date   NOT NULL,
    standby_kw         float8,
    standby_release_kw float8,
    running_kw         float8,
    running_release_kw float8,
    running_level_kw   float8,
    basis              text   NOT NULL,
    PRIMARY KEY (circuit_key, day)
);

CREATE TABLE state_spells (
    circuit_key int         NOT NULL,
    day         date        NOT NULL, -- the local day that the spell was cut to
    from_at     timestamptz NOT NULL,
    to_at       timestamptz NOT NULL,
    state       smallint    NOT NULL,
    PRIMARY KEY (circuit_key, from_at)
);
CREATE INDEX state_spells_day ON state_spells (day, circuit_key);

CREATE TABLE day_quality (
    circuit_key int  NOT NULL,
    day         date NOT NULL,
    expected    int  NOT NULL,
    received    int  NOT NULL,
    valid       int  NOT NULL,
    in_time     int,
    PRIMARY KEY (circuit_key, day)
);

CREATE TABLE condition_spells (
    enterprise_key int         NOT NULL,
    day            date        NOT NULL,
    kind           text        NOT NULL,
    subject        text        NOT NULL,
    from_at        timestamptz NOT NULL,
    to_at          timestamptz NOT NULL,
    sums           jsonb       NOT NULL,
    PRIMARY KEY (enterprise_key, day, kind, subject, from_at)
);

CREATE TABLE episodes (
    episode_id     text PRIMARY KEY,
    enterprise_key int         NOT NULL,
    kind           text        NOT NULL,
    from_at        timestamptz NOT NULL,
    to_at          timestamptz NOT NULL,
    detected_at    timestamptz NOT NULL,
    circuits       text[]      NOT NULL,
    pairing_id     text,
    confidence     float8      NOT NULL,
    evidence       jsonb       NOT NULL,
    rule_version   text        NOT NULL,
    suppressed_by  text
);
CREATE INDEX episodes_enterprise ON episodes (enterprise_key, from_at);

CREATE TABLE leads (
    lead_id        text PRIMARY KEY,
    enterprise_key int         NOT NULL,
    matter         text        NOT NULL,
    score          float8      NOT NULL,
    confidence     float8      NOT NULL,
    level          text        NOT NULL,
    kinds          text[]      NOT NULL,
    from_at        timestamptz NOT NULL,
    to_at          timestamptz NOT NULL,
    episodes       text[]      NOT NULL,
    reason         jsonb       NOT NULL,
    doubts         jsonb       NOT NULL DEFAULT '[]',
    testable       boolean     NOT NULL,
    status         text        NOT NULL,
    UNIQUE (enterprise_key, matter)
);

CREATE TABLE testability (
    enterprise_key int     NOT NULL,
    kind           text    NOT NULL,
    pairing_id     text    NOT NULL DEFAULT '', -- '' = for the enterprise
    testable       boolean NOT NULL,
    why            text    NOT NULL,
    PRIMARY KEY (enterprise_key, kind, pairing_id)
);

-- What appeared, changed or vanished, and when: late data leaves a visible trace. That an episode
-- which is still going on goes on is no change.
CREATE TABLE finding_changes (
    change_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    changed_at     timestamptz NOT NULL, -- wall clock
    data_until     timestamptz, -- how far the data reached then
    enterprise_key int         NOT NULL,
    episode_id     text        NOT NULL,
    change         text        NOT NULL, -- appeared, changed, vanished
    before         jsonb,
    after          jsonb
);
CREATE INDEX finding_changes_enterprise ON finding_changes (enterprise_key, changed_at);

-- The newest analysis of each enterprise.
CREATE TABLE analysed_enterprises (
    enterprise_key int PRIMARY KEY,
    analysed_at    timestamptz NOT NULL, -- wall clock
    data_until     timestamptz -- how far the data reached then
);
