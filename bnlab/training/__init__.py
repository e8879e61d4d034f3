"""The compiled training program and what it records: pure functions of state."""
