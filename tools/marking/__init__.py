"""The instructor's side: hand out, collect and mark exercises, and tell each student why."""
