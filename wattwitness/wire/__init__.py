"""What comes over the air: MQTT topics, JSON payloads; bytes to readings or refusals."""
