"""The compiled training program, evaluation and diagnostics: pure functions of state."""
