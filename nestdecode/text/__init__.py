"""JSON text and values: reading, writing, and what raw bytes prove."""
