-- What plants used in the 24 h after a lift, kept for as long as it rests on the same.
CREATE TABLE rebounds (
    alert_id text  PRIMARY KEY,
    ground   text  NOT NULL, -- digest of windows, circuits, and what is known of them
    found    jsonb NOT NULL  -- enterprise id → its rebound
);
