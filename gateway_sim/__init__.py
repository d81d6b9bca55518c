"""The simulator: plants, faults with an answer key, an outbox, MQTT out."""
