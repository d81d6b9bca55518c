-- Arrays that a local day contributes to findings over many days (wattwitness/domain/facts.py).
CREATE TABLE day_facts (
    enterprise_key int      NOT NULL,
    day            date     NOT NULL,
    kind           text     NOT NULL,
    subject        text     NOT NULL,
    vals           bytea    NOT NULL, -- float32, little-endian
    PRIMARY KEY (enterprise_key, day, kind, subject)
);
